//! One run: from an uploaded folder to a result.

use std::sync::Arc;
use std::time::Instant;

use api::types::{Inputs, UpRequest};
use model::app::{App, Owner};
use model::attestation::Kept;
use model::evidence::Evidence;
use model::finding::Finding;
use model::manifest::{self, Manifest};
use model::policy::Message;
use model::progress::{Progress, RunResult};
use model::release::Release;
use model::run::{Outcome, Run, Settled};
use model::snapshot::{Entry, Snapshot};
use model::verification::Act;
use model::{AppName, Digest, Failure, FailureCode, ReleaseKey, RunId, STAGES, Stage};
use ports::Change;
use ports::builder::Source;
use tokio::sync::mpsc::UnboundedSender;

use crate::apps::{Claimant, Turn};
use crate::question::Known;
use crate::report::{Report, StageReport};
use crate::stage::build::{self, BuildEvidence};
use crate::stage::checks::CheckEvidence;
use crate::stage::policy::PolicyEvidence;
use crate::stage::sbom::SbomEvidence;
use crate::stage::scan::ScanEvidence;
use crate::stage::sign::SignEvidence;
use crate::stage::tests::TestEvidence;
use crate::stage::verify::{Said, Verified};
use crate::{Delivery, local_url};

/// What one run is about.
pub struct Walk {
    /// Its name.
    pub run: RunId,
    /// What was asked for.
    pub request: UpRequest,
    /// By whom.
    pub owner: Owner,
    /// The folder's content.
    pub snapshot: Snapshot,
    /// What its mayfly.toml says.
    pub manifest: Manifest,
}

impl Walk {
    /// Who holds the run's blobs.
    pub(crate) fn holder(&self) -> String {
        format!("run:{}", self.run)
    }
}

