//! Destroyed apps that cannot be restored any more go for good, with their data.

use std::io;
use std::time::Duration;

use model::app::App;
use model::{Failure, FailureCode};
use ports::Change;

use crate::Delivery;

impl Delivery {
    /// Removes what was destroyed longer ago than it can be restored.
    pub(crate) async fn sweep_removal(&self) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        for app in self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?
        {
            let Some(at) = app.destroyed_at else {
                continue;
            };
            let gone_for = Duration::try_from(now.duration_since(at)).unwrap_or_default();
            if gone_for >= self.settings.restorable_for {
                self.remove_app(&app).await?;
            }
        }
        Ok(())
    }

    async fn remove_app(&self, app: &App) -> Result<(), Failure> {
        let folder = self.data_folder(&app.name);
        match tokio::fs::remove_dir_all(&folder).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let text = format!("the data of `{}` cannot be removed", app.name);
                return Err(Failure::new(FailureCode::Internal, text).because(error.to_string()));
            }
            _ => {}
        }
        let registry = &self.ports.registry;
        registry.remove(&app.name, "its app was removed").await?;
        self.record(vec![Change::AppRemoved {
            app: app.name.clone(),
        }])
        .await
    }
}
