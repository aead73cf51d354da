//! Whom a Sigstore deployment says to trust.
//!
//! Source: sigstore/protobuf-specs, sigstore_trustroot.proto, in its JSON mapping.

use model::Timestamp;
use model::verification::Refusal;
use serde::Deserialize;

use super::certificate::{Certificate, Purpose, refused};
use crate::dsse;
use crate::public_key::PublicKey;

/// Why a file is no trusted root.
#[derive(Debug, thiserror::Error)]
pub enum TrustedRootError {
    /// It is no JSON of that form.
    #[error("it is no Sigstore trusted root")]
    Malformed(#[from] serde_json::Error),
    /// A key or certificate in it cannot be read.
    #[error("a key or certificate in it cannot be read: {0}")]
    Unreadable(String),
}

/// Certificate authorities, logs and timestamp authorities, each for a span of time.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    pub(super) logs: Vec<Log>,
    pub(super) certificate_logs: Vec<Log>,
    authorities: Vec<Authority>,
    pub(super) timestamp_authorities: Vec<Authority>,
}

#[derive(Debug, Clone)]
pub(super) struct Log {
    pub(super) id: Vec<u8>,
    pub(super) key: PublicKey,
    pub(super) valid: Span,
}

#[derive(Debug, Clone)]
pub(super) struct Authority {
    /// Each issued by the next.
    pub(super) chain: Vec<Certificate>,
    pub(super) valid: Span,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Span {
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Span {
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && self.end.is_none_or(|end| at <= end)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    tlogs: Vec<LogEntry>,
    #[serde(default)]
    certificate_authorities: Vec<AuthorityEntry>,
    #[serde(default)]
    ctlogs: Vec<LogEntry>,
    #[serde(default)]
    timestamp_authorities: Vec<AuthorityEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEntry {
    public_key: KeyEntry,
    log_id: IdEntry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyEntry {
    raw_bytes: String,
    #[serde(default)]
    valid_for: Span,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdEntry {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorityEntry {
    cert_chain: ChainEntry,
    #[serde(default)]
    valid_for: Span,
}

#[derive(Deserialize)]
struct ChainEntry {
    certificates: Vec<CertificateEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateEntry {
    raw_bytes: String,
}

impl TrustedRoot {
    /// Reads a `trusted_root.json`.
    pub fn read(text: &str) -> Result<Self, TrustedRootError> {
        let file: File = serde_json::from_str(text)?;
        let unreadable = |why: Refusal| TrustedRootError::Unreadable(why.to_string());
        Ok(Self {
            logs: each(file.tlogs, log).map_err(unreadable)?,
            certificate_logs: each(file.ctlogs, log).map_err(unreadable)?,
            authorities: each(file.certificate_authorities, authority).map_err(unreadable)?,
            timestamp_authorities: each(file.timestamp_authorities, authority)
                .map_err(unreadable)?,
        })
    }

    /// The authority's certificate that a signer's was issued with, when all is good at `at`.
    pub(super) fn issuer_of(
        &self,
        certificate: &Certificate,
        at: Timestamp,
    ) -> Result<Certificate, Refusal> {
        if !certificate.is_good(at) {
            return Err(refused(format!(
                "it was not good when it was used, at {at}"
            )));
        }
        if !certificate.is_for(Purpose::CodeSigning)? {
            return Err(refused("it is not for signing code"));
        }
        for authority in &self.authorities {
            if authority.issued(certificate, at)? {
                return Ok(authority.chain[0].clone());
            }
        }
        Err(refused("no trusted authority issued it"))
    }
}

impl Authority {
    /// Whether `certificate` hangs on its chain, and the chain is good at `at`.
    pub(super) fn issued(&self, certificate: &Certificate, at: Timestamp) -> Result<bool, Refusal> {
        let mut below = certificate;
        for above in &self.chain {
            if !above.is_good(at) || !below.is_issued_by(above)? {
                return Ok(false);
            }
            below = above;
        }
        Ok(!self.chain.is_empty() && self.valid.holds(at))
    }
}

fn each<E, T>(entries: Vec<E>, read: impl Fn(E) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
    entries.into_iter().map(read).collect()
}

fn log(entry: LogEntry) -> Result<Log, Refusal> {
    let key = dsse::decode("rawBytes", &entry.public_key.raw_bytes)?;
    Ok(Log {
        id: dsse::decode("keyId", &entry.log_id.key_id)?,
        key: PublicKey::from_der(&key).map_err(refused)?,
        valid: entry.public_key.valid_for,
    })
}

fn authority(entry: AuthorityEntry) -> Result<Authority, Refusal> {
    let certificates = entry.cert_chain.certificates.iter();
    let read = |one: &CertificateEntry| {
        let der = dsse::decode("rawBytes", &one.raw_bytes)?;
        Certificate::read(&der)
    };
    Ok(Authority {
        chain: certificates.map(read).collect::<Result<_, _>>()?,
        valid: entry.valid_for,
    })
}
