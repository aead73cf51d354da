//! An app whose kept files hold more than they may is stopped until they hold less: a file system
//! without quotas cannot refuse the write itself.

use std::sync::Arc;

use model::app::App;
use model::limits::MIB;
use model::{AppName, Failure, FailureCode, ReleaseKey};
use ports::Termination;

use crate::Delivery;
use crate::takeover::STOP_WITHIN;

impl Delivery {
    /// Measures every app's data folder, stops those that hold too much, and starts those that were
    /// stopped for it and now hold less.
    pub(crate) async fn sweep_data(self: &Arc<Self>) -> Result<(), Failure> {
        for app in self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?
        {
            if app.destroyed_at.is_none() {
                self.sweep_data_of(&app).await?;
            }
        }
        Ok(())
    }

    async fn sweep_data_of(self: &Arc<Self>, app: &App) -> Result<(), Failure> {
        let Some(release) = self.stable(&app.name).await else {
            return Ok(());
        };
        let Some(member) = self.fleet.get(&release.key) else {
            return Ok(());
        };
        let (held, limit) = (
            self.data_bytes(&app.name).await,
            release.config.limits.data_bytes,
        );
        let stopped = member.trouble.as_ref().is_some_and(is_for_data);
        match (held > limit, stopped) {
            (true, false) if member.upstream.is_some() => {
                self.stop_for_data(&release.key, too_much(&app.name, held, limit))
                    .await
            }
            (false, true) => {
                if let Some(ended) = member.instance {
                    self.restart(&release.key, &ended).await;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn stop_for_data(&self, key: &ReleaseKey, trouble: Failure) -> Result<(), Failure> {
        let room = self.apps.room(&key.app);
        let _turn = room.turn.lock().await;
        let Some(instance) = self.fleet.get(key).and_then(|member| member.instance) else {
            return Ok(());
        };
        self.fleet.change(key, |member| {
            member.upstream = None;
            member.trouble = Some(trouble);
        });
        self.reroute(&key.app).await?;
        let stopped = self
            .ports
            .runtime
            .stop(&instance, Termination::Graceful(STOP_WITHIN))
            .await;
        stopped.map_err(|error| Failure::of(&error))
    }
}

/// Whether an app was stopped for what its kept files hold.
pub(crate) fn is_for_data(trouble: &Failure) -> bool {
    trouble.code == FailureCode::DiskFull
}

fn too_much(app: &AppName, held: u64, limit: u64) -> Failure {
    let (held, limit) = (held.div_ceil(MIB), limit / MIB);
    let text = format!("the kept files of `{app}` hold {held} MiB, and may hold {limit} MiB");
    Failure::new(FailureCode::DiskFull, text).hint(format!(
        "set `data = \"{} MiB\"` under [run] in mayfly.toml, then run `mayfly up`",
        held * 2
    ))
}
