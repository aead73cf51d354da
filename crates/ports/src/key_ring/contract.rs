//! What every key ring does. `key_ring_contract!` makes a test of each sentence.

use jiff::SignedDuration;
use model::Timestamp;
use model::signing_key::{KeyId, KeyRefusal};

use super::{Key, KeyRing, KeyRingError};

/// Makes a test of each sentence of the key ring's contract.
///
/// `$make` is an async function without arguments; it returns a new key ring with one key, made
/// now, and whatever must live as long.
#[macro_export]
macro_rules! key_ring_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::key_ring::contract,
            a_new_ring_has_one_key_that_signs
            a_replaced_key_counts_within_its_interval_only
            a_revoked_key_gives_way_at_once
            revoking_twice_has_the_effect_of_once_and_the_earlier_moment_holds
            an_old_key_is_revoked_without_a_new_one
            a_key_that_is_not_there_is_told
            a_clock_that_runs_backwards_makes_no_key
            the_export_has_every_key_and_a_command_for_each_version
        }
    };
}

fn later(hours: i64) -> Timestamp {
    Timestamp::now() + SignedDuration::from_hours(hours)
}

async fn current(ring: &dyn KeyRing) -> Key {
    ring.keys().await.pop().expect("a key")
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn a_new_ring_has_one_key_that_signs(ring: &dyn KeyRing) {
        let keys = ring.keys().await;
        assert_eq!(keys.len(), 1);
        assert!(keys[0].validity.may_sign(later(1)));
        assert!(
            keys[0]
                .public_pem
                .starts_with("-----BEGIN PUBLIC KEY-----\n")
        );
    }

    pub async fn a_replaced_key_counts_within_its_interval_only(ring: &dyn KeyRing) {
        let old = current(ring).await;
        let new = ring.rotate(later(1)).await.expect("a new key");
        assert_ne!(new.id, old.id);
        let keys = ring.keys().await;
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[1], new);
        let until = new.validity.from;
        assert_eq!(
            keys[0].validity.counts(until),
            Err(KeyRefusal::Expired { until })
        );
        assert_eq!(keys[0].validity.counts(Timestamp::now()), Ok(()));
    }

    pub async fn a_revoked_key_gives_way_at_once(ring: &dyn KeyRing) {
        let old = current(ring).await;
        let new = ring
            .revoke(old.id, later(-2), later(1))
            .await
            .expect("revoked");
        assert_ne!(new.id, old.id);
        let keys = ring.keys().await;
        assert!(keys[0].validity.counts(Timestamp::now()).is_err());
        assert_eq!(keys[1].id, new.id);
        assert!(keys[1].validity.may_sign(later(2)));
    }

    pub async fn revoking_twice_has_the_effect_of_once_and_the_earlier_moment_holds(
        ring: &dyn KeyRing,
    ) {
        let old = current(ring).await.id;
        let first = ring.revoke(old, later(5), later(1)).await.expect("revoked");
        let earlier = later(3);
        for from in [earlier, later(9)] {
            let now = ring.revoke(old, from, later(2)).await.expect("revoked");
            assert_eq!(now.id, first.id);
        }
        let keys = ring.keys().await;
        assert_eq!(keys.len(), 2);
        assert_eq!(keys[0].validity.revoked_from, Some(earlier));
    }

    pub async fn an_old_key_is_revoked_without_a_new_one(ring: &dyn KeyRing) {
        let old = current(ring).await.id;
        let new = ring.rotate(later(1)).await.expect("a new key").id;
        let now = ring
            .revoke(old, later(-1), later(2))
            .await
            .expect("revoked");
        assert_eq!(now.id, new);
        assert_eq!(ring.keys().await.len(), 2);
    }

    pub async fn a_key_that_is_not_there_is_told(ring: &dyn KeyRing) {
        let none = ring.revoke(KeyId::of(b"none"), later(0), later(0)).await;
        assert!(matches!(none, Err(KeyRingError::Missing(_))), "{none:?}");
    }

    pub async fn a_clock_that_runs_backwards_makes_no_key(ring: &dyn KeyRing) {
        let none = ring.rotate(later(-24)).await;
        assert!(
            matches!(none, Err(KeyRingError::ClockBehind { .. })),
            "{none:?}"
        );
        assert_eq!(ring.keys().await.len(), 1);
    }

    pub async fn the_export_has_every_key_and_a_command_for_each_version(ring: &dyn KeyRing) {
        ring.rotate(later(1)).await.expect("a new key");
        let export = ring.export("127.0.0.1:7100/shop@sha256:00").await;
        for key in ring.keys().await {
            let has = |(_, content): &(String, String)| *content == key.public_pem;
            assert!(export.files.iter().any(has), "{:?}", export.files);
        }
        assert!(export.commands.len() >= 4);
        for (_, command) in &export.commands {
            assert!(command.starts_with("cosign verify"), "{command}");
            assert!(
                command.ends_with("127.0.0.1:7100/shop@sha256:00"),
                "{command}"
            );
        }
    }
}

pub use sentences::*;
