//! Takes an app down, and brings it back while that is possible.

use std::sync::Arc;
use std::time::Instant;

use api::types::Destroyed;
use model::app::Owner;
use model::instance::InstanceId;
use model::progress::{Progress, RunResult};
use model::{AppName, Failure, FailureCode, ReleaseKey, Stage};
use ports::{Change, RuntimeError, Termination};
use tokio::sync::mpsc::UnboundedSender;

use crate::Delivery;
use crate::report::Report;
use crate::takeover::STOP_WITHIN;

impl Delivery {
    /// Ends an app. Its releases and its data stay until they cannot be restored any more.
    pub async fn destroy(&self, name: &AppName, owner: Owner) -> Result<Destroyed, Failure> {
        let app = self.own_app(name, owner).await?;
        let at = app.destroyed_at.unwrap_or_else(|| self.ports.clock.now());
        let _newest = self.apps.begin(name);
        let room = self.apps.room(name);
        let _turn = room.turn.lock().await;
        if app.destroyed_at.is_none() {
            self.record(vec![Change::AppDestroyed {
                app: name.clone(),
                at,
            }])
            .await?;
        }
        self.ports.traffic.remove(name).await;
        let freed_bytes = self.end_instances(name).await?;
        let restorable_until =
            at + jiff::SignedDuration::try_from(self.settings.restorable_for).unwrap_or_default();
        Ok(Destroyed {
            app: name.clone(),
            restorable_until,
            freed_bytes,
        })
    }

    /// Ends every instance of an app and keeps what its stable one wrote. Returns the bytes that
    /// their folders held.
    async fn end_instances(&self, name: &AppName) -> Result<u64, Failure> {
        let stable = self
            .ports
            .ledger
            .app(name)
            .await
            .ok()
            .flatten()
            .and_then(|app| app.stable);
        for key in self.fleet.of(name) {
            self.fleet.take(&key);
        }
        let instances = self
            .ports
            .runtime
            .list()
            .await
            .map_err(|error| Failure::of(&error))?;
        let mut freed_bytes = 0;
        for id in instances.into_iter().filter(|id| id.release.app == *name) {
            let ended = match Some(id.release.number) == stable {
                true => self.end_stable(&id).await,
                false => self.end_instance(&id).await,
            };
            match ended {
                // An earlier release whose time was up went by itself meanwhile.
                Err(RuntimeError::Missing(_)) => {}
                ended => freed_bytes += ended.map_err(|error| Failure::of(&error))?,
            }
        }
        Ok(freed_bytes)
    }

    /// Ends the instance that serves, and keeps what it wrote; returns the bytes that its folder
    /// held.
    async fn end_stable(&self, id: &InstanceId) -> Result<u64, RuntimeError> {
        let graceful = Termination::Graceful(STOP_WITHIN);
        self.ports.runtime.stop(id, graceful).await?;
        // Only an ended instance's files hold still.
        self.keep_written(id).await;
        self.end_instance(id).await
    }

    /// Ends one instance; returns the bytes that its folder held.
    async fn end_instance(&self, id: &InstanceId) -> Result<u64, RuntimeError> {
        let runtime = &self.ports.runtime;
        runtime.stop(id, Termination::Graceful(STOP_WITHIN)).await?;
        let held = runtime.size_bytes(id).await?;
        runtime.remove(id).await?;
        Ok(held)
    }

    /// Brings a destroyed app back as it was.
    pub async fn restore(
        self: &Arc<Self>,
        name: &AppName,
        owner: Owner,
        listener: UnboundedSender<Progress>,
    ) -> Result<RunResult, Failure> {
        let begun = Instant::now();
        let app = self.own_app(name, owner).await?;
        let stable = app
            .stable
            .filter(|_| app.destroyed_at.is_some())
            .ok_or_else(|| nothing_to_restore(name))?;
        let key = ReleaseKey {
            app: name.clone(),
            number: stable,
        };
        let release = self
            .ports
            .ledger
            .release(&key)
            .await
            .map_err(|error| Failure::of(&error))?;
        let release = release.ok_or_else(|| crate::takeover::image_gone(&key))?;
        self.require_verified(&release).await?;
        let now = self.ports.clock.now();
        if release.expires_at.is_some_and(|end| end <= now) {
            return Err(time_is_up(name));
        }
        let report = Report::new(listener);
        let room = self.apps.room(name);
        let _turn = room.turn.lock().await;
        let stage = report.stage(Stage::Rollout);
        self.record(vec![Change::AppRestored { app: name.clone() }])
            .await?;
        let member = stage
            .step(
                "start it and wait until it is ready",
                self.start_stable(&key),
            )
            .await;
        let member = member.map_err(|failure| failure.in_stage(Stage::Rollout))?;
        self.promote(&release, member).await?;
        stage.done(false);
        let result = self.result_without_run(&app, &release, &report, begun);
        report.tell(Progress::Result(Box::new(result.clone())));
        Ok(result)
    }

    /// Ends every app's instances, as the daemon stops with its apps. The ledger stays as it is:
    /// the next daemon starts them again.
    pub async fn stop_all(&self) -> Result<(), Failure> {
        let apps = self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?;
        let names = apps.into_iter().map(|app| app.name);
        let ends = names.map(|name| async move {
            self.ports.traffic.remove(&name).await;
            self.end_instances(&name).await.map(drop)
        });
        let ended: Vec<Result<(), Failure>> = futures_util::future::join_all(ends).await;
        ended.into_iter().collect()
    }
}

fn time_is_up(name: &AppName) -> Failure {
    Failure::new(FailureCode::Usage, format!("the time of `{name}` is up"))
        .hint("bring it up with a new end: `mayfly up --ttl 30d` in its folder")
}

fn nothing_to_restore(name: &AppName) -> Failure {
    Failure::new(
        FailureCode::NotFound,
        format!("`{name}` is not destroyed, or never served"),
    )
    .hint("run `mayfly list` to see the apps there are")
}
