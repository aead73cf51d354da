//! Policy: asks whether all that was found may serve.

use model::app::App;
use model::attestation::{Kept, PredicateType};
use model::finding::Finding;
use model::policy::{Decision, Occasion, PolicyLoad, Verdict};
use model::{Digest, Failure, Stage, Timestamp};
use ports::Change;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Delivery;
use crate::gate::blocked_by_policy;
use crate::question::Known;
use crate::report::StageReport;
use crate::run::Walk;

/// What a decision leaves behind: all that is needed to ask again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PolicyEvidence {
    /// The question.
    pub question: Value,
    /// The policy.
    pub policy: PolicyLoad,
    /// The blob of the policy's files.
    pub files: Digest,
    /// The answer.
    pub decision: Decision,
    /// The answer, signed; nothing is signed about what is refused.
    pub statements: Vec<Kept>,
}

impl Delivery {
    /// Fails when the policy refuses what the stages before found.
    pub(crate) async fn decide(
        &self,
        app: &App,
        walk: &Walk,
        known: &Known<'_>,
        report: &StageReport<'_>,
    ) -> Result<PolicyEvidence, Failure> {
        let question = self.question(Occasion::Release, app, walk, known).await?;
        let decision = self.ports.decider.decide(question.clone()).await;
        let statements = match (decision.verdict, known.built) {
            (Verdict::Pass, Some(built)) => {
                let image = built.image.digest;
                self.sign_decision(app, image, &decision, known, report)
                    .await?
            }
            _ => Vec::new(),
        };
        let evidence = PolicyEvidence {
            question,
            policy: self.ports.decider.policy(),
            files: self.keep_policy().await?,
            decision,
            statements,
        };
        let input = evidence.decision.input;
        self.record_evidence(app, walk, report, input, &evidence, Stage::Policy, false)
            .await?;
        match evidence.decision.verdict {
            Verdict::Pass => {
                report.done(false);
                Ok(evidence)
            }
            Verdict::Fail => Err(blocked_by_policy(
                &app.name,
                &evidence.decision,
                &findings(known),
            )),
        }
    }

    async fn sign_decision(
        &self,
        app: &App,
        image: Digest,
        decision: &Decision,
        known: &Known<'_>,
        report: &StageReport<'_>,
    ) -> Result<Vec<Kept>, Failure> {
        let subject = self.subject(&app.name, &image).await?;
        let inputs = known.signed.unwrap_or_default();
        let now = self.ports.clock.now();
        let predicate = summary(
            &subject.name,
            &self.ports.decider.policy(),
            decision,
            inputs,
            now,
        );
        let predicate = predicate.to_string();
        let signed = self
            .vouch(
                &subject,
                PredicateType::Decision,
                predicate.as_bytes(),
                report,
            )
            .await?;
        self.keep(&[signed]).await
    }

    /// The blob of the policy's files, which everything that it decided needs.
    pub(crate) async fn keep_policy(&self) -> Result<Digest, Failure> {
        let decider = &self.ports.decider;
        let mut kept = self.policy_kept.lock().await;
        if let Some(files) = *kept {
            return Ok(files);
        }
        let files = self.put_json(&decider.files()).await?;
        let hold = Change::BlobsHeld {
            holder: format!("policy:{}", decider.policy().digest),
            digests: vec![files],
            rule: "a policy decided by it".into(),
        };
        self.record(vec![hold]).await?;
        Ok(*kept.insert(files))
    }
}

/// Everything that a message may be about.
pub(crate) fn findings(known: &Known<'_>) -> Vec<Finding> {
    let checked = known
        .checks
        .map(|evidence| evidence.checked.findings.iter());
    let built = known.built.map(|evidence| evidence.findings.iter());
    let tested = known.tests.map(|evidence| evidence.report.findings());
    let scanned = known.scan.map(|evidence| evidence.findings.iter());
    let all = checked.into_iter().flatten();
    let all = all.chain(built.into_iter().flatten());
    let all = all.chain(scanned.into_iter().flatten()).cloned();
    all.chain(tested.into_iter().flatten()).collect()
}

/// Source: SLSA verification summary attestation v1.1. Levels are the provenance's to tell.
fn summary(
    resource: &str,
    policy: &PolicyLoad,
    decision: &Decision,
    inputs: &[Kept],
    now: Timestamp,
) -> Value {
    let inputs = inputs.iter().flat_map(|kept| kept.documents.first());
    json!({
        "verifier": { "id": "urn:mayfly:policy", "version": { "mayfly": env!("CARGO_PKG_VERSION") } },
        "timeVerified": now,
        "resourceUri": resource,
        "policy": {
            "uri": policy.origin.to_string(),
            "digest": { "sha256": policy.digest.hex() },
        },
        "inputAttestations": inputs
            .map(|document| json!({ "digest": { "sha256": document.text.hex() } }))
            .collect::<Vec<_>>(),
        "verificationResult": match decision.verdict {
            Verdict::Pass => "PASSED",
            Verdict::Fail => "FAILED",
        },
        "verifiedLevels": ["SLSA_BUILD_LEVEL_UNEVALUATED"],
        "slsaVersion": "1.1",
    })
}
