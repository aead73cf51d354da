//! Tests: runs the app's own tests over its image.

use model::Digest;
use model::Failure;
use model::Stage;
use model::app::App;
use model::attestation::{Kept, PredicateType};
use model::policy::{EvidenceState, TestsFacts};
use model::suite::{SuiteVerdict, TestReport};
use ports::ProgressSink;
use ports::builder::Source;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Delivery;
use crate::admission::Admission;
use crate::report::StageReport;
use crate::run::Walk;
use crate::stage::build::BuildEvidence;

/// The rule of the policy that an exemption names when failing tests are to stop nobody.
const TESTS_FAILED: &str = "tests.failed";

/// What tests leave behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TestEvidence {
    /// What the tests said, and what that counts for.
    pub report: TestReport,
    /// The report, signed; nothing is signed about an app without tests.
    pub statements: Vec<Kept>,
}

impl TestEvidence {
    /// What a policy is told.
    pub fn facts(&self) -> TestsFacts {
        let is_known = self.report.verdict() != SuiteVerdict::Inconclusive;
        TestsFacts {
            state: match is_known {
                true => EvidenceState::Done,
                false => EvidenceState::Inconclusive,
            },
            why: (!is_known).then(|| "the tests ended before they were done".to_owned()),
            total: self.report.total(),
            failed: self.report.failed(),
        }
    }
}

impl Delivery {
    /// Runs every suite, or takes the result that the same tests of the same image had. A failure
    /// ends the run, unless somebody let failing tests pass.
    pub(crate) async fn tests(
        &self,
        app: &App,
        walk: &Walk,
        source: &Source,
        built: &BuildEvidence,
        admission: &Admission<'_>,
        report: &StageReport<'_>,
    ) -> Result<TestEvidence, Failure> {
        let request = self.test_request(app, walk, source, built).await?;
        let Some(input) = self.ports.tester.input(&request)? else {
            return self.no_tests(app, walk, report).await;
        };
        let earlier = self.earlier_tests(app, input).await;
        let cached = earlier.is_some();
        let tested = match earlier {
            Some(tested) => tested,
            None => {
                let tested = self.ports.tester.test(request, admission, report).await?;
                self.keep_test_pins(app, &tested.pins).await?;
                tested.report
            }
        };
        for suite in &tested.suites {
            report.notice(&suite.summary());
        }
        for note in &tested.notes {
            report.notice(note);
        }
        let evidence = TestEvidence {
            statements: self.sign_tests(app, built, &tested, report).await?,
            report: tested,
        };
        self.record_evidence(app, walk, report, input, &evidence, Stage::Tests, cached)
            .await?;
        match evidence.report.failure() {
            Some(failure) if !self.may_fail(app).await? => Err(failure),
            _ => {
                report.done(cached);
                Ok(evidence)
            }
        }
    }

    async fn no_tests(
        &self,
        app: &App,
        walk: &Walk,
        report: &StageReport<'_>,
    ) -> Result<TestEvidence, Failure> {
        let evidence = TestEvidence {
            report: TestReport::default(),
            statements: Vec::new(),
        };
        let input = walk.request.snapshot;
        self.record_evidence(app, walk, report, input, &evidence, Stage::Tests, false)
            .await?;
        report.done(false);
        Ok(evidence)
    }

    /// What the release that serves passed with the same input.
    async fn earlier_tests(&self, app: &App, input: Digest) -> Option<TestReport> {
        let stable = self.stable(&app.name).await?;
        let evidence = self.ports.ledger.evidence(stable.run).await.ok()?;
        let same = evidence
            .iter()
            .rfind(|evidence| evidence.stage == Stage::Tests && evidence.input == input)?;
        let found: TestEvidence =
            serde_json::from_slice(&self.blob(&same.blob).await.ok()?).ok()?;
        (found.report.verdict() == SuiteVerdict::Passed).then_some(found.report)
    }

    async fn may_fail(&self, app: &App) -> Result<bool, Failure> {
        let holding = self.exemptions_that_hold(&app.name).await?;
        let mut holding = holding.iter().map(|granted| &granted.exemption.target);
        Ok(holding.any(|target| target == TESTS_FAILED))
    }

    async fn sign_tests(
        &self,
        app: &App,
        built: &BuildEvidence,
        tested: &TestReport,
        report: &StageReport<'_>,
    ) -> Result<Vec<Kept>, Failure> {
        let subject = self.subject(&app.name, &built.image.digest).await?;
        let predicate = predicate(tested).to_string();
        let kind = PredicateType::TestResult;
        let signed = self
            .vouch(&subject, kind, predicate.as_bytes(), report)
            .await?;
        self.keep(&[signed]).await
    }
}

/// Source: in-toto attestation framework, `test-result/v0.1`.
fn predicate(tested: &TestReport) -> Value {
    let suites = || tested.suites.iter();
    let names = |wanted: SuiteVerdict| {
        let of = suites().filter(move |suite| suite.verdict() == wanted);
        of.map(|suite| suite.summary()).collect::<Vec<_>>()
    };
    let failed = suites().flat_map(|suite| suite.failures.iter().map(ToString::to_string));
    json!({
        "result": match tested.verdict() {
            SuiteVerdict::Passed => "PASSED",
            SuiteVerdict::Empty => "WARNED",
            SuiteVerdict::Inconclusive | SuiteVerdict::Failed => "FAILED",
        },
        "configuration": suites().map(|suite| json!({
            "name": format!("{} {}", suite.command, suite.folder).trim(),
        })).collect::<Vec<_>>(),
        "passedTests": names(SuiteVerdict::Passed),
        "warnedTests": names(SuiteVerdict::Empty),
        "failedTests": failed.chain(names(SuiteVerdict::Inconclusive)).collect::<Vec<_>>(),
    })
}
