//! Sbom: lists what is in the image, and signs the list.

use std::path::PathBuf;

use futures_util::future::try_join_all;
use model::app::App;
use model::attestation::{Kept, PredicateType};
use model::image::Image;
use model::inventory::{About, BillFormat, Inventory, Problem, Runtime};
use model::{Digest, Failure, FailureCode, Stage};
use ports::ProgressSink;
use serde::{Deserialize, Serialize};

use crate::Delivery;
use crate::report::StageReport;
use crate::run::Walk;
use crate::stage::build::BuildEvidence;

/// Goes up when equal images would give other lists than before.
const SBOM_FORMAT: u32 = 1;
/// How many problems a failure tells.
const TOLD: usize = 5;

/// What listing an image's content leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SbomEvidence {
    /// The blob of the inventory.
    pub inventory: Digest,
    /// How many packages it has.
    pub packages: usize,
    /// What does not fit together.
    pub problems: Vec<Problem>,
    /// The lists that others read, signed.
    pub statements: Vec<Kept>,
}

/// The lists, and what each says.
const BILLS: [(BillFormat, PredicateType); 2] = [
    (BillFormat::Spdx, PredicateType::Spdx),
    (BillFormat::CycloneDx, PredicateType::CycloneDx),
];

impl Delivery {
    /// Lists what is in the image, or takes the list that the same image has.
    pub(crate) async fn sbom(
        &self,
        app: &App,
        walk: &Walk,
        built: &BuildEvidence,
        report: &StageReport<'_>,
    ) -> Result<SbomEvidence, Failure> {
        let input = Digest::of(format!("{SBOM_FORMAT} {}", built.image.digest).as_bytes());
        let earlier = self.earlier_sbom(app, &built.image.digest, input).await;
        let (evidence, cached) = match earlier {
            Some(evidence) => (evidence, true),
            None => (self.make_bills(app, built, report).await?, false),
        };
        for problem in &evidence.problems {
            report.notice(&format!("{}: {}", problem.path, problem.detail));
        }
        self.record_evidence(app, walk, report, input, &evidence, Stage::Sbom, cached)
            .await?;
        report.done(cached);
        Ok(evidence)
    }

    /// The list of the release that serves, when its image is the same and the list still holds.
    async fn earlier_sbom(&self, app: &App, image: &Digest, input: Digest) -> Option<SbomEvidence> {
        let stable = self.stable(&app.name).await?;
        let evidence = self.ports.ledger.evidence(stable.run).await.ok()?;
        let same = evidence
            .iter()
            .rfind(|evidence| evidence.stage == Stage::Sbom && evidence.input == input)?;
        let found: SbomEvidence =
            serde_json::from_slice(&self.blob(&same.blob).await.ok()?).ok()?;
        self.blob(&found.inventory).await.ok()?;
        let signed = self.unkept(&found.statements).await.ok()?;
        let judgement = self.judge(image, &signed, &[], None).await;
        let holds = judgement.report.rows.iter().all(|row| row.outcome.is_ok());
        holds.then_some(found)
    }

    async fn make_bills(
        &self,
        app: &App,
        built: &BuildEvidence,
        report: &StageReport<'_>,
    ) -> Result<SbomEvidence, Failure> {
        let layers = self.layers(&built.image).await?;
        let inventory = report
            .step(
                "list what is in it",
                self.whole_inventory(layers, &built.image),
            )
            .await?;
        let about = About {
            app: &app.name,
            release: None,
            image: built.image.digest,
            created_at: built.finished_at,
        };
        let subject = self.subject(&app.name, &built.image.digest).await?;
        // Beside each other: an identity's signature waits for a public log.
        let (subject, inventory, about) = (&subject, &inventory, &about);
        let bills = BILLS.map(|(format, kind)| async move {
            let bill = self.ports.cataloguer.bill(format, inventory, about);
            self.vouch(subject, kind, &bill, report).await
        });
        let signed = try_join_all(bills).await?;
        Ok(SbomEvidence {
            packages: inventory.packages().len(),
            problems: inventory.problems().to_vec(),
            inventory: self.put_json(inventory).await?,
            statements: self.keep(&signed).await?,
        })
    }

    /// A list that may lack something is none: who relied on it would be deceived.
    async fn whole_inventory(
        &self,
        layers: Vec<PathBuf>,
        image: &Image,
    ) -> Result<Inventory, Failure> {
        let cataloguer = &self.ports.cataloguer;
        let inventory = cataloguer.catalogue(layers, runtime(image)).await?;
        match inventory.is_complete() {
            true => Ok(inventory),
            false => Err(unreadable(&inventory)),
        }
    }
}

/// What serves an image's files and is not in it: mayfly itself.
fn runtime(image: &Image) -> Vec<Runtime> {
    let mayfly = Runtime {
        name: "mayfly".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        licence: Some(env!("CARGO_PKG_LICENSE").to_owned()),
    };
    image.serving.site().map(|_| mayfly).into_iter().collect()
}

fn unreadable(inventory: &Inventory) -> Failure {
    let hiding: Vec<_> = inventory
        .problems()
        .iter()
        .filter(|problem| problem.kind.hides_packages())
        .collect();
    let failure = Failure::new(
        FailureCode::NotVerified,
        "it cannot be told what is in the app: some files that name packages cannot be read",
    )
    .hint("mend these files or take them out of the folder, then run `mayfly up` again");
    let failure = hiding.iter().take(TOLD).fold(failure, |failure, problem| {
        failure.because(format!("{}: {}", problem.path, problem.detail))
    });
    match hiding.len().saturating_sub(TOLD) {
        0 => failure,
        more => failure.because(format!("and {more} more")),
    }
}
