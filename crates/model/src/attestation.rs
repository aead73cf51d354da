//! Signed statements about an image: which kinds there are, and what of them is kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::digest::Digest;
use crate::signing_key::KeyId;

/// What a statement says about an image. Each kind is named by the URI of its predicate, which
/// other people's tools know it by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum PredicateType {
    /// The image is the signer's; nothing more is said.
    Signature,
    /// How it was built: SLSA provenance v1.
    Provenance,
    /// What is in it: SPDX 2.3.
    Spdx,
    /// What is in it: CycloneDX.
    CycloneDx,
    /// Which known vulnerabilities it has.
    Vulnerabilities,
    /// How its tests ended.
    TestResult,
    /// What the policy decided: SLSA verification summary v1.
    Decision,
    /// Anything else, by its URI.
    Other(String),
}

/// The kinds that mayfly makes, and what others call them.
const KINDS: [(PredicateType, &str, &str); 7] = [
    (
        PredicateType::Signature,
        "https://sigstore.dev/cosign/sign/v1",
        "signature",
    ),
    (
        PredicateType::Provenance,
        "https://slsa.dev/provenance/v1",
        "slsaprovenance1",
    ),
    (PredicateType::Spdx, "https://spdx.dev/Document", "spdxjson"),
    (
        PredicateType::CycloneDx,
        "https://cyclonedx.org/bom",
        "cyclonedx",
    ),
    (
        PredicateType::Vulnerabilities,
        "https://cosign.sigstore.dev/attestation/vuln/v1",
        "vuln",
    ),
    (
        PredicateType::TestResult,
        "https://in-toto.io/attestation/test-result/v0.1",
        "https://in-toto.io/attestation/test-result/v0.1",
    ),
    (
        PredicateType::Decision,
        "https://slsa.dev/verification_summary/v1",
        "https://slsa.dev/verification_summary/v1",
    ),
];

impl PredicateType {
    /// The URI that statements carry.
    pub fn uri(&self) -> &str {
        match self {
            Self::Other(uri) => uri,
            known => known.row().1,
        }
    }

    /// What `cosign verify-attestation --type` takes: its own short name, or the URI.
    pub fn cosign_type(&self) -> &str {
        match self {
            Self::Other(uri) => uri,
            known => known.row().2,
        }
    }

    fn row(&self) -> &'static (PredicateType, &'static str, &'static str) {
        let row = KINDS.iter().find(|(kind, ..)| kind == self);
        row.unwrap_or(&KINDS[0])
    }
}

impl From<String> for PredicateType {
    fn from(uri: String) -> Self {
        let known = KINDS.iter().find(|(_, known, _)| *known == uri);
        known.map_or(Self::Other(uri), |(kind, ..)| kind.clone())
    }
}

impl From<PredicateType> for String {
    fn from(kind: PredicateType) -> Self {
        kind.uri().to_owned()
    }
}

impl fmt::Display for PredicateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "signature",
            Self::Provenance => "SLSA provenance",
            Self::Spdx => "SPDX",
            Self::CycloneDx => "CycloneDX",
            Self::Vulnerabilities => "vulnerability scan",
            Self::TestResult => "test results",
            Self::Decision => "policy decision",
            Self::Other(uri) => uri,
        })
    }
}

/// The image that a statement is about, as a registry knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The repository, `host/name`; people read it, nothing is decided by it.
    pub name: String,
    /// Of the image's manifest: its identity.
    pub digest: Digest,
    /// Of the manifest.
    pub media_type: String,
    /// Of the manifest.
    pub size_bytes: u64,
}

/// A signed document, as it lies in a registry's layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// How to read it.
    pub media_type: String,
    /// Its content; all kinds are JSON.
    pub text: String,
    /// The signature, in Base64, of a kind that does not carry it inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedBy {
    /// A key of this server, or one that was handed in.
    Key(KeyId),
    /// An identity that a certificate vouches for.
    Identity {
        /// An address or a URI.
        subject: String,
        /// The URL of who vouched for it.
        issuer: String,
    },
}

impl fmt::Display for SignedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "key {}", key.short()),
            Self::Identity { subject, issuer } => write!(f, "{subject} ({issuer})"),
        }
    }
}

/// One statement, signed: all that must be kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// What it says.
    pub kind: PredicateType,
    /// The image.
    pub image: Digest,
    /// Who says so.
    pub by: SignedBy,
    /// When, by the signer's own clock. Nothing is decided by it.
    pub at: Timestamp,
    /// The same statement in each form that it was signed in.
    pub documents: Vec<Document>,
}

impl Signed {
    /// As evidence keeps it, once its documents' texts are blobs.
    pub fn kept(&self) -> Kept {
        let kept = |document: &Document| KeptDocument {
            media_type: document.media_type.clone(),
            text: Digest::of(document.text.as_bytes()),
            signature: document.signature.clone(),
        };
        Kept {
            kind: self.kind.clone(),
            image: self.image,
            by: self.by.clone(),
            at: self.at,
            documents: self.documents.iter().map(kept).collect(),
        }
    }

    /// The bytes by which it is kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Of [`Self::to_bytes`]: what a log's entry names it by.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }
}

/// A statement as evidence keeps it: its documents by their digests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What it says.
    pub kind: PredicateType,
    /// The image.
    pub image: Digest,
    /// Who says so.
    pub by: SignedBy,
    /// When, by the signer's own clock.
    pub at: Timestamp,
    /// The same statement in each form that it was signed in.
    pub documents: Vec<KeptDocument>,
}

/// A document whose text is a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDocument {
    /// How to read it.
    pub media_type: String,
    /// Of its text.
    pub text: Digest,
    /// The signature, in Base64, of a kind that does not carry it inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl Kept {
    /// The blobs that hold its documents.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> + '_ {
        self.documents.iter().map(|document| document.text)
    }
}

/// How signed documents lie in a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One manifest at the tag `sha256-<hex>.sig`, a layer a signature.
    SignatureTag,
    /// One manifest at the tag `sha256-<hex>.att`, a layer an attestation.
    AttestationTag,
    /// A manifest each, whose `subject` is the image.
    Referrer,
    /// The list of referrers at the tag `sha256-<hex>`, for a registry that keeps none itself.
    ReferrersTag,
}

/// A blob that a manifest needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How to read it.
    pub media_type: String,
    /// Of its content.
    pub digest: Digest,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A manifest to put into a registry, after its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// Which layout it belongs to.
    pub layout: Layout,
    /// The tag that it goes by; without one, by its digest.
    pub tag: Option<String>,
    /// The manifest.
    pub manifest: Part,
    /// The blobs it needs.
    pub parts: Vec<Part>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_reads_back_from_its_uri_and_an_unknown_one_keeps_its_own() {
        for (kind, uri, _) in &KINDS {
            assert_eq!(PredicateType::from((*uri).to_owned()), *kind);
            assert_eq!(kind.uri(), *uri);
        }
        let other = PredicateType::from("https://example.org/p".to_owned());
        assert_eq!(other, PredicateType::Other("https://example.org/p".into()));
        assert_eq!(other.cosign_type(), "https://example.org/p");
    }
}
