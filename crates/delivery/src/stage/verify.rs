//! Verify: checks everything that was signed about the image, from what is kept alone.

use model::app::App;
use model::attestation::Kept;
use model::image::Image;
use model::verification::{Act, Report};
use model::{Digest, Failure, Release, Stage};
use serde::{Deserialize, Serialize};

use crate::Delivery;
use crate::report::StageReport;
use crate::run::Walk;
use crate::vouch::{Judgement, recorded};

/// What a verification leaves behind. The log's entry of the release names its digest, and it
/// names every document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerifyEvidence {
    /// The image.
    pub image: Digest,
    /// What was done to it, which says what must be signed.
    pub acts: Vec<Act>,
    /// The blob that lists what is in it.
    pub inventory: Digest,
    /// All that was signed about it.
    pub statements: Vec<Kept>,
    /// What was found.
    pub report: Report,
}

impl VerifyEvidence {
    /// Every blob that it needs.
    pub fn blobs(&self) -> impl Iterator<Item = Digest> + '_ {
        let documents = self.statements.iter().flat_map(Kept::blobs);
        documents.chain([self.inventory])
    }
}

/// What was done to an image, and all that was signed about it.
#[derive(Debug, Clone)]
pub struct Said {
    /// What was done, which says what must be signed.
    pub acts: Vec<Act>,
    /// What was signed.
    pub statements: Vec<Kept>,
}

/// A verified image, as a rollout takes it.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The image.
    pub image: Image,
    /// The blob of the evidence.
    pub blob: Digest,
    /// The evidence.
    pub evidence: VerifyEvidence,
}

/// A release that was verified once, with all that this needs now.
pub struct Vouched {
    /// The evidence of its verification.
    pub evidence: VerifyEvidence,
    /// The evidence as it was written.
    pub text: Vec<u8>,
    /// What was signed.
    pub signed: Vec<model::attestation::Signed>,
    /// That the log has it; `None` until it does.
    pub recorded: Option<ports::Recorded>,
}

impl Delivery {
    /// Fails unless everything that had to be signed for `acts` is, and holds. Shows it in the
    /// registry then.
    pub(crate) async fn verify(
        &self,
        app: &App,
        walk: &Walk,
        image: &Image,
        inventory: Digest,
        said: Said,
        report: &StageReport<'_>,
    ) -> Result<Verified, Failure> {
        let Said { acts, statements } = said;
        let signed = self.unkept(&statements).await?;
        let judgement = self.judge(&image.digest, &signed, &acts, None).await;
        let evidence = VerifyEvidence {
            image: image.digest,
            acts,
            inventory,
            statements,
            report: judgement.require("the image")?,
        };
        let blob = self
            .record_evidence(
                app,
                walk,
                report,
                image.digest,
                &evidence,
                Stage::Verify,
                false,
            )
            .await?;
        let subject = self.subject(&app.name, &image.digest).await?;
        self.show(app, &subject, &signed).await?;
        report.done(false);
        Ok(Verified {
            image: image.clone(),
            blob,
            evidence,
        })
    }

    /// All that vouches for a release. Fails for one that was never verified.
    pub(crate) async fn vouched(&self, release: &Release) -> Result<Vouched, Failure> {
        let blob = release.verification.ok_or_else(|| unsigned(release))?;
        let text = self.blob(&blob).await?.to_vec();
        let evidence: VerifyEvidence = serde_json::from_slice(&text).map_err(|error| {
            Failure::internal("the evidence of a verification").because(error.to_string())
        })?;
        let proof = self.ports.ledger.proof(&release.key).await;
        let proof = proof.map_err(|error| Failure::of(&error))?;
        Ok(Vouched {
            signed: self.unkept(&evidence.statements).await?,
            recorded: proof.map(|proof| recorded(proof, &text)),
            evidence,
            text,
        })
    }

    /// What holds now of what vouches for a release.
    pub(crate) async fn judge_release(&self, release: &Release) -> Result<Judgement, Failure> {
        let vouched = self.vouched(release).await?;
        let image = &release.image.digest;
        let (signed, acts) = (&vouched.signed, &vouched.evidence.acts);
        Ok(self.judge(image, signed, acts, vouched.recorded).await)
    }

    /// Fails unless a release that is to take traffic verifies now.
    pub(crate) async fn require_verified(&self, release: &Release) -> Result<(), Failure> {
        let what = format!("release {} of `{}`", release.key.number, release.key.app);
        let judgement = self.judge_release(release).await?;
        judgement.require(&what).map(drop)
    }
}

fn unsigned(release: &Release) -> Failure {
    let text = format!(
        "release {} of `{}` was made before mayfly signed releases",
        release.key.number, release.key.app
    );
    Failure::new(model::FailureCode::NotVerified, text)
        .hint("run `mayfly up` in the app's folder to make a signed one")
}
