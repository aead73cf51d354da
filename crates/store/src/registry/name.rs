//! What repositories, tags and content are called.
//!
//! Source: OCI distribution-spec 1.1, "Pulling manifests"; image-spec 1.1, descriptor.md.

use std::fmt;
use std::str::FromStr;

use model::Digest;

/// The longest name of a repository, in bytes.
const MAX_REPOSITORY_BYTES: usize = 255;
/// The longest tag, in bytes.
const MAX_TAG_BYTES: usize = 128;

/// Why a text names nothing in a registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is no repository's name.
    #[error("a repository's name is made of a-z, 0-9, `.`, `_`, `-` and `/`")]
    Repository,
    /// It is no tag.
    #[error("a tag is made of up to 128 letters, digits, `.`, `_` and `-`")]
    Tag,
    /// It is no digest, or one of a kind that is not kept here.
    #[error("a digest is `sha256:` and 64 hex digits or `sha512:` and 128")]
    Digest,
    /// It is no upload's id.
    #[error("an upload's id is a UUID")]
    Upload,
}

/// A repository's name: `team/shop`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(String);

impl RepositoryName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.len() <= MAX_REPOSITORY_BYTES && text.split('/').all(is_segment) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError::Repository),
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Letters and digits, parted by `.`, `_`, `__` or any number of `-`.
fn is_segment(segment: &str) -> bool {
    let solid = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9');
    let fits = |b: u8| solid(b) || matches!(b, b'.' | b'_' | b'-');
    let parted = |gap: &str| matches!(gap, "" | "." | "_" | "__") || gap.bytes().all(|b| b == b'-');
    let ends = [segment.bytes().next(), segment.bytes().last()];
    segment.bytes().all(fits)
        && ends.iter().all(|end| end.is_some_and(solid))
        && segment
            .split(|c: char| c.is_ascii_alphanumeric())
            .all(parted)
}

/// A tag: `latest`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(String);

impl Tag {
    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Tag {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let first = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let rest = |b: u8| first(b) || matches!(b, b'.' | b'-');
        let begins = text.bytes().next().is_some_and(first);
        match begins && text.len() <= MAX_TAG_BYTES && text.bytes().all(rest) {
            true => Ok(Self(text.to_owned())),
            false => Err(NameError::Tag),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What identifies content for clients: the store itself knows SHA-256 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ContentDigest {
    /// `sha256:…`, which is the store's own name too.
    Sha256(Digest),
    /// `sha512:…`.
    Sha512([u8; 64]),
}

impl ContentDigest {
    /// The digest of `bytes`, by the same algorithm as this one.
    pub fn of_same_kind(&self, bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        match self {
            Self::Sha256(_) => Self::Sha256(Digest::of(bytes)),
            Self::Sha512(_) => Self::Sha512(sha2::Sha512::digest(bytes).into()),
        }
    }
}

impl From<Digest> for ContentDigest {
    fn from(digest: Digest) -> Self {
        Self::Sha256(digest)
    }
}

impl FromStr for ContentDigest {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let Some(hex) = text.strip_prefix("sha512:") else {
            let digest = text.parse().map_err(|_| NameError::Digest)?;
            return Ok(Self::Sha256(digest));
        };
        let value = |b: u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let mut hash = [0; 64];
        if hex.len() != 2 * hash.len() {
            return Err(NameError::Digest);
        }
        for (byte, pair) in hash.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let pair = value(pair[0]).zip(value(pair[1]));
            let (high, low) = pair.ok_or(NameError::Digest)?;
            *byte = high << 4 | low;
        }
        Ok(Self::Sha512(hash))
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digest) => digest.fmt(f),
            Self::Sha512(hash) => {
                f.write_str("sha512:")?;
                hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// How a manifest is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// By a name that may move.
    Tag(Tag),
    /// By what it is.
    Digest(ContentDigest),
}

impl FromStr for Reference {
    type Err = NameError;

    /// A tag has no colon, a digest has one.
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.contains(':') {
            true => text.parse().map(Self::Digest),
            false => text.parse().map(Self::Tag),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

/// An upload's id: a UUID, so that no path can be smuggled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadId(uuid::Uuid);

impl UploadId {
    /// An id that nobody has had.
    pub(super) fn new() -> Self {
        Self(uuid::Uuid::now_v7())
    }
}

impl FromStr for UploadId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let id = uuid::Uuid::try_parse(text).map_err(|_| NameError::Upload)?;
        match id.to_string() == text {
            true => Ok(Self(id)),
            false => Err(NameError::Upload),
        }
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_have_names_of_the_specification_and_no_others() {
        let long = "a".repeat(255);
        for good in ["a", "shop", "a.b_c__d-e---f", "team/shop/1", "0", &long] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        let too_long = "a".repeat(256);
        for bad in [
            "", "/", "a/", "/a", "a//b", "..", "a/..", "a/../b", ".a", "a.", "a..b", "a___b",
            "a._b", "A", "ä", "a b", "a\0b", "a%2fb", "a\nb", "a:b", "a@b", "-a", "a-", &too_long,
        ] {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn references_are_tags_or_digests() {
        let long = "t".repeat(128);
        for good in ["latest", "_", "V1.0-rc_1", "r3", &long] {
            assert!(matches!(good.parse(), Ok(Reference::Tag(_))), "{good}");
        }
        let too_long = "t".repeat(129);
        for bad in [
            "",
            ".a",
            "-a",
            "a/b",
            "a b",
            "ä",
            "..",
            "sha256:",
            "sha256:zz",
            "md5:00",
            &too_long,
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn digests_of_both_kinds_read_back_as_they_were_written() {
        let short = ContentDigest::from(Digest::of(b"mayfly"));
        let long = ContentDigest::Sha512([0; 64]).of_same_kind(b"mayfly");
        for digest in [short, long] {
            assert_eq!(digest.to_string().parse(), Ok(digest));
            let upper = digest.to_string().to_uppercase();
            assert!(upper.parse::<ContentDigest>().is_err(), "{upper}");
        }
        let ours = long.to_string();
        assert!(ours[..ours.len() - 1].parse::<ContentDigest>().is_err());
        assert!(format!("{ours}0").parse::<ContentDigest>().is_err());
    }

    #[test]
    fn an_upload_has_one_way_to_be_written() {
        let id = UploadId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        let simple = id.to_string().replace('-', "");
        for bad in ["", "..", "../x", &simple, &id.to_string().to_uppercase()] {
            assert!(bad.parse::<UploadId>().is_err(), "{bad:?}");
        }
    }
}
