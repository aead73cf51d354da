//! Rollout: a release is made of the image, started beside the one that serves, and takes its
//! traffic once it is ready.

use std::sync::Arc;

use model::app::App;
use model::release::Release;
use model::rollout::Phase;
use model::serving::Process;
use model::tag;
use model::{Failure, ReleaseKey, Stage};
use ports::Change;
use ports::builder::Source;
use ports::runtime::{Seed, Upstream};
use serde::Serialize;

use crate::Delivery;
use crate::apps::Turn;
use crate::fleet::Member;
use crate::report::StageReport;
use crate::run::{Stopped, Walk};
use crate::stage::verify::Verified;

/// What a rollout leaves behind.
#[derive(Debug, Clone, Serialize)]
struct RolloutEvidence {
    release: ReleaseKey,
    phase: Phase,
    port: Option<u16>,
}

impl Delivery {
    /// Rolls the verified image out; returns its release, which serves.
    pub(crate) async fn rollout(
        self: &Arc<Self>,
        app: &App,
        walk: &Walk,
        source: &Source,
        verified: &Verified,
        report: &StageReport<'_>,
        turn: &mut Turn,
    ) -> Result<Release, Stopped> {
        let release = self.create_release(app, walk, verified).await?;
        let moved = match release.image.serving.process() {
            None => self.serve_site(&release, turn).await,
            Some(process) => {
                let seed = self.seed(app, source);
                self.replace(app, &release, process, seed, report, turn)
                    .await
            }
        };
        let phase = self.moved(&release, &moved).await?;
        moved?;
        let port = self
            .fleet
            .get(&release.key)
            .and_then(|member| member.upstream)
            .map(|upstream| upstream.address.port());
        let evidence = RolloutEvidence {
            release: release.key.clone(),
            phase,
            port,
        };
        self.record_evidence(
            app,
            walk,
            report,
            verified.image.digest,
            &evidence,
            Stage::Rollout,
            false,
        )
        .await?;
        report.done(false);
        Ok(release)
    }

    async fn create_release(
        &self,
        app: &App,
        walk: &Walk,
        verified: &Verified,
    ) -> Result<Release, Failure> {
        let ledger = &self.ports.ledger;
        let now = self.ports.clock.now();
        let number = ledger
            .next_release(&app.name)
            .await
            .map_err(|error| Failure::of(&error))?;
        let release = Release {
            key: ReleaseKey {
                app: app.name.clone(),
                number,
            },
            run: walk.run,
            image: verified.image.clone(),
            config: walk.manifest.run_config(),
            env_version: self.env_version(&app.name).await?,
            verification: Some(verified.blob),
            owner: walk.owner,
            created_at: now,
            expires_at: self.end_of(app, walk).await,
            phase: Phase::Starting { since: now },
        };
        let vouching = verified.evidence.blobs().chain([verified.blob]);
        let needed = release.image.blobs().into_iter().chain(vouching).collect();
        let hold = Change::BlobsHeld {
            holder: format!("release:{}", release.key),
            digests: needed,
            rule: "a release needs its image".into(),
        };
        self.record(vec![
            Change::ReleaseCreated(Box::new(release.clone())),
            hold,
        ])
        .await?;
        self.tag(&release, walk).await?;
        Ok(release)
    }

    /// Names the image in the registry: by the release, and by who made it from which branch.
    async fn tag(&self, release: &Release, walk: &Walk) -> Result<(), Failure> {
        let branch = walk.request.commit.as_ref();
        let branch = branch.and_then(|commit| commit.branch.as_deref());
        let creator = walk.request.creator.as_deref();
        let line = creator
            .zip(branch)
            .map(|(creator, branch)| tag::of_line(creator, branch));
        let tags = [tag::of_release(release.key.number)];
        let tags = tags.into_iter().chain(line).collect();
        let (app, image) = (&release.key.app, &release.image.digest);
        let registry = &self.ports.registry;
        registry.publish(app, image, Vec::new(), tags).await
    }

    /// Only an app's first release brings data along.
    fn seed(&self, app: &App, source: &Source) -> Seed {
        match app.stable {
            None => Seed::From(source.root.clone()),
            Some(_) => Seed::Never,
        }
    }

    /// A site needs no start: it takes the traffic at once.
    async fn serve_site(self: &Arc<Self>, release: &Release, turn: &Turn) -> Result<(), Stopped> {
        let room = self.apps.room(&release.key.app);
        let _turn = room.turn.lock().await;
        if turn.is_superseded() {
            return Err(Stopped::Superseded);
        }
        self.promote(release, Member::site()).await?;
        Ok(())
    }

    /// Starts the server beside the one that serves, waits until it is ready, and moves traffic.
    async fn replace(
        self: &Arc<Self>,
        app: &App,
        release: &Release,
        process: &Process,
        seed: Seed,
        report: &StageReport<'_>,
        turn: &mut Turn,
    ) -> Result<(), Stopped> {
        let started = tokio::select! {
            started = report.step("start it and wait until it is ready", self.start(app, release, process, seed)) => started?,
            () = turn.superseded() => {
                self.discard_all(&release.key).await;
                return Err(Stopped::Superseded);
            }
        };
        self.tell_port(process, &started, report);
        let room = self.apps.room(&release.key.app);
        let _turn = room.turn.lock().await;
        if turn.is_superseded() {
            self.discard(&started.instance).await;
            return Err(Stopped::Superseded);
        }
        self.take_over(release, process, started, report).await?;
        Ok(())
    }

    fn tell_port(&self, process: &Process, started: &Upstream, report: &StageReport<'_>) {
        let port = started.address.port();
        if port != process.port {
            let text = format!("the app listens on port {port}; mayfly found it there");
            ports::ProgressSink::notice(report, &text);
        }
    }

    /// Records where a rollout that did not promote ended. Promotion itself is recorded before
    /// traffic moves.
    async fn moved(
        &self,
        release: &Release,
        moved: &Result<(), Stopped>,
    ) -> Result<Phase, Failure> {
        let phase = match moved {
            Ok(()) => {
                return Ok(Phase::Promoted {
                    at: self.ports.clock.now(),
                });
            }
            Err(Stopped::Superseded) => Phase::Superseded,
            Err(Stopped::Failed(cause)) => Phase::Failed {
                cause: cause.clone(),
            },
        };
        self.record(vec![Change::PhaseMoved {
            release: release.key.clone(),
            phase: phase.clone(),
        }])
        .await?;
        Ok(phase)
    }
}
