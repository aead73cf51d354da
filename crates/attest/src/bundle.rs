//! Sigstore bundles, version 0.3 and those before: an envelope with all that it takes to verify it.
//!
//! Source: sigstore/protobuf-specs, sigstore_bundle.proto, in its JSON mapping.

use base64::prelude::{BASE64_STANDARD, Engine};
use model::signing_key::KeyId;
use model::verification::Refusal;
use serde::{Deserialize, Serialize};

use crate::dsse::Envelope;
use crate::media_type;

/// Bundles of 2023 say it so. Their fields are the same; versions before 0.3 name a whole chain.
const OLDER_NAMES: [&str; 3] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
];

/// A bundle. Fields that nothing here knows are refused: what is not understood is not verified.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Bundle {
    media_type: String,
    pub(crate) verification_material: Material,
    pub(crate) dsse_envelope: Envelope,
}

/// Who signed, and what proves when.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) public_key: Option<Hint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<RawBytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) x509_certificate_chain: Option<Chain>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tlog_entries: Vec<LogEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timestamp_verification_data: Option<Timestamps>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hint {
    #[serde(default)]
    pub(crate) hint: String,
}

/// Bytes in Base64.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RawBytes {
    pub(crate) raw_bytes: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chain {
    pub(crate) certificates: Vec<RawBytes>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Timestamps {
    #[serde(default)]
    pub(crate) rfc3161_timestamps: Vec<SignedTimestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignedTimestamp {
    pub(crate) signed_timestamp: String,
}

/// An entry of a public log. Numbers are texts, as the JSON mapping has them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogEntry {
    #[serde(default = "zero")]
    pub(crate) log_index: String,
    pub(crate) log_id: LogId,
    pub(crate) kind_version: KindVersion,
    #[serde(default = "zero")]
    pub(crate) integrated_time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inclusion_promise: Option<serde_json::Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inclusion_proof: Option<InclusionProof>,
    pub(crate) canonicalized_body: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogId {
    pub(crate) key_id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KindVersion {
    pub(crate) kind: String,
    pub(crate) version: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InclusionProof {
    #[serde(default = "zero")]
    pub(crate) log_index: String,
    pub(crate) root_hash: String,
    pub(crate) tree_size: String,
    #[serde(default)]
    pub(crate) hashes: Vec<String>,
    pub(crate) checkpoint: CheckpointText,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckpointText {
    pub(crate) envelope: String,
}

fn zero() -> String {
    "0".into()
}

impl Bundle {
    /// A bundle of an envelope and what it takes to verify it.
    pub(crate) fn new(material: Material, envelope: Envelope) -> Self {
        Self {
            media_type: media_type::BUNDLE.into(),
            verification_material: material,
            dsse_envelope: envelope,
        }
    }

    /// A bundle that names the key which signed.
    pub(crate) fn with_key(envelope: Envelope, key: KeyId) -> Self {
        let hint = hint(key);
        let material = Material {
            public_key: Some(Hint { hint }),
            ..Material::default()
        };
        Self::new(material, envelope)
    }

    /// Reads a bundle of a statement.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let bundle: Self =
            serde_json::from_str(text).map_err(|error| Refusal::Malformed(error.to_string()))?;
        match bundle.media_type.as_str() {
            media_type::BUNDLE => Ok(bundle),
            older if OLDER_NAMES.contains(&older) => Ok(bundle),
            other => Err(Refusal::UnknownMediaType(other.into())),
        }
    }

    /// Its text.
    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// How a bundle names a key: the Base64 of its identity.
pub fn hint(key: KeyId) -> String {
    BASE64_STANDARD.encode(key.as_bytes())
}
