//! What a path of the registry's API names. Pure.

use store::registry::{ContentDigest, NameError, Reference, RepositoryName, UploadId};

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Resource {
    /// `/v2/`: whether there is a registry, and whether the caller may use it.
    Base,
    /// `/v2/token`: a bearer token for a login.
    Token,
    /// `/v2/<name>/tags/list`.
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`.
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/blobs/<digest>`.
    Blob(RepositoryName, ContentDigest),
    /// `/v2/<name>/blobs/uploads/`.
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`.
    Upload(RepositoryName, UploadId),
    /// `/v2/<name>/referrers/<digest>`.
    Referrers(RepositoryName, ContentDigest),
}

/// Why a path names nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PathError {
    /// The API has no such path.
    Unknown,
    /// The path is one of the API's, and a name in it is none.
    Name(NameError),
}

impl From<NameError> for PathError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl Resource {
    /// The repository, when it is about one.
    pub(crate) fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Base | Self::Token => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Referrers(name, _) => Some(name),
        }
    }
}

/// Reads the path of a request, as it was sent. A repository's name may have slashes, so the end
/// tells what is meant.
pub(crate) fn resource(path: &str) -> Result<Resource, PathError> {
    let path = decode(path).ok_or(PathError::Unknown)?;
    let rest = path.strip_prefix("/v2").ok_or(PathError::Unknown)?;
    match rest {
        "" | "/" => return Ok(Resource::Base),
        "/token" => return Ok(Resource::Token),
        _ => {}
    }
    let segments: Vec<&str> = rest
        .strip_prefix('/')
        .ok_or(PathError::Unknown)?
        .split('/')
        .collect();
    let name = |until: &[&str]| until.join("/").parse::<RepositoryName>();
    Ok(match segments.as_slice() {
        [until @ .., "tags", "list"] => Resource::Tags(name(until)?),
        [until @ .., "blobs", "uploads"] | [until @ .., "blobs", "uploads", ""] => {
            Resource::Uploads(name(until)?)
        }
        [until @ .., "blobs", "uploads", id] => Resource::Upload(name(until)?, id.parse()?),
        [until @ .., "blobs", digest] => Resource::Blob(name(until)?, digest.parse()?),
        [until @ .., "manifests", reference] => {
            Resource::Manifest(name(until)?, reference.parse()?)
        }
        [until @ .., "referrers", digest] => Resource::Referrers(name(until)?, digest.parse()?),
        _ => return Err(PathError::Unknown),
    })
}

/// Takes percent signs out, once. What is decoded is checked as everything else is.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match first {
            b'%' => (hex(after.get(..2)?)?, after.get(2..)?),
            other => (other, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

fn hex(pair: &[u8]) -> Option<u8> {
    if !pair.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    fn name(text: &str) -> RepositoryName {
        text.parse().expect("a name")
    }

    #[test]
    fn each_path_of_the_specification_is_understood() {
        let digest: ContentDigest = DIGEST.parse().expect("a digest");
        let id = "01890a5d-ac96-774b-bcce-b302099a8057";
        let upload = || Resource::Upload(name("a"), id.parse().expect("an id"));
        for (path, resource) in [
            ("/v2".to_owned(), Resource::Base),
            ("/v2/".to_owned(), Resource::Base),
            ("/v2/token".to_owned(), Resource::Token),
            ("/v2/a/b/tags/list".to_owned(), Resource::Tags(name("a/b"))),
            (
                "/v2/tags/list/tags/list".to_owned(),
                Resource::Tags(name("tags/list")),
            ),
            (
                "/v2/a/manifests/v1".to_owned(),
                Resource::Manifest(name("a"), "v1".parse().expect("a tag")),
            ),
            (
                format!("/v2/a/manifests/{}", DIGEST.replace(':', "%3A")),
                Resource::Manifest(name("a"), Reference::Digest(digest)),
            ),
            (
                format!("/v2/a/blobs/{DIGEST}"),
                Resource::Blob(name("a"), digest),
            ),
            (
                "/v2/a/blobs/uploads/".to_owned(),
                Resource::Uploads(name("a")),
            ),
            (
                "/v2/a/blobs/uploads".to_owned(),
                Resource::Uploads(name("a")),
            ),
            (format!("/v2/a/blobs/uploads/{id}"), upload()),
            (
                format!("/v2/a/referrers/{DIGEST}"),
                Resource::Referrers(name("a"), digest),
            ),
        ] {
            assert_eq!(super::resource(&path), Ok(resource), "{path}");
        }
    }

    #[test]
    fn no_other_path_leads_anywhere() {
        for path in [
            "",
            "/",
            "/v1/",
            "/v22/",
            "/v2//",
            "/v2/a",
            "/v2/_catalog",
            "/v2/tags/list",
            "/v2/../a/tags/list",
            "/v2/a/../../tags/list",
            "/v2/%2e%2e/tags/list",
            "/v2/a%2f..%2fb/tags/list",
            "/v2/A/tags/list",
            "/v2/a%00/tags/list",
            "/v2/a%/tags/list",
            "/v2/a%+1/tags/list",
            "/v2/a/manifests/",
            "/v2/a/manifests/..",
            "/v2/a/manifests/%2e%2e%2fb",
            "/v2/a/blobs/sha256:abc",
            "/v2/a/blobs/uploads/..",
            "/v2/a/blobs/uploads/..%2f..%2fledger.db",
            "/v2/a/blobs/uploads/x/",
            "/v2/a/referrers/v1",
        ] {
            assert!(resource(path).is_err(), "{path}");
        }
    }
}
