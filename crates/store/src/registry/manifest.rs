//! What a manifest says about itself. Pure.
//!
//! Source: OCI image-spec 1.1, manifest.md and image-index.md; distribution-spec 1.1, "Listing
//! Referrers".

use std::collections::BTreeMap;

use model::Digest;
use serde::Deserialize;

use super::failure::RegistryError;
use super::name::ContentDigest;

/// The media type of an OCI image, or artifact.
pub const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an OCI index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker's older name for an image.
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's older name for an index.
const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What a registry needs to know of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// How it is served.
    pub media_type: String,
    /// What it refers to.
    pub subject: Option<ContentDigest>,
    /// What kind of thing it is, when it says so.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The blobs that it names: config and layers.
    pub blobs: Vec<ContentDigest>,
    /// The manifests that it names.
    pub manifests: Vec<ContentDigest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    artifact_type: Option<String>,
    subject: Option<Descriptor>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    digest: String,
    #[serde(default)]
    media_type: String,
}

/// What only the subject of a manifest of an unknown kind tells.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unknown {
    media_type: Option<String>,
    subject: Option<Descriptor>,
}

/// Reads a manifest that was sent as `content_type`.
///
/// A kind that nobody here knows is kept as it is. Blobs and manifests that it names need not be
/// there, nor its subject.
pub fn outline(bytes: &[u8], content_type: Option<&str>) -> Result<Outline, RegistryError> {
    let says: Unknown = serde_json::from_slice(bytes).map_err(invalid)?;
    let media_type = match (content_type.map(essence), says.media_type) {
        (Some(sent), Some(inside)) if sent != inside => {
            let text = format!("it was sent as `{sent}` and says `{inside}`");
            return Err(RegistryError::ManifestInvalid(text));
        }
        (Some(sent), _) if !sent.is_empty() => sent.to_owned(),
        (_, Some(inside)) => inside,
        (_, None) => {
            return Err(RegistryError::ManifestInvalid(
                "it has no media type".into(),
            ));
        }
    };
    match media_type.as_str() {
        IMAGE | DOCKER_IMAGE | INDEX | DOCKER_INDEX => known(bytes, media_type),
        _ => Ok(Outline {
            media_type,
            subject: says.subject.as_ref().map(subject).transpose()?,
            artifact_type: None,
            annotations: BTreeMap::new(),
            blobs: Vec::new(),
            manifests: Vec::new(),
        }),
    }
}

/// The blobs that a manifest of mayfly's own names, with their sizes.
pub(super) fn sizes(bytes: &[u8]) -> Result<Vec<(Digest, u64)>, RegistryError> {
    #[derive(Deserialize)]
    struct Sized {
        digest: Digest,
        size: u64,
    }
    #[derive(Deserialize)]
    struct Own {
        config: Sized,
        layers: Vec<Sized>,
    }
    let own: Own = serde_json::from_slice(bytes).map_err(invalid)?;
    let all = std::iter::once(own.config).chain(own.layers);
    Ok(all.map(|blob| (blob.digest, blob.size)).collect())
}

fn known(bytes: &[u8], media_type: String) -> Result<Outline, RegistryError> {
    let body: Body = serde_json::from_slice(bytes).map_err(invalid)?;
    let is_image = matches!(media_type.as_str(), IMAGE | DOCKER_IMAGE);
    if is_image && body.config.is_none() {
        return Err(RegistryError::ManifestInvalid("it has no config".into()));
    }
    let named = body.artifact_type.filter(|kind| !kind.is_empty());
    let config = body.config.as_ref().filter(|_| is_image);
    let artifact_type = named.or_else(|| Some(config?.media_type.clone()));
    let layers = body.layers.unwrap_or_default();
    Ok(Outline {
        subject: body.subject.as_ref().map(subject).transpose()?,
        artifact_type: artifact_type.filter(|kind| !kind.is_empty()),
        annotations: body.annotations.unwrap_or_default(),
        blobs: digests(body.config.iter().chain(&layers)),
        manifests: digests(body.manifests.iter().flatten()),
        media_type,
    })
}

