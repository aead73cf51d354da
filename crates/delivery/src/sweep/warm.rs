//! Releases that were kept warm long enough end.

use std::time::Duration;

use model::app::App;
use model::rollout::Phase;
use model::{Failure, ReleaseKey};

use crate::Delivery;

impl Delivery {
    /// Ends every release whose successor has served for the warm time.
    pub(crate) async fn sweep_warm(&self) -> Result<(), Failure> {
        for app in self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?
        {
            if self.served_long_enough(&app).await? {
                for key in self.fleet.of(&app.name) {
                    if Some(key.number) != app.stable {
                        self.end_release(&key).await;
                    }
                }
            }
        }
        Ok(())
    }

    async fn served_long_enough(&self, app: &App) -> Result<bool, Failure> {
        let Some(number) = app.stable else {
            return Ok(false);
        };
        let key = ReleaseKey {
            app: app.name.clone(),
            number,
        };
        let release = self
            .ports
            .ledger
            .release(&key)
            .await
            .map_err(|error| Failure::of(&error))?;
        let Some(Phase::Promoted { at }) = release.map(|release| release.phase) else {
            return Ok(false);
        };
        let served =
            Duration::try_from(self.ports.clock.now().duration_since(at)).unwrap_or_default();
        Ok(served >= self.settings.warm_for)
    }
}
