//! What time asks for: compare what should be with what is, and mend it.

pub mod cache;
pub mod data;
pub mod lifetime;
pub mod removal;
pub mod warm;

use std::sync::Arc;
use std::time::Duration;

use model::Failure;

use crate::Delivery;

/// How often the sweeps run.
const EVERY: Duration = Duration::from_secs(20);

impl Delivery {
    /// Runs every sweep, over and over.
    pub async fn sweep_for_ever(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.sweep().await;
        }
    }

    /// Runs every sweep once. One that fails does not keep the others from running.
    pub async fn sweep(self: &Arc<Self>) {
        log("apps whose time is up", self.sweep_lifetime().await);
        log("warm releases", self.sweep_warm().await);
        log("destroyed apps", self.sweep_removal().await);
        log("kept files", self.sweep_data().await);
        log("cache", self.sweep_cache().await);
    }
}

fn log(what: &str, swept: Result<(), Failure>) {
    if let Err(failure) = swept {
        tracing::warn!(what, %failure, "a sweep failed; it runs again soon");
    }
}