/// Why a run ended before its last stage did.
#[derive(Debug)]
pub enum Stopped {
    /// A newer run of the app took over.
    Superseded,
    /// Something went wrong; nothing changed for those who use the app.
    Failed(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the stages of a run have left behind so far. None begins without what it needs.
#[derive(Default)]
struct Found {
    checked: Option<CheckEvidence>,
    built: Option<BuildEvidence>,
    listed: Option<SbomEvidence>,
    signed: Option<SignEvidence>,
    tested: Option<TestEvidence>,
    scanned: Option<ScanEvidence>,
    decided: Option<PolicyEvidence>,
    verified: Option<Verified>,
    promoted: Option<Release>,
}

impl Found {
    fn built(&self) -> Result<&BuildEvidence, Failure> {
        self.built.as_ref().ok_or_else(|| no_evidence(Stage::Build))
    }

    fn listed(&self) -> Result<&SbomEvidence, Failure> {
        self.listed.as_ref().ok_or_else(|| no_evidence(Stage::Sbom))
    }

    fn verified(&self) -> Result<&Verified, Failure> {
        self.verified
            .as_ref()
            .ok_or_else(|| no_evidence(Stage::Verify))
    }

    /// What was done to the image, and everything that was signed about it so far.
    fn said(&self) -> Said {
        let mut said = Said {
            acts: vec![Act::Build, Act::Sbom],
            statements: Vec::new(),
        };
        let mut add = |statements: &[Kept]| said.statements.extend_from_slice(statements);
        if let Some(listed) = &self.listed {
            add(&listed.statements);
        }
        if let Some(signed) = &self.signed {
            add(&signed.statements);
        }
        if let Some(tested) = &self.tested {
            add(&tested.statements);
        }
        if let Some(scanned) = &self.scanned {
            add(&scanned.statements);
        }
        if let Some(decided) = &self.decided {
            add(&decided.statements);
        }
        let is_tested = |tested: &TestEvidence| !tested.statements.is_empty();
        if self.tested.as_ref().is_some_and(is_tested) {
            said.acts.push(Act::Tests);
        }
        if self.scanned.as_ref().is_some_and(ScanEvidence::is_done) {
            said.acts.push(Act::Scan);
        }
        said.acts.push(Act::Policy);
        said
    }

    /// What a policy is told.
    fn known<'a>(&'a self, signed: &'a [Kept]) -> Known<'a> {
        Known {
            checks: self.checked.as_ref(),
            built: self.built.as_ref(),
            tests: self.tested.as_ref(),
            listed: self.listed.as_ref(),
            signed: Some(signed),
            scan: self.scanned.as_ref(),
        }
    }

    /// What the policy warns of.
    fn warnings(&self) -> Vec<Message> {
        let decision = self.decided.as_ref().map(|decided| &decided.decision);
        decision
            .map(|decision| decision.warn.clone())
            .unwrap_or_default()
    }

    /// What gates found, and did not stop the run for.
    fn let_pass(&self) -> Vec<Finding> {
        crate::stage::policy::findings(&self.known(&[]))
    }
}

/// How a run ended, before it is recorded.
struct End {
    outcome: Outcome,
    release: Option<Release>,
    failure: Option<Failure>,
}

impl Delivery {
    /// Brings a folder up. Tells `listener` how it goes, the result last; the run goes on when the
    /// listener goes away.
    ///
    /// Fails when there is no run: the name is taken, or the folder cannot be read.
    pub async fn up(
        self: &Arc<Self>,
        request: UpRequest,
        owner: Owner,
        listener: UnboundedSender<Progress>,
    ) -> Result<RunResult, Failure> {
        let begun = Instant::now();
        let (app, walk) = self.admit(request, owner).await?;
        let mut turn = self.apps.begin(&app.name);
        self.start_run(&app, &walk).await?;
        let report = Report::new(listener);
        report.tell(Progress::Run {
            run: walk.run,
            app: app.name.clone(),
        });
        let mut found = Found::default();
        let end = self.walk(&app, &walk, &report, &mut turn, &mut found).await;
        let end = self.end(&app, end).await;
        let result = self.result(&app, &walk, &end, &report, &found, begun);
        report.tell(Progress::Result(Box::new(result.clone())));
        self.settle_run(&app, &walk, &end, &report).await?;
        Ok(result)
    }

    async fn admit(&self, request: UpRequest, owner: Owner) -> Result<(App, Walk), Failure> {
        let snapshot = self.snapshot(&request).await?;
        let manifest = self.manifest(&snapshot).await?;
        let name = app_name(&request, &manifest)?;
        let by = Claimant {
            owner,
            folder: &request.folder,
            claim: request.claim,
        };
        let app = self.claim(&name, &by).await?;
        if let Some(values) = request.env.clone() {
            self.set_env(&app, values).await?;
        }
        let run = RunId::new(self.ports.clock.now());
        Ok((
            app,
            Walk {
                run,
                request,
                owner,
                snapshot,
                manifest,
            },
        ))
    }

    /// The uploaded snapshot, checked.
    async fn snapshot(&self, request: &UpRequest) -> Result<Snapshot, Failure> {
        let bytes = self
            .ports
            .blobs
            .get(&request.snapshot)
            .await
            .map_err(|error| Failure::of(&error))?;
        let unreadable = |error: serde_json::Error| {
            Failure::new(FailureCode::Usage, "the snapshot cannot be read")
                .because(error.to_string())
        };
        let entries: Vec<Entry> = serde_json::from_slice(&bytes).map_err(unreadable)?;
        let snapshot = Snapshot::new(entries, request.env_keys.clone(), &self.settings.source);
        snapshot.map_err(|error| Failure::of(&error))
    }

    async fn manifest(&self, snapshot: &Snapshot) -> Result<Manifest, Failure> {
        let is_manifest = |entry: &&Entry| entry.path() == manifest::FILE_NAME;
        let Some(Entry::File { digest, .. }) = snapshot.entries.iter().find(is_manifest) else {
            return Ok(Manifest::default());
        };
        let text = self
            .ports
            .blobs
            .get(digest)
            .await
            .map_err(|error| Failure::of(&error))?;
        build::manifest(Some(&text))
    }

    async fn set_env(&self, app: &App, values: model::env::SecretEnv) -> Result<(), Failure> {
        let newest = self.env_version(&app.name).await?;
        let current = self
            .ports
            .ledger
            .env(&app.name, newest)
            .await
            .map_err(|error| Failure::of(&error))?;
        if current == values {
            return Ok(());
        }
        self.record(vec![Change::EnvSet {
            app: app.name.clone(),
            version: newest + 1,
            values,
        }])
        .await
    }

    pub(crate) async fn env_version(&self, app: &AppName) -> Result<u32, Failure> {
        self.ports
            .ledger
            .env_version(app)
            .await
            .map_err(|error| Failure::of(&error))
    }

    async fn start_run(&self, app: &App, walk: &Walk) -> Result<(), Failure> {
        let run = Run {
            id: walk.run,
            app: app.name.clone(),
            owner: walk.owner,
            snapshot: walk.request.snapshot,
            started_at: self.ports.clock.now(),
            settled: None,
        };
        self.record(vec![Change::RunStarted(run)]).await
    }

    /// Walks the stages, unless the release that serves is already what they would make.
    async fn walk(
        self: &Arc<Self>,
        app: &App,
        walk: &Walk,
        report: &Report,
        turn: &mut Turn,
        found: &mut Found,
    ) -> Result<End, Stopped> {
        if let Some(release) = self.unchanged(app, walk).await? {
            return Ok(End {
                outcome: Outcome::Unchanged,
                release: Some(release),
                failure: None,
            });
        }
        let source = self
            .ports
            .checkout
            .check_out(walk.snapshot.clone())
            .await
            .map_err(|error| Failure::of(&error))?;
        let walked = self.walk_stages(app, walk, source.source(), report, turn, found);
        Ok(End {
            outcome: Outcome::Promoted,
            release: Some(walked.await?),
            failure: None,
        })
    }

    async fn walk_stages(
        self: &Arc<Self>,
        app: &App,
        walk: &Walk,
        source: &Source,
        report: &Report,
        turn: &mut Turn,
        found: &mut Found,
    ) -> Result<Release, Stopped> {
        // The build is walked beside the checks.
        for stage in STAGES.into_iter().filter(|stage| *stage != Stage::Build) {
            let step = report.stage(stage);
            let done = match stage {
                Stage::Checks | Stage::Build => {
                    self.check_and_build(app, walk, source, report, &step, turn, found)
                        .await
                }
                Stage::Tests => {
                    let built = found.built()?;
                    let admission = self.admission(&app.name).await?;
                    let tested = self
                        .tests(app, walk, source, built, &admission, &step)
                        .await;
                    tested
                        .map(|evidence| found.tested = Some(evidence))
                        .map_err(Stopped::from)
                }
                Stage::Sbom => {
                    let listed = self.sbom(app, walk, found.built()?, &step).await;
                    listed
                        .map(|evidence| found.listed = Some(evidence))
                        .map_err(Stopped::from)
                }
                Stage::Sign => {
                    let signed = self.sign(app, walk, found.built()?, &step).await;
                    signed
                        .map(|evidence| found.signed = Some(evidence))
                        .map_err(Stopped::from)
                }
                Stage::Scan => {
                    let (built, listed) = (found.built()?, found.listed()?);
                    let scanned = self.scan(app, walk, built, listed, &step).await;
                    scanned
                        .map(|evidence| found.scanned = Some(evidence))
                        .map_err(Stopped::from)
                }
                Stage::Policy => {
                    let signed = found.said().statements;
                    let decided = self.decide(app, walk, &found.known(&signed), &step).await;
                    decided
                        .map(|evidence| found.decided = Some(evidence))
                        .map_err(Stopped::from)
                }
                Stage::Verify => {
                    let image = &found.built()?.image;
                    let (inventory, said) = (found.listed()?.inventory, found.said());
                    let verified = self.verify(app, walk, image, inventory, said, &step);
                    verified
                        .await
                        .map(|verified| found.verified = Some(verified))
                        .map_err(Stopped::from)
                }
                Stage::Rollout => {
                    let verified = found.verified()?;
                    self.rollout(app, walk, source, verified, &step, turn)
                        .await
                        .map(|release| found.promoted = Some(release))
                }
            };
            done.map_err(|stopped| in_stage(stopped, stage))
                .inspect_err(|_| step.failed())?;
        }
        let promoted = found.promoted.take();
        promoted.ok_or_else(|| no_evidence(Stage::Rollout).into())
    }

    /// Builds while the files are looked at: a build runs nothing of theirs outside of a sandbox,
    /// and ends when the checks refuse them.
    #[expect(
        clippy::too_many_arguments,
        reason = "two stages beside each other need what both need"
    )]
    async fn check_and_build(
        &self,
        app: &App,
        walk: &Walk,
        source: &Source,
        report: &Report,
        checking: &StageReport<'_>,
        turn: &mut Turn,
        found: &mut Found,
    ) -> Result<(), Stopped> {
        let building = report.stage(Stage::Build);
        let checked = &mut found.checked;
        let checks = async {
            let evidence = self.checks(app, walk, source, checking).await?;
            let refused = self.refuse_early(app, walk, &evidence, checking).await;
            *checked = Some(evidence);
            refused.map_err(Stopped::from)
        };
        let build = async {
            let built = self.build_unless_superseded(app, walk, source, &building, turn);
            built
                .await
                .map_err(|stopped| in_stage(stopped, Stage::Build))
        };
        let ((), built) = tokio::try_join!(checks, build)?;
        found.built = Some(built);
        Ok(())
    }

