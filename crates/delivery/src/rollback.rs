//! Back to an earlier release: its image, its configuration and its secrets together.

use std::sync::Arc;
use std::time::Instant;

use api::types::RollbackRequest;
use model::app::{App, Owner};
use model::progress::{Progress, RunResult};
use model::release::Release;
use model::rollout::Phase;
use model::{AppName, Failure, FailureCode, ReleaseKey, Stage};
use ports::Change;
use ports::runtime::Seed;
use ports::traffic::Wakefulness;
use tokio::sync::mpsc::UnboundedSender;

use crate::Delivery;
use crate::fleet::Member;
use crate::report::{Report, StageReport};

impl Delivery {
    /// Moves traffic to an earlier release: at once when it is warm, else once it is ready.
    pub async fn rollback(
        self: &Arc<Self>,
        name: &AppName,
        request: &RollbackRequest,
        owner: Owner,
        listener: UnboundedSender<Progress>,
    ) -> Result<RunResult, Failure> {
        let begun = Instant::now();
        let app = self.own_app(name, owner).await?;
        let release = self.rollback_target(&app, request).await?;
        self.require_verified(&release).await?;
        self.require_not_stopped(&app, &release).await?;
        let report = Report::new(listener);
        let _newest = self.apps.begin(name);
        let room = self.apps.room(name);
        let _turn = room.turn.lock().await;
        let stage = report.stage(Stage::Rollout);
        self.move_back(&app, &release, &stage)
            .await
            .map_err(|failure| failure.in_stage(Stage::Rollout))?;
        stage.done(false);
        let result = self.result_without_run(&app, &release, &report, begun);
        report.tell(Progress::Result(Box::new(result.clone())));
        Ok(result)
    }

    async fn move_back(
        self: &Arc<Self>,
        app: &App,
        release: &Release,
        stage: &StageReport<'_>,
    ) -> Result<(), Failure> {
        let left = app.stable.map(|number| ReleaseKey {
            app: app.name.clone(),
            number,
        });
        let saw = self.serving(app);
        match release.image.serving.process() {
            None => self.promote(release, Member::site()).await?,
            Some(process) => match self.wake_warm(&release.key).await {
                Some(member) if saw.is_none() => self.promote(release, member).await?,
                Some(member) => match member.upstream.clone() {
                    Some(upstream) => self.take_over(release, process, upstream, stage).await?,
                    None => self.promote(release, member).await?,
                },
                None => {
                    let start = self.start(app, release, process, Seed::Never);
                    let started = stage
                        .step("start it and wait until it is ready", start)
                        .await?;
                    self.take_over(release, process, started, stage).await?;
                }
            },
        }
        let cause = Failure::new(
            FailureCode::Superseded,
            format!("rolled back to release {}", release.key.number),
        );
        let left = left.filter(|left| *left != release.key);
        let changes = left.map(|release| Change::PhaseMoved {
            release,
            phase: Phase::RolledBack { cause },
        });
        self.record(changes.into_iter().collect()).await
    }

    /// A release that still runs, frozen or not, made ready to serve.
    async fn wake_warm(&self, key: &ReleaseKey) -> Option<Member> {
        let member = self
            .fleet
            .get(key)
            .filter(|member| member.upstream.is_some())?;
        let instance = member.instance.clone()?;
        if member.wakefulness == Wakefulness::Asleep {
            self.ports.runtime.thaw(&instance).await.ok()?;
        }
        Some(Member {
            wakefulness: Wakefulness::Awake,
            ..member
        })
    }

    async fn rollback_target(
        &self,
        app: &App,
        request: &RollbackRequest,
    ) -> Result<Release, Failure> {
        let releases = self
            .ports
            .ledger
            .releases(&app.name)
            .await
            .map_err(|error| Failure::of(&error))?;
        let served = |release: &&Release| {
            matches!(
                release.phase,
                Phase::Promoted { .. } | Phase::RolledBack { .. }
            )
        };
        let found = match request.to {
            Some(number) if Some(number) == app.stable => return Err(already_serves(app, number)),
            Some(number) => releases
                .iter()
                .filter(served)
                .find(|release| release.key.number == number),
            None => releases
                .iter()
                .filter(served)
                .find(|release| Some(release.key.number) < app.stable),
        };
        found.cloned().ok_or_else(|| no_target(app, request))
    }
}

fn already_serves(app: &App, number: model::ReleaseNumber) -> Failure {
    Failure::new(
        FailureCode::Usage,
        format!("release {number} of `{}` serves already", app.name),
    )
    .hint(format!(
        "run `mayfly status {}` to see its releases",
        app.name
    ))
}

fn no_target(app: &App, request: &RollbackRequest) -> Failure {
    let text = match request.to {
        Some(number) => format!("`{}` has no release {number} that ever served", app.name),
        None => format!("`{}` has no earlier release that ever served", app.name),
    };
    Failure::new(FailureCode::NotFound, text).hint(format!(
        "run `mayfly status {}` to see its releases",
        app.name
    ))
}
