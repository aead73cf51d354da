//! Signatures of an identity instead of a key: a certificate that was good for minutes, and proof
//! that it was used within them.

mod certificate;
mod public_log;
mod sct;
mod services;
mod timestamp;
mod trusted_root;

use model::Timestamp;
use model::attestation::SignedBy;
use model::verification::Refusal;

pub use certificate::Identity;
pub(crate) use services::Asked;
pub use services::{Services, SigningConfigError};
pub use trusted_root::{TrustedRoot, TrustedRootError};

use self::certificate::Certificate;
use crate::bundle::{Bundle, Material};
use crate::dsse::{self, Opened};

/// Whose identities to believe, and by whose word.
#[derive(Debug, Clone)]
pub struct Keyless {
    /// Certificate authorities, logs and timestamp authorities.
    pub root: TrustedRoot,
    /// Who may have signed; nobody else.
    pub identities: Vec<Identity>,
}

/// Who signed a bundle, and until when at the latest.
pub(crate) struct Proven {
    pub(crate) by: SignedBy,
    pub(crate) at: Timestamp,
}

impl Keyless {
    /// Whether one of the identities signed a bundle's envelope, while its certificate was good.
    pub(crate) fn verified(&self, bundle: &Bundle, opened: &Opened) -> Result<Proven, Refusal> {
        let material = &bundle.verification_material;
        let certificate = Certificate::read(&certificate_of(material)?)?;
        let signature = match &opened.signatures[..] {
            [one] => one,
            _ => return Err(Refusal::Malformed("it has more than one signature".into())),
        };
        if !certificate.key()?.signed(&opened.message, signature) {
            return Err(Refusal::BadSignature);
        }
        let mut times = timestamp::all(&self.root, material, signature)?;
        times.extend(public_log::all(
            &self.root,
            material,
            opened,
            signature,
            &certificate,
        )?);
        let at = times.iter().min().copied().ok_or(Refusal::NoTime)?;
        for time in times {
            let issuer = self.root.issuer_of(&certificate, time)?;
            sct::check(&self.root, &certificate, &issuer)?;
        }
        let by = certificate.identity()?;
        match self.identities.contains(&by) {
            true => Ok(Proven { by: by.into(), at }),
            false => Err(Refusal::WrongIdentity {
                found: SignedBy::from(by).to_string(),
            }),
        }
    }
}

fn certificate_of(material: &Material) -> Result<Vec<u8>, Refusal> {
    let chain = material.x509_certificate_chain.as_ref();
    let first = || chain.and_then(|chain| chain.certificates.first());
    match material.certificate.as_ref().or_else(first) {
        Some(certificate) => dsse::decode("certificate", &certificate.raw_bytes),
        None => Err(Refusal::Malformed(
            "it names neither key nor certificate".into(),
        )),
    }
}

#[cfg(test)]
mod tests;