/// Those of a kind that is kept here; content of another kind cannot be in the repository.
fn digests<'a>(descriptors: impl Iterator<Item = &'a Descriptor>) -> Vec<ContentDigest> {
    descriptors
        .filter_map(|descriptor| descriptor.digest.parse().ok())
        .collect()
}

fn subject(descriptor: &Descriptor) -> Result<ContentDigest, RegistryError> {
    let bad = |_| RegistryError::ManifestInvalid("its subject has no good digest".into());
    descriptor.digest.parse().map_err(bad)
}

/// A content type without its parameters.
fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn invalid(error: serde_json::Error) -> RegistryError {
    RegistryError::ManifestInvalid(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

    fn read(json: &str, content_type: Option<&str>) -> Result<Outline, RegistryError> {
        outline(json.replace("ZERO", ZERO).as_bytes(), content_type)
    }

    #[test]
    fn an_artifact_is_of_the_kind_it_says_or_of_its_configs() {
        let config = r#""config":{"mediaType":"a/config","digest":"ZERO","size":2}"#;
        for (json, media_type, kind) in [
            (format!("{{{config}}}"), IMAGE, Some("a/config")),
            (
                format!(r#"{{"artifactType":"a/b",{config}}}"#),
                IMAGE,
                Some("a/b"),
            ),
            (
                format!(r#"{{"artifactType":"",{config}}}"#),
                IMAGE,
                Some("a/config"),
            ),
            (
                r#"{"artifactType":"a/b","manifests":[]}"#.into(),
                INDEX,
                Some("a/b"),
            ),
            (r#"{"manifests":[]}"#.into(), INDEX, None),
            (r#"{"artifactType":"a/b"}"#.into(), "x/unknown", None),
        ] {
            let outline = read(&json, Some(media_type)).expect(&json);
            assert_eq!(outline.artifact_type.as_deref(), kind, "{json}");
            assert_eq!(outline.media_type, media_type);
        }
    }

    #[test]
    fn subjects_are_found_in_manifests_of_every_kind() {
        for (json, media_type) in [
            (
                r#"{"config":{"digest":"ZERO"},"subject":{"digest":"ZERO"}}"#,
                IMAGE,
            ),
            (r#"{"subject":{"digest":"ZERO"}}"#, INDEX),
            (r#"{"subject":{"digest":"ZERO"}}"#, "x/unknown"),
        ] {
            let outline = read(json, Some(media_type)).expect(json);
            assert_eq!(outline.subject.expect("a subject").to_string(), ZERO);
        }
    }

    #[test]
    fn the_media_type_is_the_one_sent_or_the_one_inside() {
        let inside = format!(r#"{{"mediaType":"{INDEX}"}}"#);
        let parameter = format!("{INDEX}; charset=utf-8");
        for content_type in [None, Some(INDEX), Some(parameter.as_str())] {
            let outline = read(&inside, content_type).expect("an index");
            assert_eq!(outline.media_type, INDEX);
        }
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let deep = "[".repeat(100_000);
        let other = format!(r#"{{"mediaType":"{INDEX}"}}"#);
        for (json, content_type) in [
            ("", Some(IMAGE)),
            ("no json", Some(IMAGE)),
            ("[]", Some(INDEX)),
            ("{}", None),
            ("{}", Some(IMAGE)),
            (r#"{"config":{"digest":7}}"#, Some(IMAGE)),
            (r#"{"subject":{"digest":"sha256:no"}}"#, Some(INDEX)),
            (r#"{"annotations":{"a":1}}"#, Some(INDEX)),
            (other.as_str(), Some(IMAGE)),
            (deep.as_str(), Some(INDEX)),
        ] {
            let start = &json[..json.len().min(40)];
            assert!(read(json, content_type).is_err(), "{start}");
        }
    }
}
