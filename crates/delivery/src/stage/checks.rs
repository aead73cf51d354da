//! Checks: looks for faults in the app's own files, and stops what the policy lets nobody release.

use std::collections::HashSet;

use model::app::App;
use model::finding::{Finding, Fingerprint, Gate, sort};
use model::policy::Occasion;
use model::snapshot::Entry;
use model::{Digest, Failure, Stage};
use ports::builder::Source;
use ports::{CheckRequest, Checked};
use serde::{Deserialize, Serialize};

use crate::Delivery;
use crate::gate::blocked_by_findings;
use crate::question::Known;
use crate::report::StageReport;
use crate::run::Walk;

/// What a check leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckEvidence {
    /// What was seen.
    #[serde(flatten)]
    pub checked: Checked,
    /// Whether the history of the folder's repository was looked at for secrets, and by whom.
    pub history: HistoryScan,
}

/// Whether a repository's history was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryScan {
    /// The server has no history: `mayfly check` looks at it, where the repository is.
    NotScanned,
}

impl Delivery {
    /// Looks at every file. What was found stops nothing yet.
    pub(crate) async fn checks(
        &self,
        app: &App,
        walk: &Walk,
        source: &Source,
        report: &StageReport<'_>,
    ) -> Result<CheckEvidence, Failure> {
        let request = CheckRequest {
            source: source.clone(),
            audience: self.settings.audience,
            start_command: walk.manifest.run.command.clone(),
        };
        let mut checked = self.ports.checker.check(request).await?;
        self.tell_new_from_old(app, &mut checked.findings).await;
        sort(&mut checked.findings);
        let evidence = CheckEvidence {
            checked,
            history: HistoryScan::NotScanned,
        };
        let input = walk.request.snapshot;
        self.record_evidence(app, walk, report, input, &evidence, Stage::Checks, false)
            .await?;
        Ok(evidence)
    }

    /// Marks what the release that serves did not have.
    async fn tell_new_from_old(&self, app: &App, findings: &mut [Finding]) {
        let Some(stable) = self.stable(&app.name).await else {
            return;
        };
        let Some(before) = self.found_by::<CheckEvidence>(&stable, Stage::Checks).await else {
            return;
        };
        let before = before.checked.findings.into_iter();
        let known: HashSet<Fingerprint> = before.map(|finding| finding.fingerprint).collect();
        for finding in findings {
            finding.introduced_by_this_change = Some(!known.contains(&finding.fingerprint));
        }
    }

    /// Asks the policy while nothing but the findings is known. What it says about these will not
    /// change; what it says about all that is missing yet counts for nothing.
    pub(crate) async fn refuse_early(
        &self,
        app: &App,
        walk: &Walk,
        evidence: &CheckEvidence,
        report: &StageReport<'_>,
    ) -> Result<(), Failure> {
        let findings = &evidence.checked.findings;
        let refused = match findings.is_empty() {
            true => Vec::new(),
            false => self.refused(app, walk, evidence).await?,
        };
        if refused.is_empty() {
            report.done(evidence.checked.known == evidence.checked.files);
            return Ok(());
        }
        self.forget_secrets(walk, &refused).await;
        Err(blocked_by_findings(&app.name, refused))
    }

    async fn refused(
        &self,
        app: &App,
        walk: &Walk,
        evidence: &CheckEvidence,
    ) -> Result<Vec<Finding>, Failure> {
        let findings = &evidence.checked.findings;
        let known = Known {
            checks: Some(evidence),
            ..Known::default()
        };
        let question = self.question(Occasion::Release, app, walk, &known).await?;
        let decision = self.ports.decider.decide(question).await;
        let refused: HashSet<&str> = decision
            .deny
            .iter()
            .filter_map(|message| message.fingerprint.as_deref())
            .collect();
        let is_refused = |finding: &&Finding| refused.contains(finding.fingerprint.0.as_str());
        Ok(findings.iter().filter(is_refused).cloned().collect())
    }

    /// A file with a secret in it is not kept, unless a release that was let pass needs it.
    async fn forget_secrets(&self, walk: &Walk, refused: &[Finding]) {
        let secrets = refused.iter().filter(|one| one.gate == Gate::Secrets);
        let files: HashSet<&str> = secrets.map(|one| one.file.as_str()).collect();
        if files.is_empty() {
            return;
        }
        let Ok(held) = self.ports.ledger.held_blobs().await else {
            return;
        };
        let with_secret = walk
            .snapshot
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::File { path, digest, .. } if files.contains(path.as_str()) => Some(*digest),
                _ => None,
            });
        let gone: Vec<Digest> = with_secret
            .filter(|digest| !held.contains(digest))
            .collect();
        for digest in gone {
            if let Err(error) = self.ports.blobs.remove(&digest).await {
                tracing::warn!(%error, %digest, "a file with a secret in it could not be removed");
            }
        }
    }
}
