//! Checks that a clear-signed message comes from someone whose key the machine trusts.
//!
//! Source: RFC 9580, 7 (Cleartext Signature Framework) and 10.1 (Transferable Public Keys).

use std::fs;

use model::Timestamp;
use pgp::composed::{CleartextSignedMessage, Deserializable, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::KeyDetails;

use super::sources::Keyring as KeyringSource;

/// Keys that a mirror's index may be signed with.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    keys: Vec<SignedPublicKey>,
}

/// Why a message is not believed.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// It has not the form of a clear-signed message.
    #[error("it is not a signed message")]
    NotSigned(#[source] Box<pgp::errors::Error>),
    /// No signature on it is good and of a key that counts.
    #[error("none of its signatures is by a key that this machine trusts")]
    NoGoodSignature,
}

impl Keyring {
    /// Reads every keyring that can be read; `None` when no key is found.
    pub(super) fn read(sources: &[KeyringSource]) -> Option<Self> {
        let mut keys = Vec::new();
        for source in sources {
            let bytes = match source {
                KeyringSource::File(file) => fs::read(file).unwrap_or_default(),
                KeyringSource::Inline(text) => text.clone().into_bytes(),
            };
            keys.extend(keys_in(&bytes));
        }
        (!keys.is_empty()).then_some(Self { keys })
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The text of a clear-signed message, when any of its signatures is good: made by a key of
    /// this ring, or a signing subkey of one, that was neither revoked nor had expired by `now`.
    pub(super) fn signed_text(
        &self,
        message: &[u8],
        now: Timestamp,
    ) -> Result<String, SignatureError> {
        let (message, _) = CleartextSignedMessage::from_armor(message)
            .map_err(|cause| SignatureError::NotSigned(Box::new(cause)))?;
        let text = message.signed_text();
        let good = |signature: &Signature| {
            is_strong(signature)
                && self
                    .keys
                    .iter()
                    .any(|key| is_by(key, signature, text.as_bytes(), now))
        };
        match message.signatures().iter().any(good) {
            true => Ok(text),
            false => Err(SignatureError::NoGoodSignature),
        }
    }
}

/// Whether `key`, or a signing subkey of it, made the signature and counts at `now`.
fn is_by(key: &SignedPublicKey, signature: &Signature, text: &[u8], now: Timestamp) -> bool {
    let primary = &key.primary_key;
    let by_primary = named(signature, primary) && signature.verify(primary, text).is_ok();
    let mut subkeys = key.public_subkeys.iter();
    let by_subkey = |subkey: &SignedPublicSubKey| {
        named(signature, &subkey.key)
            && signature.verify(&subkey.key, text).is_ok()
            && subkey_counts(key, subkey, now)
    };
    (by_primary || subkeys.any(by_subkey)) && primary_counts(key, now)
}

/// Whether the signature says that it is by this key, or does not say whose it is.
fn named(signature: &Signature, key: &impl KeyDetails) -> bool {
    let issuers = signature.issuer_key_id();
    issuers.is_empty() || issuers.contains(&&key.legacy_key_id())
}

fn keys_in(bytes: &[u8]) -> Vec<SignedPublicKey> {
    match SignedPublicKey::from_reader_many(bytes) {
        Ok((keys, _)) => keys.filter_map(Result::ok).collect(),
        Err(_) => Vec::new(),
    }
}

/// Only SHA-2 and SHA-3: MD5 and SHA-1 can be made to collide.
fn is_strong(signature: &Signature) -> bool {
    matches!(
        signature.hash_alg(),
        Some(
            HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    )
}

fn primary_counts(key: &SignedPublicKey, now: Timestamp) -> bool {
    let primary = &key.primary_key;
    let revoked = key.details.revocation_signatures.iter();
    if revoked
        .into_iter()
        .any(|signature| signature.verify_key(primary).is_ok())
    {
        return false;
    }
    let users = key.details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(|signature| {
            let tag = pgp::types::Tag::UserId;
            signature
                .verify_certification(primary, tag, &user.id)
                .is_ok()
        })
    });
    let direct = key.details.direct_signatures.iter();
    let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
    match users
        .chain(direct)
        .max_by_key(|signature| created(signature))
    {
        Some(newest) => !has_expired(primary, newest, now),
        None => false,
    }
}

fn subkey_counts(key: &SignedPublicKey, subkey: &SignedPublicSubKey, now: Timestamp) -> bool {
    let good = |signature: &&Signature| {
        signature
            .verify_subkey_binding(&key.primary_key, &subkey.key)
            .is_ok()
    };
    let of_kind = |kind| {
        let signatures = subkey.signatures.iter();
        signatures
            .filter(move |signature| signature.typ() == Some(kind))
            .filter(good)
    };
    if of_kind(SignatureType::SubkeyRevocation).next().is_some() {
        return false;
    }
    let newest = of_kind(SignatureType::SubkeyBinding).max_by_key(|signature| created(signature));
    newest.is_some_and(|binding| {
        let signs_back = binding.embedded_signature().is_some_and(|back| {
            back.verify_primary_key_binding(&subkey.key, &key.primary_key)
                .is_ok()
        });
        binding.key_flags().sign() && signs_back && !has_expired(&subkey.key, binding, now)
    })
}

fn created(signature: &Signature) -> u32 {
    signature.created().map_or(0, |created| created.as_secs())
}

fn has_expired(key: &impl KeyDetails, binding: &Signature, now: Timestamp) -> bool {
    let lifetime = binding
        .key_expiration_time()
        .map_or(0, |lifetime| lifetime.as_secs());
    let end = i64::from(key.created_at().as_secs()) + i64::from(lifetime);
    lifetime != 0 && end <= now.as_second()
}
