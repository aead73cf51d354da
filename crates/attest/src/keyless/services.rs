//! The services that a signature of an identity needs, and what is asked of them.
//!
//! Source: sigstore/fulcio, fulcio.proto (`/api/v2/signingCert`); sigstore/rekor-tiles, api/proto
//! (`/api/v2/log/entries`); RFC 3161, section 3.4; sigstore/protobuf-specs, sigstore_trustroot.proto
//! for the signing configuration.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine};
use model::Timestamp;
use ports::SignerError;
use serde::Deserialize;
use serde_json::{Value, json};
use ureq::Body;
use ureq::http::Response;

use super::trusted_root::Span;
use crate::bundle::LogEntry;
use crate::public_key::Hash;

/// The longest wait for an answer. A log of tiles answers when its next checkpoint is out.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer of these services comes near.
const LARGEST_ANSWER: u64 = 1 << 20;

const AUTHORITY: &str = "certificate authority";
const LOG: &str = "public log";
const CLOCK: &str = "timestamp authority";

/// Where the services are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Services {
    /// Fulcio.
    pub authority: String,
    /// Rekor v2.
    pub log: String,
    /// A timestamp authority, its whole URL: a log of tiles says no time.
    pub clock: String,
}

/// Why a signing configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SigningConfigError {
    /// It is no JSON of that form.
    #[error("it is no Sigstore signing configuration")]
    Malformed(#[from] serde_json::Error),
    /// It names no service that this mayfly can use now.
    #[error("it names no {0} of a version that is known here and good now")]
    Missing(&'static str),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    ca_urls: Vec<Named>,
    #[serde(default)]
    rekor_tlog_urls: Vec<Named>,
    #[serde(default)]
    tsa_urls: Vec<Named>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    url: String,
    major_api_version: u32,
    #[serde(default)]
    valid_for: Span,
}

impl Services {
    /// Those that a `signing_config.json` (v0.2) names for the time `now`.
    pub fn read(text: &str, now: Timestamp) -> Result<Self, SigningConfigError> {
        let file: File = serde_json::from_str(text)?;
        let one = |named: Vec<Named>, version: u32, service: &'static str| {
            let is_usable =
                |one: &Named| one.major_api_version == version && one.valid_for.holds(now);
            let found = named.into_iter().find(is_usable);
            let found = found.ok_or(SigningConfigError::Missing(service))?;
            Ok::<_, SigningConfigError>(found.url)
        };
        Ok(Self {
            authority: one(file.ca_urls, 1, AUTHORITY)?,
            log: one(file.rekor_tlog_urls, 2, LOG)?,
            clock: one(file.tsa_urls, 1, CLOCK)?,
        })
    }
}

/// Asks the services. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    services: Services,
    agent: ureq::Agent,
}

impl Asked {
    pub(crate) fn new(services: Services) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build();
        let agent = config.into();
        Self { services, agent }
    }

    /// A certificate for a key, in DER; `proof` is the identity signed with it.
    pub(crate) fn certificate(
        &self,
        token: &str,
        public_pem: &str,
        proof: &[u8],
    ) -> Result<Vec<u8>, SignerError> {
        let service = Service::new(AUTHORITY, &self.services.authority, "/api/v2/signingCert");
        let request = json!({
            "credentials": { "oidcIdentityToken": token },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": public_pem },
                "proofOfPossession": BASE64_STANDARD.encode(proof),
            },
        });
        let answer = self.ask_json(&service, &request)?;
        let forms = [
            "signedCertificateEmbeddedSct",
            "signedCertificateDetachedSct",
        ];
        let chains = forms.map(|form| &answer[form]["chain"]["certificates"]);
        let pem = chains.iter().find_map(|chain| chain[0].as_str());
        let pem = pem.ok_or_else(|| service.refused("its answer has no certificate"))?;
        let (_, read) = der::Document::from_pem(pem.trim())
            .map_err(|error| service.refused(error.to_string()))?;
        Ok(read.as_bytes().to_vec())
    }

    /// A timestamp over a signature: the authority's whole answer.
    pub(crate) fn timestamp(&self, signature: &[u8]) -> Result<Vec<u8>, SignerError> {
        let service = Service::new(CLOCK, &self.services.clock, "");
        let request = [
            &TIMESTAMP_BEFORE_HASH,
            &*Hash::Sha256.of(signature),
            &WITH_CERTIFICATE,
        ];
        let sent = (self.agent.post(&service.url))
            .header("content-type", "application/timestamp-query")
            .send(&request.concat()[..]);
        service.body(sent)
    }

    /// Puts a signature over `message` into the log.
    pub(crate) fn log_entry(
        &self,
        message: &[u8],
        signature: &[u8],
        certificate: &[u8],
    ) -> Result<LogEntry, SignerError> {
        let service = Service::new(LOG, &self.services.log, "/api/v2/log/entries");
        let request = json!({
            "hashedRekordRequestV002": {
                "digest": BASE64_STANDARD.encode(Hash::Sha256.of(message)),
                "signature": {
                    "content": BASE64_STANDARD.encode(signature),
                    "verifier": {
                        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                        "x509Certificate": { "rawBytes": BASE64_STANDARD.encode(certificate) },
                    },
                },
            },
        });
        let answer = self.ask_json(&service, &request)?;
        serde_json::from_value(answer).map_err(|error| service.refused(error.to_string()))
    }

    fn ask_json(&self, service: &Service, request: &Value) -> Result<Value, SignerError> {
        let sent = (self.agent.post(&service.url))
            .header("content-type", "application/json")
            .send(&request.to_string());
        let body = service.body(sent)?;
        serde_json::from_slice(&body).map_err(|error| service.refused(error.to_string()))
    }
}

