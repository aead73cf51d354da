//! When a signing key's signatures count.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::digest::Digest;

/// A public key's identity: the SHA-256 of its SubjectPublicKeyInfo in DER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyId(Digest);

impl KeyId {
    /// Of a SubjectPublicKeyInfo in DER.
    pub fn of(spki_der: &[u8]) -> Self {
        Self(Digest::of(spki_der))
    }

    /// The hash itself.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// All its hex digits: names its file.
    pub fn hex(&self) -> String {
        self.0.hex()
    }

    /// The first twelve hex digits, for people.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// From when to when a key's signatures count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment no longer, when another key took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// From when on somebody else may have had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_from: Option<Timestamp>,
}

/// Why a key's signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum KeyRefusal {
    /// It is older than the key.
    #[error("the key signs only from {from} on, and this was signed at {at}")]
    NotYetValid {
        /// The key's first moment.
        from: Timestamp,
        /// The signature's.
        at: Timestamp,
    },
    /// Another key had taken over.
    #[error("the key signed until {until}, and nothing proves that this is older")]
    Expired {
        /// The key's last moment.
        until: Timestamp,
    },
    /// Somebody else may have made it.
    #[error("the key is revoked from {from} on, and nothing proves that this is older")]
    Revoked {
        /// From when on.
        from: Timestamp,
    },
}

impl Validity {
    /// A key that signs from `at` on.
    pub fn starting(at: Timestamp) -> Self {
        Self {
            from: at,
            until: None,
            revoked_from: None,
        }
    }

    /// Whether a signature that is known to exist at the moment `at` counts.
    ///
    /// A signature with a key says no time that can be trusted. So `at` is what a log or a
    /// timestamp authority proves, and without such proof the moment of the verification: then a
    /// key that was replaced or revoked has no say any more.
    pub fn counts(&self, at: Timestamp) -> Result<(), KeyRefusal> {
        if at < self.from {
            let from = self.from;
            return Err(KeyRefusal::NotYetValid { from, at });
        }
        if let Some(from) = self.revoked_from.filter(|from| at >= *from) {
            return Err(KeyRefusal::Revoked { from });
        }
        match self.until.filter(|until| at >= *until) {
            Some(until) => Err(KeyRefusal::Expired { until }),
            None => Ok(()),
        }
    }

    /// Replaced at `at`. A key that was replaced before stays so.
    pub fn ended(mut self, at: Timestamp) -> Self {
        self.until.get_or_insert(at);
        self
    }

    /// Revoked from `from` on. Of several revocations the earliest holds: none is taken back.
    pub fn revoked(mut self, from: Timestamp) -> Self {
        self.revoked_from = Some(self.revoked_from.map_or(from, |earlier| earlier.min(from)));
        self
    }

    /// Whether it may sign at `at`.
    pub fn may_sign(&self, at: Timestamp) -> bool {
        self.revoked_from.is_none() && self.counts(at).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn a_signature_counts_within_its_keys_interval_only() {
        let plain = Validity::starting(second(10));
        let ended = plain.clone().ended(second(20));
        let revoked = ended.clone().revoked(second(15));
        let revoked_later = ended.clone().revoked(second(25));
        let early = |at| {
            let (from, at) = (second(10), second(at));
            Err(KeyRefusal::NotYetValid { from, at })
        };
        let expired = Err(KeyRefusal::Expired { until: second(20) });
        let gone = |from| Err(KeyRefusal::Revoked { from: second(from) });
        for (validity, at, expected) in [
            (&plain, 9, early(9)),
            (&plain, 10, Ok(())),
            (&plain, 1_000_000, Ok(())),
            (&ended, 19, Ok(())),
            (&ended, 20, expired.clone()),
            (&revoked, 9, early(9)),
            (&revoked, 14, Ok(())),
            (&revoked, 15, gone(15)),
            (&revoked, 30, gone(15)),
            (&revoked_later, 19, Ok(())),
            (&revoked_later, 24, expired),
            (&revoked_later, 25, gone(25)),
        ] {
            assert_eq!(
                validity.counts(second(at)),
                expected,
                "{validity:?} at {at}"
            );
        }
    }

    #[test]
    fn the_earliest_revocation_and_the_first_end_hold() {
        let key = Validity::starting(second(0)).ended(second(5));
        assert_eq!(key.clone().ended(second(9)).until, Some(second(5)));
        let revoked = key.revoked(second(3)).revoked(second(4)).revoked(second(2));
        assert_eq!(revoked.revoked_from, Some(second(2)));
    }

    #[test]
    fn a_revoked_key_signs_nothing_not_even_before_the_moment_of_its_revocation() {
        let key = Validity::starting(second(0));
        assert!(key.may_sign(second(5)));
        assert!(!key.revoked(second(50)).may_sign(second(5)));
    }
}