    async fn build_unless_superseded(
        &self,
        app: &App,
        walk: &Walk,
        source: &Source,
        step: &StageReport<'_>,
        turn: &mut Turn,
    ) -> Result<BuildEvidence, Stopped> {
        let admission = self.admission(&app.name).await?;
        tokio::select! {
            built = self.build(app, walk, source, &admission, step) => Ok(built?),
            () = turn.superseded() => Err(Stopped::Superseded),
        }
    }

    /// The release that serves, when a build of this folder would make the same.
    async fn unchanged(&self, app: &App, walk: &Walk) -> Result<Option<Release>, Failure> {
        let asks_for_nothing =
            walk.request.inputs == Inputs::Pinned && walk.request.ttl_seconds.is_none();
        let Some(number) = app.stable.filter(|_| asks_for_nothing) else {
            return Ok(None);
        };
        let key = ReleaseKey {
            app: app.name.clone(),
            number,
        };
        let healthy = self
            .fleet
            .get(&key)
            .is_some_and(|member| member.trouble.is_none());
        let ledger = &self.ports.ledger;
        let Some(release) = ledger
            .release(&key)
            .await
            .map_err(|error| Failure::of(&error))?
        else {
            return Ok(None);
        };
        // A release whose key was revoked is built and signed again.
        if self.require_verified(&release).await.is_err() {
            return Ok(None);
        }
        if !self.is_still_let_pass(&release).await {
            return Ok(None);
        }
        let same_env = release.env_version == self.env_version(&app.name).await?;
        if !healthy || !same_env {
            return Ok(None);
        }
        let evidence = ledger
            .evidence(release.run)
            .await
            .map_err(|error| Failure::of(&error))?;
        let input = self.build_input(app, walk).await?;
        let same = |evidence: &Evidence| evidence.stage == Stage::Build && evidence.input == input;
        Ok(evidence.iter().any(same).then_some(release))
    }

