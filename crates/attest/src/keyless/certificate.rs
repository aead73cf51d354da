//! X.509 certificates, as far as signatures need them.
//!
//! Source: RFC 5280; sigstore/fulcio, docs/oid-info.md, for the issuer's extension.

use der::asn1::{ObjectIdentifier, Utf8StringRef};
use der::{Decode, Encode};
use model::Timestamp;
use model::attestation::SignedBy;
use model::verification::Refusal;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use crate::public_key::{Hash, PublicKey};

/// Somebody whom an issuer vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// An address or a URI.
    pub subject: String,
    /// The issuer's URL.
    pub issuer: String,
}

impl From<Identity> for SignedBy {
    fn from(identity: Identity) -> Self {
        let Identity { subject, issuer } = identity;
        Self::Identity { subject, issuer }
    }
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    CodeSigning,
    Timestamping,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) parsed: x509_cert::Certificate,
    pub(super) der: Vec<u8>,
}

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const TIMESTAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
const ISSUER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.8");
const ISSUER_OF_OLD: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.1");

pub(super) fn refused(why: impl ToString) -> Refusal {
    Refusal::Certificate(why.to_string())
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Result<Self, Refusal> {
        let parsed = x509_cert::Certificate::from_der(der).map_err(refused)?;
        let der = der.to_owned();
        Ok(Self { parsed, der })
    }

    pub(super) fn key(&self) -> Result<PublicKey, Refusal> {
        let info = &self.parsed.tbs_certificate.subject_public_key_info;
        PublicKey::from_der(&info.to_der().map_err(refused)?).map_err(refused)
    }

    /// Whether it is good at `at`.
    pub(super) fn is_good(&self, at: Timestamp) -> bool {
        let validity = &self.parsed.tbs_certificate.validity;
        let seconds = |time: &x509_cert::time::Time| time.to_unix_duration().as_secs();
        let at = u64::try_from(at.as_second()).unwrap_or(0);
        (seconds(&validity.not_before)..=seconds(&validity.not_after)).contains(&at)
    }

    /// Whether `issuer` signed it, and may.
    pub(super) fn is_issued_by(&self, issuer: &Self) -> Result<bool, Refusal> {
        let (own, above) = (&self.parsed.tbs_certificate, &issuer.parsed.tbs_certificate);
        if own.issuer != above.subject || !issuer.is_authority()? {
            return Ok(false);
        }
        let hash = hash_of(&self.parsed.signature_algorithm.oid)?;
        let message = own.to_der().map_err(refused)?;
        let signature = self.parsed.signature.as_bytes().unwrap_or_default();
        let key = issuer.key()?;
        Ok(self.parsed.signature_algorithm == own.signature
            && key.signed_with(hash, &message, signature))
    }

    fn is_authority(&self) -> Result<bool, Refusal> {
        let tbs = &self.parsed.tbs_certificate;
        let basic: Option<(bool, BasicConstraints)> = tbs.get().map_err(refused)?;
        let usage: Option<(bool, KeyUsage)> = tbs.get().map_err(refused)?;
        let may_sign = usage.is_none_or(|(_, usage)| usage.key_cert_sign());
        Ok(basic.is_some_and(|(_, basic)| basic.ca) && may_sign)
    }

    pub(super) fn is_for(&self, purpose: Purpose) -> Result<bool, Refusal> {
        let usage: Option<(bool, ExtendedKeyUsage)> =
            self.parsed.tbs_certificate.get().map_err(refused)?;
        let wanted = match purpose {
            Purpose::CodeSigning => CODE_SIGNING,
            Purpose::Timestamping => TIMESTAMPING,
        };
        Ok(usage.is_some_and(|(_, usage)| usage.0.contains(&wanted)))
    }

    /// Whom it vouches for.
    pub(super) fn identity(&self) -> Result<Identity, Refusal> {
        let tbs = &self.parsed.tbs_certificate;
        let names: Option<(bool, SubjectAltName)> = tbs.get().map_err(refused)?;
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        let subject = match &names[..] {
            [GeneralName::Rfc822Name(address)] => address.to_string(),
            [GeneralName::UniformResourceIdentifier(uri)] => uri.to_string(),
            _ => return Err(refused("it names nobody by address or URI")),
        };
        let issuer = self.issuer_url()?;
        Ok(Identity { subject, issuer })
    }

    fn issuer_url(&self) -> Result<String, Refusal> {
        if let Some(value) = self.extension(ISSUER) {
            let text = Utf8StringRef::from_der(value).map_err(refused)?;
            return Ok(text.to_string());
        }
        let value = self.extension(ISSUER_OF_OLD);
        let value = value.ok_or_else(|| refused("it names no issuer"))?;
        String::from_utf8(value.to_vec()).map_err(refused)
    }

    pub(super) fn extension(&self, id: ObjectIdentifier) -> Option<&[u8]> {
        let extensions = self.parsed.tbs_certificate.extensions.iter().flatten();
        let mut found = extensions.filter(|extension| extension.extn_id == id);
        found
            .next()
            .map(|extension| extension.extn_value.as_bytes())
    }
}

/// The hash of a signature algorithm (RFC 5758, section 3.2; RFC 8410).
pub(super) fn hash_of(algorithm: &ObjectIdentifier) -> Result<Hash, Refusal> {
    match algorithm.to_string().as_str() {
        "1.2.840.10045.4.3.2" | "2.16.840.1.101.3.4.2.1" => Ok(Hash::Sha256),
        "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => Ok(Hash::Sha384),
        "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => Ok(Hash::Sha512),
        // It has a hash of its own.
        "1.3.101.112" => Ok(Hash::Sha512),
        other => Err(refused(format!(
            "the signature algorithm {other} is not known"
        ))),
    }
}
