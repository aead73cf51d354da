//! Lets an app's requests wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use tokio::sync::Notify;

/// An app's state that outlives its routes.
pub(crate) struct Gatehouse {
    /// Raised by each new route, so that a worker sees that the one it read is old.
    pub(crate) generation: AtomicU64,
    held: AtomicUsize,
    resumed: Notify,
}

impl Gatehouse {
    /// An app that nobody holds.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            generation: AtomicU64::new(0),
            held: AtomicUsize::new(0),
            resumed: Notify::new(),
        })
    }

    /// Whether new requests wait.
    pub(crate) fn is_held(&self) -> bool {
        self.held.load(SeqCst) > 0
    }

    /// Lets new requests wait until the guard is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> HoldGuard {
        self.held.fetch_add(1, SeqCst);
        HoldGuard(Arc::clone(self))
    }

    /// Waits until nobody holds the app.
    pub(crate) async fn resumed(&self) {
        loop {
            let resumed = self.resumed.notified();
            tokio::pin!(resumed);
            resumed.as_mut().enable();
            if !self.is_held() {
                return;
            }
            resumed.await;
        }
    }
}

/// While it lives, requests of its app wait.
pub(crate) struct HoldGuard(Arc<Gatehouse>);

impl ports::traffic::Hold for HoldGuard {}

impl Drop for HoldGuard {
    fn drop(&mut self) {
        if self.0.held.fetch_sub(1, SeqCst) == 1 {
            self.0.resumed.notify_waiters();
        }
    }
}
