//! Moves traffic from one release to the next without a failed request, and the files that the
//! first one wrote and that are kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::advice;
use model::app::App;
use model::instance::{InstanceId, InstanceState};
use model::release::Release;
use model::rollout::Phase;
use model::serving::Process;
use model::{Failure, FailureCode, ReleaseKey};
use ports::runtime::{Fate, Seed, Upstream, Written};
use ports::{Change, ProgressSink, Termination};

use crate::Delivery;
use crate::fleet::Member;
use crate::report::StageReport;
use crate::status::paths;

/// How long an instance may take to end by itself.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long requests under way may take while others wait for a move of data.
const MOVE_DRAIN: Duration = Duration::from_secs(5);

/// Why an instance writes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paused {
    /// It was frozen.
    Frozen,
    /// It had ended before.
    HadEnded,
}

impl Delivery {
    /// Starts an instance and waits until it is ready. Nothing of it is left when it never is.
    pub(crate) async fn start(
        &self,
        app: &App,
        release: &Release,
        process: &Process,
        seed: Seed,
    ) -> Result<Upstream, Failure> {
        let launch = self.launch(app, release, process, seed).await?;
        let id = self
            .ports
            .runtime
            .start(launch)
            .await
            .map_err(|error| Failure::of(&error))?;
        let ready = match self.ready(release, process, &id).await {
            Ok(upstream) => self
                .run_script(release, process, &id, &upstream)
                .await
                .map(|()| upstream),
            Err(failure) => Err(failure),
        };
        if ready.is_err() {
            self.discard(&id).await;
        }
        ready
    }

    /// Moves traffic to `started`, an instance of `release` that is ready. The caller has the app's
    /// turn.
    pub(crate) async fn take_over(
        self: &Arc<Self>,
        release: &Release,
        process: &Process,
        started: Upstream,
        report: &StageReport<'_>,
    ) -> Result<(), Failure> {
        let app = self.known_app(&release.key.app).await?;
        let Some(before) = self.serving(&app).filter(|(key, _)| *key != release.key) else {
            return self.promote(release, Member::running(started)).await;
        };
        let written = self
            .ports
            .runtime
            .written(&before.1)
            .await
            .unwrap_or_default();
        tell_lost(&written, release, report);
        if written.iter().any(|written| written.fate == Fate::Kept) {
            self.discard(&started.instance).await;
            return self
                .move_data(&app, &before.1, release, process, report)
                .await;
        }
        self.promote(release, Member::running(started)).await
    }

    /// Requests wait while what the serving instance wrote is copied to the app's data folder and
    /// the new one starts on it. When that does not get ready, everything is as it was.
    async fn move_data(
        self: &Arc<Self>,
        app: &App,
        before: &InstanceId,
        release: &Release,
        process: &Process,
        report: &StageReport<'_>,
    ) -> Result<(), Failure> {
        let _hold = self.ports.traffic.hold(&app.name).await;
        self.ports.traffic.drain(&before.release, MOVE_DRAIN).await;
        let runtime = &self.ports.runtime;
        let paused = self.pause_if_running(before).await?;
        let saved = runtime.save_written(before).await.unwrap_or_default();
        let moved = report
            .step(
                "move its data to the app's data folder",
                self.start(app, release, process, Seed::Never),
            )
            .await;
        match moved {
            Ok(started) => {
                self.fleet.take(&before.release);
                self.promote(release, Member::running(started)).await?;
                self.discard(before).await;
                Ok(())
            }
            Err(failure) => {
                forget(saved).await;
                if paused == Paused::Frozen {
                    runtime
                        .thaw(before)
                        .await
                        .map_err(|error| Failure::of(&error))?;
                }
                Err(failure)
            }
        }
    }

    /// Lets an instance write no more: one that has ended does not.
    async fn pause_if_running(&self, id: &InstanceId) -> Result<Paused, Failure> {
        let runtime = &self.ports.runtime;
        let state = runtime
            .state(id)
            .await
            .map_err(|error| Failure::of(&error))?;
        if matches!(state, InstanceState::Exited { .. }) {
            return Ok(Paused::HadEnded);
        }
        runtime
            .freeze(id)
            .await
            .map_err(|error| Failure::of(&error))?;
        Ok(Paused::Frozen)
    }

    /// Makes `release` the one that serves: first in the ledger, then in the proxy. The one before
    /// it is kept warm. The caller has the app's turn.
    pub(crate) async fn promote(
        self: &Arc<Self>,
        release: &Release,
        member: Member,
    ) -> Result<(), Failure> {
        let before = self.known_app(&release.key.app).await?.stable;
        let instance = member.instance.clone();
        let phase = Phase::Promoted {
            at: self.ports.clock.now(),
        };
        self.record(vec![Change::PhaseMoved {
            release: release.key.clone(),
            phase,
        }])
        .await?;
        self.fleet.put(release.key.clone(), member);
        self.reroute(&release.key.app).await?;
        if let Some(id) = instance {
            // The burst ends with the start; a limit that cannot be set now is set at the next.
            if let Err(error) = self.ports.runtime.settle(&id).await {
                tracing::warn!(instance = %id, %error, "the CPU limit could not be set");
            }
            self.watch(id);
        }
        self.retire_others(&release.key, before);
        Ok(())
    }

    /// The instance that serves an app now.
    pub(crate) fn serving(&self, app: &App) -> Option<(ReleaseKey, InstanceId)> {
        let key = ReleaseKey {
            app: app.name.clone(),
            number: app.stable?,
        };
        let instance = self.fleet.get(&key)?.instance?;
        Some((key, instance))
    }

    /// Ends an instance and removes what is left of it. Kept files stay.
    pub(crate) async fn discard(&self, id: &InstanceId) {
        let runtime = &self.ports.runtime;
        let ended = runtime.stop(id, Termination::Graceful(STOP_WITHIN)).await;
        let removed = runtime.remove(id).await;
        if let Err(error) = ended.and(removed) {
            tracing::warn!(instance = %id, %error, "an instance could not be removed; the next sweep tries again");
        }
    }

    /// Ends every instance of a release.
    pub(crate) async fn discard_all(&self, release: &ReleaseKey) {
        for id in self.ports.runtime.list().await.unwrap_or_default() {
            if id.release == *release {
                self.discard(&id).await;
            }
        }
    }
}

/// Takes back copies in the data folder that nobody uses yet.
async fn forget(saved: Vec<PathBuf>) {
    for path in saved {
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::warn!(path = %path.display(), %error, "a copy could not be taken back");
        }
    }
}

fn tell_lost(written: &[Written], release: &Release, report: &StageReport<'_>) {
    let lost = paths(written, Fate::Lost);
    if let Some(notice) = advice::lost(&lost, &release.config.keep) {
        report.notice(&notice);
    }
}

/// A release that cannot be reached any more.
pub(crate) fn image_gone(release: &ReleaseKey) -> Failure {
    Failure::new(
        FailureCode::NotFound,
        format!(
            "release {} of `{}` is not there any more",
            release.number, release.app
        ),
    )
    .hint(format!(
        "run `mayfly status {}` to see its releases",
        release.app
    ))
}
