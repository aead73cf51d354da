//! Vulnerability data: taken in, and running releases matched against it again.

use std::path::PathBuf;

use model::advisory::{AdvisoryFacts, DataChange};
use model::app::{App, Owner};
use model::finding::Finding;
use model::policy::{Decision, Occasion, Verdict};
use model::{Failure, Release, Stage};
use ports::Change;
use serde::{Deserialize, Serialize};

use crate::Delivery;
use crate::keys::require_root;
use crate::stage::build::BuildEvidence;
use crate::stage::policy::PolicyEvidence;
use crate::stage::scan::{Asked, ScanEvidence};

/// What a release that serves came to with newer data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RescanEvidence {
    /// What was found.
    pub scan: ScanEvidence,
    /// The question to the policy.
    pub question: serde_json::Value,
    /// Its answer.
    pub decision: Decision,
}

impl Delivery {
    /// What is known about the data; none without data.
    pub async fn advisories(&self) -> Result<Option<AdvisoryFacts>, Failure> {
        self.ports.scanner.facts(self.ports.clock.now()).await
    }

    /// Takes in archives, one an ecosystem, and matches what serves again.
    pub async fn import_advisories(
        &self,
        archives: Vec<PathBuf>,
        change: DataChange,
        owner: Owner,
    ) -> Result<AdvisoryFacts, Failure> {
        require_root(owner)?;
        let now = self.ports.clock.now();
        let facts = self.ports.scanner.import(archives, change, now).await?;
        self.record(vec![Change::AdvisoriesImported {
            data: facts.digest,
            modified: facts.modified,
        }])
        .await?;
        self.rescan_all().await?;
        Ok(facts)
    }

    /// Matches every release that serves against the data of now. One that cannot be matched does
    /// not keep the others from it.
    pub(crate) async fn rescan_all(&self) -> Result<(), Failure> {
        let apps = self.ports.ledger.apps().await;
        for app in apps.map_err(|error| Failure::of(&error))? {
            let Some(release) = self.stable(&app.name).await else {
                continue;
            };
            if let Err(failure) = self.rescan(&app, &release).await {
                tracing::warn!(release = %release.key, %failure, "a release could not be scanned again");
            }
        }
        Ok(())
    }

    async fn rescan(&self, app: &App, release: &Release) -> Result<(), Failure> {
        let Some(decided) = self
            .found_by::<PolicyEvidence>(release, Stage::Policy)
            .await
        else {
            return Ok(());
        };
        let built: Option<BuildEvidence> = self.plan_of(Some(release)).await;
        let asked = built.as_ref().map(Asked::by).unwrap_or_default();
        let vouched = self.vouched(release).await?;
        let inventory = self.read_inventory(&vouched.evidence.inventory).await?;
        let now = self.ports.clock.now();
        let scan = self.scan_again(&inventory, &asked, now).await;
        let mut question = decided.question;
        question["occasion"] = told(&Occasion::Rescan);
        question["now"] = told(&now);
        question["vulnerabilities"] = told(&self.vulnerabilities(Some(&scan)));
        question["exemptions"] = told(&self.exemption_facts(&app.name).await?);
        let decision = self.ports.decider.decide(question.clone()).await;
        let evidence = RescanEvidence {
            scan,
            question,
            decision,
        };
        let verdict = evidence.decision.verdict;
        let blob = self.put_json(&evidence).await?;
        self.record(vec![
            Change::Rescanned {
                release: release.key.clone(),
                evidence: blob,
                verdict,
            },
            Change::BlobsHeld {
                holder: format!("app:{}", app.name),
                digests: vec![blob],
                rule: "the release that serves was scanned again".into(),
            },
        ])
        .await?;
        if verdict == Verdict::Fail {
            tracing::warn!(release = %release.key, "the policy no longer lets a release pass that serves");
        }
        Ok(())
    }

    /// What the last rescan of a release came to.
    pub(crate) async fn rescanned(&self, release: &Release) -> Option<RescanEvidence> {
        let blob = self.ports.ledger.rescan(&release.key).await.ok()??;
        serde_json::from_slice(&self.blob(&blob).await.ok()?).ok()
    }

    /// Sentences about what newer data found in the release that serves, and whether it was scanned
    /// at all.
    pub(crate) async fn scan_notices(&self, release: &Release) -> Vec<String> {
        let again = self.rescanned(release).await;
        let scan = match &again {
            Some(again) => Some(again.scan.clone()),
            None => self.found_by::<ScanEvidence>(release, Stage::Scan).await,
        };
        let mut notices = Vec::new();
        if let Some(why) = scan.and_then(|scan| scan.why) {
            notices.push(format!("not scanned for known vulnerabilities: {why}"));
        }
        let Some(again) = again.filter(|again| again.decision.verdict == Verdict::Fail) else {
            return notices;
        };
        notices.push(
            "newer vulnerability data: the policy would not let this release pass now".into(),
        );
        for message in again.decision.deny {
            let next = message.next.iter().map(|next| format!("; {next}"));
            notices.push(format!("{}{}", message.msg, next.collect::<String>()));
        }
        notices
    }

    /// The known vulnerabilities of the release that serves, as the newest look at it found them.
    pub(crate) async fn known_vulnerabilities(&self, release: &Release) -> Vec<Finding> {
        if let Some(again) = self.rescanned(release).await {
            return again.scan.findings;
        }
        let scan = self.found_by::<ScanEvidence>(release, Stage::Scan).await;
        scan.map(|scan| scan.findings).unwrap_or_default()
    }
}

fn told(value: &impl Serialize) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}