/// A TimeStampReq over a SHA-256 hash, up to the hash.
const TIMESTAMP_BEFORE_HASH: [u8; 24] = [
    0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];
/// And what comes after it: the answer is to have the authority's certificate in it.
const WITH_CERTIFICATE: [u8; 3] = [0x01, 0x01, 0xff];

struct Service {
    name: &'static str,
    url: String,
}

impl Service {
    fn new(name: &'static str, base: &str, path: &str) -> Self {
        let url = match path.is_empty() {
            true => base.to_owned(),
            false => format!("{}{path}", base.trim_end_matches('/')),
        };
        Self { name, url }
    }

    /// An answer's body. A server that is broken or busy counts as one that does not answer.
    fn body(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, SignerError> {
        let mut answer = sent.map_err(|error| self.unavailable(error))?;
        let status = answer.status();
        let limited = answer.body_mut().with_config().limit(LARGEST_ANSWER);
        let body = limited.read_to_vec();
        let body = body.map_err(|error| self.unavailable(error))?;
        let said = || String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
        match status.as_u16() {
            200..=299 => Ok(body),
            429 | 500..=599 => Err(self.unavailable(format!("it answered {status}: {}", said()))),
            401 | 403 => Err(SignerError::Identity { why: said() }),
            // Fulcio calls a token that does not hold a bad request, and names it.
            400 if said().contains("identity token") => Err(SignerError::Identity { why: said() }),
            _ => Err(self.refused(format!("it answered {status}: {}", said()))),
        }
    }

    fn unavailable(
        &self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> SignerError {
        SignerError::Unavailable {
            service: self.name,
            url: self.url.clone(),
            cause: cause.into(),
        }
    }

    fn refused(&self, why: impl Into<String>) -> SignerError {
        SignerError::Refused {
            service: self.name,
            url: self.url.clone(),
            why: why.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_names_the_services_of_the_versions_that_are_known_and_good_now() {
        let config = |log_version: u32, from: &str| {
            json!({
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [{
                    "url": "https://ca.example", "majorApiVersion": 1,
                    "validFor": { "start": from }, "operator": "example",
                }],
                "rekorTlogUrls": [
                    { "url": "https://old.example", "majorApiVersion": 1, "validFor": {} },
                    { "url": "https://log.example", "majorApiVersion": log_version },
                ],
                "tsaUrls": [{ "url": "https://time.example/api", "majorApiVersion": 1 }],
            })
            .to_string()
        };
        let read = |text: &str| Services::read(text, Timestamp::UNIX_EPOCH);
        let services = read(&config(2, "1970-01-01T00:00:00Z")).expect("services");
        assert_eq!(services.log, "https://log.example");
        for bad in [
            config(3, "1970-01-01T00:00:00Z"),
            config(2, "1970-01-02T00:00:00Z"),
            "{}".into(),
        ] {
            assert!(matches!(read(&bad), Err(SigningConfigError::Missing(_))));
        }
        assert!(matches!(read("["), Err(SigningConfigError::Malformed(_))));
    }
}
