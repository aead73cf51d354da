//! What travels over the wire about images: lists of their content, what vouches for them, keys,
//! tokens and the log.

use model::attestation::{Signed, Subject};
use model::signing_key::{KeyId, Validity};
use model::transparency::{Checkpoint, Inclusion};
use model::verification::Act;
use model::{AppName, Digest, ReleaseNumber, Timestamp};
use serde::{Deserialize, Serialize};

/// All that vouches for a release, to be judged by whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dossier {
    /// The app.
    pub app: AppName,
    /// The release.
    pub release: ReleaseNumber,
    /// The image, as what is signed names it.
    pub subject: Subject,
    /// The image's manifest, which hashes to its digest.
    pub manifest: String,
    /// What was done to it, which says what must be signed.
    pub acts: Vec<Act>,
    /// All that was signed about it.
    pub statements: Vec<Signed>,
    /// The evidence that names each document, as it was written.
    pub evidence: String,
    /// That the log has an entry that names the evidence; `None` while the log lacks it.
    pub inclusion: Option<Inclusion>,
    /// The server's keys.
    pub keys: Vec<KnownKey>,
    /// What verifies the log's checkpoints.
    pub log_key: String,
    /// Whom else to believe, where identities sign.
    #[serde(default)]
    pub keyless: Option<KeylessTrust>,
}

/// A key, as others need it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownKey {
    /// Its identity.
    pub id: KeyId,
    /// The SubjectPublicKeyInfo in PEM.
    pub public_pem: String,
    /// When its signatures count.
    pub validity: Validity,
}

/// An identity that may sign, and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeylessTrust {
    /// A Sigstore trusted root, as its file has it.
    pub trusted_root: String,
    /// An address or a URI.
    pub identity: String,
    /// The issuer's URL.
    pub issuer: String,
}

/// Lets nothing count any more that a key signed from a moment on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeRequest {
    /// The key's id, or the beginning of it; the one that signs by default.
    pub key: Option<String>,
    /// From when on.
    pub from: Timestamp,
}

/// What others need to verify with their own tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// Names and contents of files.
    pub files: Vec<(String, String)>,
    /// What to type, a heading and a line each.
    pub commands: Vec<(String, String)>,
}

/// Asks for a copy in a registry elsewhere.
#[derive(Clone, Serialize, Deserialize)]
pub struct PushRequest {
    /// Which release; the one that serves by default.
    pub release: Option<ReleaseNumber>,
    /// The registry's host, with a port when it needs one.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The tags that the image gets there; that of the release by default.
    pub tags: Vec<String>,
    /// User and password, where the registry asks.
    pub login: Option<(String, String)>,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pushed {
    /// The image.
    pub digest: Digest,
    /// Where it is now: `host/name@digest`.
    pub reference: String,
    /// Manifests: the image, and all that vouches for it.
    pub manifests: usize,
    /// Blobs that were not there yet.
    pub blobs: usize,
    /// Their size.
    pub sent_bytes: u64,
}

/// Asks for a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRequest {
    /// For people.
    pub label: String,
    /// What the repositories begin with that it is for; empty is every repository.
    pub prefix: String,
    /// Whether it may push.
    pub right: TokenRight,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What a token lets its bearer do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRight {
    /// Pull.
    Read,
    /// Pull, push and delete.
    Write,
}

/// A token that was made. Its secret is told this once.
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedToken {
    /// Its name in the record.
    pub id: String,
    /// What its bearer shows, as a password for any user.
    pub secret: String,
    /// Where it is good.
    pub registry: String,
}

/// A token in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenSummary {
    /// Its name.
    pub id: String,
    /// For people.
    pub label: String,
    /// What it is for: `apps/shop: read`.
    pub scopes: Vec<String>,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// What a comparison of the whole log with the ledger came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// How many entries were compared.
    pub entries: u64,
    /// The log's newest promise.
    pub checkpoint: Checkpoint,
    /// What does not fit; nothing is good.
    pub differences: Vec<String>,
}
