//! Signed envelopes.
//!
//! Source: Dead Simple Signing Envelope 1.0.2, envelope.md and protocol.md.

use base64::prelude::{BASE64_STANDARD, Engine};
use model::verification::Refusal;
use serde::{Deserialize, Serialize};

use crate::media_type;

/// An envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Envelope {
    pub(crate) payload: String,
    pub(crate) payload_type: String,
    pub(crate) signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signature {
    pub(crate) sig: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) keyid: String,
}

/// An envelope whose Base64 is undone: what is to be verified.
pub(crate) struct Opened {
    /// The in-toto statement.
    pub(crate) statement: Vec<u8>,
    /// What was signed: the statement with its type and length before it.
    pub(crate) message: Vec<u8>,
    /// The signatures; one at least.
    pub(crate) signatures: Vec<Vec<u8>>,
}

impl Envelope {
    pub(crate) fn new(statement: &[u8], signature: &[u8]) -> Self {
        Self {
            payload: BASE64_STANDARD.encode(statement),
            payload_type: media_type::STATEMENT.into(),
            signatures: vec![Signature {
                sig: BASE64_STANDARD.encode(signature),
                keyid: String::new(),
            }],
        }
    }

    /// Reads an envelope.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        serde_json::from_str(text).map_err(|error| Refusal::Malformed(error.to_string()))
    }

    /// Takes the statement and the signatures out; nothing is verified yet.
    pub(crate) fn open(&self) -> Result<Opened, Refusal> {
        if self.payload_type != media_type::STATEMENT {
            return Err(Refusal::UnknownMediaType(self.payload_type.clone()));
        }
        let statement = decode("payload", &self.payload)?;
        let decoded = self.signatures.iter().map(|one| decode("sig", &one.sig));
        let signatures = decoded.collect::<Result<Vec<_>, _>>()?;
        if signatures.is_empty() {
            return Err(Refusal::Malformed("it has no signature".into()));
        }
        Ok(Opened {
            message: encoding(&statement),
            statement,
            signatures,
        })
    }
}

/// What an envelope's signature is over ("PAE").
pub(crate) fn encoding(statement: &[u8]) -> Vec<u8> {
    let kind = media_type::STATEMENT;
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), statement.len());
    [head.as_bytes(), statement].concat()
}

pub(crate) fn decode(field: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    let decoded = BASE64_STANDARD.decode(text);
    decoded.map_err(|error| Refusal::Malformed(format!("`{field}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_has_type_and_length_before_it() {
        assert_eq!(
            String::from_utf8(encoding(b"{}")).expect("text"),
            "DSSEv1 28 application/vnd.in-toto+json 2 {}"
        );
    }
}
