//! Lets only one of several equal pieces of work go on at a time; the others then find its result.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use model::Digest;
use tokio::sync::OwnedMutexGuard;

/// Work that is under way, by the digest of its inputs.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    under_way: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

/// The right to do a piece of work; the next in line gets it when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held for its drop")] OwnedMutexGuard<()>);

impl Flights {
    /// Waits until nobody else does the work with inputs of digest `key`. Look for its result
    /// first, then do it.
    pub(crate) async fn turn(&self, key: Digest) -> Turn {
        let lock = {
            let mut under_way = self
                .under_way
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            under_way.retain(|_, lock| lock.strong_count() > 0);
            match under_way.get(&key).and_then(Weak::upgrade) {
                Some(lock) => lock,
                None => {
                    let lock = Arc::default();
                    under_way.insert(key, Arc::downgrade(&lock));
                    lock
                }
            }
        };
        Turn(lock.lock_owned().await)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn equal_work_waits_and_other_work_does_not() {
        let flights = Arc::new(Flights::default());
        let first = flights.turn(Digest::of(b"a")).await;
        let _other = flights.turn(Digest::of(b"b")).await;
        let passed = Arc::new(AtomicUsize::new(0));
        let second = tokio::spawn({
            let (flights, passed) = (flights.clone(), passed.clone());
            async move {
                let _turn = flights.turn(Digest::of(b"a")).await;
                passed.fetch_add(1, Ordering::SeqCst);
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(passed.load(Ordering::SeqCst), 0);
        drop(first);
        second.await.expect("the second goes on");
        assert_eq!(passed.load(Ordering::SeqCst), 1);
    }
}
