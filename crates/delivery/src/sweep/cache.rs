//! The cache of layers and tools stays within its limit, and blobs that nothing holds go.

use std::collections::HashSet;
use std::time::Duration;

use model::{Digest, Failure};

use crate::Delivery;

/// How old a blob must be before it goes, so that an upload in progress loses nothing.
const GRACE: Duration = Duration::from_secs(3600);

impl Delivery {
    /// Evicts layers that no running release needs until the cache fits, then removes blobs that
    /// no record holds.
    pub(crate) async fn sweep_cache(&self) -> Result<(), Failure> {
        let in_use = self.layers_in_use().await?;
        let freed = self
            .ports
            .builder
            .evict(self.settings.cache_bytes, &in_use)
            .await?;
        if freed > 0 {
            tracing::info!(freed_bytes = freed, "cached layers were evicted");
        }
        self.remove_unheld_blobs().await
    }

    async fn layers_in_use(&self) -> Result<Vec<Digest>, Failure> {
        let mut layers = Vec::new();
        for app in self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?
        {
            let running = self.fleet.of(&app.name);
            for release in self
                .ports
                .ledger
                .releases(&app.name)
                .await
                .map_err(|error| Failure::of(&error))?
            {
                if running.contains(&release.key) {
                    layers.extend(release.image.layers.iter().map(|layer| layer.diff_id));
                }
            }
        }
        Ok(layers)
    }

    async fn remove_unheld_blobs(&self) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        let blobs = self.ports.blobs.list().await;
        let mut old = blobs.map_err(|error| Failure::of(&error))?;
        old.retain(|blob| {
            let age = Duration::try_from(now.duration_since(blob.modified_at));
            age.unwrap_or_default() > GRACE
        });
        // What holds them is read after they are: a hold that was made meanwhile counts.
        let held = self.ports.ledger.held_blobs().await;
        let held: HashSet<Digest> = held
            .map_err(|error| Failure::of(&error))?
            .into_iter()
            .collect();
        for blob in old {
            if !held.contains(&blob.digest) {
                tracing::info!(digest = %blob.digest, rule = "nothing holds it", "a blob was removed");
                self.ports
                    .blobs
                    .remove(&blob.digest)
                    .await
                    .map_err(|error| Failure::of(&error))?;
            }
        }
        Ok(())
    }
}