    async fn end(&self, app: &App, end: Result<End, Stopped>) -> End {
        let (outcome, failure) = match end {
            Ok(end) => return end,
            Err(Stopped::Superseded) => (Outcome::Superseded, superseded(&app.name)),
            Err(Stopped::Failed(failure)) if is_gate(&failure) => (Outcome::Blocked, failure),
            Err(Stopped::Failed(failure)) => (Outcome::Failed, failure),
        };
        End {
            outcome,
            release: self.stable(&app.name).await,
            failure: Some(failure),
        }
    }

    /// The release that serves an app now.
    pub(crate) async fn stable(&self, name: &AppName) -> Option<Release> {
        let number = self.ports.ledger.app(name).await.ok()??.stable?;
        let key = ReleaseKey {
            app: name.clone(),
            number,
        };
        self.ports.ledger.release(&key).await.ok()?
    }

    fn result(
        &self,
        app: &App,
        walk: &Walk,
        end: &End,
        report: &Report,
        found: &Found,
        begun: Instant,
    ) -> RunResult {
        let mut findings = found.let_pass();
        if let Some(failure) = &end.failure {
            findings.retain(|finding| !failure.findings.contains(finding));
        }
        RunResult {
            run: walk.run,
            app: app.name.clone(),
            release: end.release.as_ref().map(|release| release.key.number),
            outcome: end.outcome,
            digest: end.release.as_ref().map(|release| release.image.digest),
            url: self.url(&app.name),
            local_url: local_url(app.local_port),
            seconds: begun.elapsed().as_secs_f64(),
            stages: report.timings(),
            findings,
            warnings: found.warnings(),
            not_scanned: found.scanned.as_ref().and_then(|scan| scan.why.clone()),
            error: end.failure.clone(),
        }
    }

