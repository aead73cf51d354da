//! Signed statements about images: made, laid out for a registry, and verified.

#[cfg(feature = "contracts")]
pub mod contract;

use async_trait::async_trait;
use model::attestation::{Artifact, Document, PredicateType, Signed, Subject};
use model::failure::{FailureCode, Remedy};
use model::transparency::Inclusion;
use model::verification::Report;
use model::{Digest, Timestamp};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// What is to be signed is no JSON.
    #[error("the {kind} predicate is no JSON")]
    BadPredicate {
        /// What it was to be.
        kind: PredicateType,
        /// Where it goes wrong.
        #[source]
        cause: serde_json::Error,
    },
    /// A document is not what the signer makes.
    #[error("a signed document of kind {kind} cannot be laid out: {why}")]
    BadDocument {
        /// What it says.
        kind: PredicateType,
        /// What is wrong with it.
        why: String,
    },
    /// The key may not sign at that time: it begins later, was replaced or revoked.
    #[error("the signing key `{key}` may not sign at {at}")]
    KeyNotValid {
        /// Its short id.
        key: String,
        /// The time.
        at: Timestamp,
    },
    /// The identity that is to be vouched for is not accepted.
    #[error("the identity token is not accepted: {why}")]
    Identity {
        /// What is wrong with it.
        why: String,
    },
    /// A signing service does not answer, or not now.
    #[error("the {service} at `{url}` does not answer")]
    Unavailable {
        /// Which: certificate authority, log, timestamp authority.
        service: &'static str,
        /// Where.
        url: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A signing service answered something else than what was asked for.
    #[error("the {service} at `{url}` refused: {why}")]
    Refused {
        /// Which.
        service: &'static str,
        /// Where.
        url: String,
        /// Its words, or what is wrong with its answer.
        why: String,
    },
}

impl Remedy for SignerError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Unavailable { .. } => FailureCode::Network,
            Self::Identity { .. } => FailureCode::Forbidden,
            Self::KeyNotValid { .. } | Self::Refused { .. } => FailureCode::Unavailable,
            Self::BadPredicate { .. } | Self::BadDocument { .. } => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::KeyNotValid { .. } => Some(
                "run `mayfly key rotate` for a new key; if this machine's clock is wrong, set it \
                 right first"
                    .into(),
            ),
            Self::Identity { .. } => {
                Some("get a new identity token for the audience that the error names".into())
            }
            _ => None,
        }
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Documents of one statement that somebody presents for an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// As which kind they are kept, when that is known.
    pub kind: Option<PredicateType>,
    /// The forms in which it was signed.
    pub documents: Vec<Document>,
    /// Where the transparency log says that they were made.
    pub recorded: Option<Recorded>,
}

/// An entry of the transparency log that names what was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The entry, a JSON text with the time `at`, and its proof.
    pub inclusion: Inclusion,
    /// The evidence that the entry names by its digest, when the entry does not name the documents
    /// themselves. It holds each document's text, or the text's digest, as a string.
    pub evidence: Option<String>,
}

impl Presented {
    /// What this server signed, before the log has it.
    pub fn of(signed: &Signed) -> Self {
        Self {
            kind: Some(signed.kind.clone()),
            documents: signed.documents.clone(),
            recorded: None,
        }
    }
}

/// Signs statements about images, each stage its own, and verifies them.
#[async_trait]
pub trait Signer: Send + Sync {
    /// Signs that `predicate`, a JSON document, holds for the image. A plain signature has the
    /// predicate `{}`.
    ///
    /// With a key, the same statement at the same time makes the same bytes.
    async fn sign(
        &self,
        subject: &Subject,
        kind: PredicateType,
        predicate: Vec<u8>,
        at: Timestamp,
    ) -> Result<Signed, SignerError>;

    /// What must be put into a registry so that others find all that was signed about the image.
    ///
    /// Call it with everything that was signed so far: tags are replaced as a whole. Putting the
    /// same twice has the effect of once.
    fn lay_out(&self, subject: &Subject, signed: &[Signed]) -> Result<Vec<Artifact>, SignerError>;

    /// What holds of the documents that are presented for `image`, a row a document; pure but for
    /// the time it takes. A failure to verify is a row, not an error.
    async fn verify(&self, image: &Digest, presented: Vec<Presented>, now: Timestamp) -> Report;
}
