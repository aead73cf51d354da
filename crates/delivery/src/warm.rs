//! The release before the current one stays warm for a while: frozen once drained, woken when it
//! is asked for an asset or by its own URL.

use std::io;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use model::{ReleaseKey, ReleaseNumber};
use ports::traffic::{Wakefulness, Waker};

use crate::Delivery;

impl Delivery {
    /// After `serving` took the traffic: the release `before` it goes to sleep once drained, any
    /// other ends.
    pub(crate) fn retire_others(
        self: &Arc<Self>,
        serving: &ReleaseKey,
        before: Option<ReleaseNumber>,
    ) {
        for key in self.fleet.of(&serving.app) {
            if key == *serving {
                continue;
            }
            let delivery = Arc::clone(self);
            let is_before = Some(key.number) == before;
            tokio::spawn(async move {
                match is_before {
                    true => delivery.put_to_sleep(&key).await,
                    false => delivery.end_release(&key).await,
                }
            });
        }
    }

    /// Drains a release that has no traffic, then freezes it. Does nothing when it serves again.
    async fn put_to_sleep(&self, key: &ReleaseKey) {
        self.ports.traffic.drain(key, self.settings.drain_for).await;
        let room = self.apps.room(&key.app);
        let _turn = room.turn.lock().await;
        if self.serves(key).await {
            return;
        }
        let Some(instance) = self.fleet.get(key).and_then(|member| member.instance) else {
            return;
        };
        self.fleet
            .change(key, |member| member.wakefulness = Wakefulness::Asleep);
        let routed = self.reroute(&key.app).await;
        if let Err(error) = self.ports.runtime.freeze(&instance).await {
            tracing::warn!(release = %key, %error, "a release that lost its traffic could not be frozen");
        }
        if let Err(error) = routed {
            tracing::warn!(release = %key, %error, "its route could not be set");
        }
    }

    /// Ends a release that has no traffic: drains it, stops it and forgets it.
    pub(crate) async fn end_release(&self, key: &ReleaseKey) {
        self.ports.traffic.drain(key, self.settings.drain_for).await;
        let room = self.apps.room(&key.app);
        let _turn = room.turn.lock().await;
        if !self.serves(key).await {
            self.forget_release(key).await;
        }
    }

    /// The same at once, for a caller that has the app's turn.
    pub(crate) async fn forget_release(&self, key: &ReleaseKey) {
        let member = self.fleet.take(key);
        if let Err(error) = self.reroute(&key.app).await {
            tracing::warn!(release = %key, %error, "its route could not be taken away");
        }
        if let Some(id) = member.and_then(|member| member.instance) {
            self.discard(&id).await;
        }
    }

    /// Whether a release is its app's stable one.
    pub(crate) async fn serves(&self, key: &ReleaseKey) -> bool {
        let app = self.ports.ledger.app(&key.app).await;
        // When the ledger cannot say, nothing that may serve is stopped.
        app.map_or(true, |app| {
            app.is_some_and(|app| app.stable == Some(key.number) && app.destroyed_at.is_none())
        })
    }

    /// Thaws a sleeping release; it sleeps again when nothing of it is under way any more.
    async fn wake_release(self: &Arc<Self>, key: &ReleaseKey) -> io::Result<()> {
        let room = self.apps.room(&key.app);
        let _turn = room.turn.lock().await;
        let gone = || {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("{key} does not run any more"),
            )
        };
        let member = self.fleet.get(key).ok_or_else(gone)?;
        if member.wakefulness == Wakefulness::Awake {
            return Ok(());
        }
        let instance = member.instance.ok_or_else(gone)?;
        self.ports
            .runtime
            .thaw(&instance)
            .await
            .map_err(io::Error::other)?;
        self.fleet
            .change(key, |member| member.wakefulness = Wakefulness::Awake);
        self.reroute(&key.app).await.map_err(io::Error::other)?;
        let (delivery, key) = (Arc::clone(self), key.clone());
        tokio::spawn(async move { delivery.sleep_again(&key).await });
        Ok(())
    }

    async fn sleep_again(&self, key: &ReleaseKey) {
        // The request that woke it has not begun yet: give it and its followers a moment.
        tokio::time::sleep(self.settings.drain_for).await;
        self.put_to_sleep(key).await;
    }
}

/// The proxy is made before delivery is: it gets this, which finds delivery later.
#[derive(Default)]
pub struct LateWaker(OnceLock<Weak<Delivery>>);

impl LateWaker {
    /// From now on, `delivery` wakes releases.
    pub fn set(&self, delivery: &Arc<Delivery>) {
        // Set once, when the daemon is wired.
        let _ = self.0.set(Arc::downgrade(delivery));
    }
}

#[async_trait]
impl Waker for LateWaker {
    async fn wake(&self, release: &ReleaseKey) -> io::Result<()> {
        let delivery = self.0.get().and_then(Weak::upgrade);
        let delivery =
            delivery.ok_or_else(|| io::Error::other("the daemon is starting or stopping"))?;
        delivery.wake_release(release).await
    }
}