    /// Records the end of a run with its log.
    async fn settle_run(
        &self,
        app: &App,
        walk: &Walk,
        end: &End,
        report: &Report,
    ) -> Result<(), Failure> {
        let log = self.ports.blobs.put(report.kept().into()).await.ok();
        let settled = Settled {
            outcome: end.outcome,
            release: end.release.as_ref().map(|release| release.key.number),
            failure: end.failure.clone(),
            log,
            at: self.ports.clock.now(),
        };
        let evidence = self
            .ports
            .ledger
            .evidence(walk.run)
            .await
            .map_err(|error| Failure::of(&error))?;
        let held: Vec<Digest> = evidence
            .iter()
            .map(|evidence| evidence.blob)
            .chain(log)
            .collect();
        let hold = Change::BlobsHeld {
            holder: walk.holder(),
            digests: held,
            rule: "the run ended".into(),
        };
        self.record(vec![
            Change::RunSettled {
                app: app.name.clone(),
                run: walk.run,
                settled,
            },
            hold,
        ])
        .await
    }

    /// The result of something that is no run of its own: a rollback, a restoration.
    pub(crate) fn result_without_run(
        &self,
        app: &App,
        release: &Release,
        report: &Report,
        begun: Instant,
    ) -> RunResult {
        RunResult {
            run: release.run,
            app: app.name.clone(),
            release: Some(release.key.number),
            outcome: Outcome::Promoted,
            digest: Some(release.image.digest),
            url: self.url(&app.name),
            local_url: local_url(app.local_port),
            seconds: begun.elapsed().as_secs_f64(),
            stages: report.timings(),
            findings: Vec::new(),
            warnings: Vec::new(),
            not_scanned: None,
            error: None,
        }
    }
}

/// Whether a gate said no, and nothing went wrong.
fn is_gate(failure: &Failure) -> bool {
    let names_packages = failure.code == FailureCode::Dependency && !failure.findings.is_empty();
    failure.code == FailureCode::Blocked || names_packages
}

/// The app's name: what the caller says, else mayfly.toml, else the folder.
fn app_name(request: &UpRequest, manifest: &Manifest) -> Result<AppName, Failure> {
    let folder = || {
        let name = request.folder.file_name()?.to_string_lossy().into_owned();
        AppName::from_folder(&name)
    };
    request
        .app
        .clone()
        .or_else(|| manifest.name.clone())
        .or_else(folder)
        .ok_or_else(|| {
            let text = format!(
                "no name for an app can be made of the folder `{}`",
                request.folder.display()
            );
            Failure::new(FailureCode::Usage, text).hint("give it one with `--app NAME`")
        })
}

fn superseded(app: &AppName) -> Failure {
    Failure::new(
        FailureCode::Superseded,
        format!("a newer run of `{app}` took over"),
    )
    .retryable()
}

fn no_evidence(stage: Stage) -> Failure {
    Failure::new(
        FailureCode::Internal,
        format!("the stage `{stage}` left no evidence"),
    )
}

fn in_stage(stopped: Stopped, stage: Stage) -> Stopped {
    match stopped {
        Stopped::Failed(failure) => Stopped::Failed(failure.in_stage(stage)),
        Stopped::Superseded => Stopped::Superseded,
    }
}
