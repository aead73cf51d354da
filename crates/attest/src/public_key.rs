//! Public keys of the kinds that signatures, certificates and logs use.

use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use ed25519_dalek::pkcs8::DecodePublicKey;
use model::signing_key::KeyId;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use x509_cert::spki::SubjectPublicKeyInfoRef;

/// Why a text is no key.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// It cannot be read.
    #[error("it is no public key in PEM or DER")]
    Malformed,
    /// Nothing here verifies with it.
    #[error("the key's algorithm {0} is not known; P-256, P-384 and Ed25519 are")]
    Unknown(String),
}

/// How a text is hashed before an ECDSA signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

#[derive(Debug, Clone)]
enum Kind {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// A key that signatures are verified with.
#[derive(Debug, Clone)]
pub struct PublicKey {
    kind: Kind,
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7).
    pub fn from_der(spki: &[u8]) -> Result<Self, PublicKeyError> {
        let malformed = |_| PublicKeyError::Malformed;
        let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(malformed)?;
        let curve = info.algorithm.parameters_oid().ok();
        let kind = match (info.algorithm.oid, curve) {
            (EC, Some(P256)) => p256::ecdsa::VerifyingKey::from_public_key_der(spki)
                .map(Kind::P256)
                .map_err(|_| PublicKeyError::Malformed)?,
            (EC, Some(P384)) => p384::ecdsa::VerifyingKey::from_public_key_der(spki)
                .map(Kind::P384)
                .map_err(|_| PublicKeyError::Malformed)?,
            (ED25519, None) => ed25519_dalek::VerifyingKey::from_public_key_der(spki)
                .map(Kind::Ed25519)
                .map_err(|_| PublicKeyError::Malformed)?,
            (other, _) => return Err(PublicKeyError::Unknown(other.to_string())),
        };
        let spki = info.to_der().map_err(malformed)?;
        Ok(Self { kind, spki })
    }

    /// Reads a `PUBLIC KEY` in PEM, with any line ends.
    pub fn from_pem(pem: &str) -> Result<Self, PublicKeyError> {
        let read = der::Document::from_pem(pem.trim());
        let (label, document) = read.map_err(|_| PublicKeyError::Malformed)?;
        match label {
            "PUBLIC KEY" => Self::from_der(document.as_bytes()),
            _ => Err(PublicKeyError::Malformed),
        }
    }

    /// Its identity.
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.spki)
    }

    /// The SubjectPublicKeyInfo in DER.
    pub fn der(&self) -> &[u8] {
        &self.spki
    }

    /// Whether it made `signature` over `message`, with the hash that goes with its kind.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let hash = match self.kind {
            Kind::P384(_) => Hash::Sha384,
            Kind::P256(_) | Kind::Ed25519(_) => Hash::Sha256,
        };
        self.signed_with(hash, message, signature)
    }

    /// Whether it made `signature` over `message` hashed by `hash`; Ed25519 has a hash of its own.
    pub(crate) fn signed_with(&self, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
        match &self.kind {
            Kind::P256(key) => p256::ecdsa::DerSignature::try_from(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash.of(message), &signature).is_ok()),
            Kind::P384(key) => p384::ecdsa::DerSignature::try_from(signature)
                .is_ok_and(|signature| key.verify_prehash(&hash.of(message), &signature).is_ok()),
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
