//! Apps whose time is up are destroyed; they can be restored for a while, by bringing them up.

use model::{AppName, Failure};

use crate::Delivery;
use crate::apps::ROOT;

impl Delivery {
    /// Destroys every app whose serving release has outlived its end.
    pub(crate) async fn sweep_lifetime(&self) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        let apps = self.ports.ledger.apps().await;
        for app in apps.map_err(|error| Failure::of(&error))? {
            if app.destroyed_at.is_some() {
                continue;
            }
            let stable = self.stable(&app.name).await;
            let end = stable.and_then(|release| release.expires_at);
            if end.is_some_and(|end| end <= now) {
                self.end_of_life(&app.name).await?;
            }
        }
        Ok(())
    }

    async fn end_of_life(&self, app: &AppName) -> Result<(), Failure> {
        tracing::info!(%app, "its time is up");
        let root = model::app::Owner { uid: ROOT };
        self.destroy(app, root).await.map(drop)
    }
}
