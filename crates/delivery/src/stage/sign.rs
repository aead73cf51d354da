//! Sign: signs the image and how it was built.

use std::collections::BTreeMap;

use api::types::Inputs;
use model::app::App;
use model::attestation::{Kept, Layout, PredicateType, Signed, Subject};
use model::image::LayerKind;
use model::provenance::{Build, Builder, Dependency, Source};
use model::{Digest, Failure, Stage};
use serde::{Deserialize, Serialize};

use crate::Delivery;
use crate::report::StageReport;
use crate::run::Walk;
use crate::stage::build::BuildEvidence;

/// What signing an image leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SignEvidence {
    /// The signature, and how the image was built.
    pub statements: Vec<Kept>,
}

impl Delivery {
    /// Signs the image and its provenance.
    pub(crate) async fn sign(
        &self,
        app: &App,
        walk: &Walk,
        built: &BuildEvidence,
        report: &StageReport<'_>,
    ) -> Result<SignEvidence, Failure> {
        let subject = self.subject(&app.name, &built.image.digest).await?;
        let predicate = self.provenance(app, walk, built).predicate();
        let signature = async {
            match self.earlier_signature(app, &subject.digest).await {
                Some(signature) => Ok(signature),
                None => {
                    let kind = PredicateType::Signature;
                    self.vouch(&subject, kind, b"{}", report).await
                }
            }
        };
        let kind = PredicateType::Provenance;
        let provenance = self.vouch(&subject, kind, &predicate, report);
        // Beside each other: an identity's signature waits for a public log.
        let (signature, provenance) = tokio::try_join!(signature, provenance)?;
        let signed = [signature, provenance];
        let evidence = SignEvidence {
            statements: self.keep(&signed).await?,
        };
        let input = built.image.digest;
        self.record_evidence(app, walk, report, input, &evidence, Stage::Sign, false)
            .await?;
        report.done(false);
        Ok(evidence)
    }

    /// The signature of the release that serves, when its image is the same and it still counts:
    /// an image is signed once.
    async fn earlier_signature(&self, app: &App, image: &Digest) -> Option<Signed> {
        let stable = self.stable(&app.name).await?;
        if stable.image.digest != *image {
            return None;
        }
        let mut signed = self.vouched(&stable).await.ok()?.signed;
        signed.retain(|one| one.kind == PredicateType::Signature);
        let judgement = self.judge(image, &signed, &[], None).await;
        judgement.shortcomings.is_empty().then(|| signed.pop())?
    }

    /// Shows all that was signed about an image so far.
    pub(crate) async fn show(
        &self,
        app: &App,
        subject: &Subject,
        signed: &[Signed],
    ) -> Result<(), Failure> {
        let laid_out = self.ports.signer.lay_out(subject, signed);
        let mut artifacts = laid_out.map_err(|error| Failure::of(&error))?;
        // The registry lists referrers by itself.
        artifacts.retain(|artifact| artifact.layout != Layout::ReferrersTag);
        let registry = &self.ports.registry;
        registry
            .publish(&app.name, &subject.digest, artifacts, Vec::new())
            .await
    }

    fn provenance(&self, app: &App, walk: &Walk, built: &BuildEvidence) -> Build {
        let layers = built
            .image
            .layers
            .iter()
            .filter(|layer| layer.kind != LayerKind::App);
        let layers = layers.map(|layer| Dependency {
            uri: format!("urn:mayfly:layer:{}", layer.diff_id.hex()),
            name: layer.kind.to_string(),
            digest: sha256(&layer.digest),
        });
        Build {
            app: app.name.to_string(),
            source: Source {
                snapshot: walk.request.snapshot,
                commit: walk.request.commit.clone(),
            },
            parameters: parameters(walk, built),
            builder: Builder {
                id: self.settings.builder.id.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                placement: self.settings.builder.placement,
            },
            dependencies: layers.chain(built.materials.iter().cloned()).collect(),
            run: walk.run,
            started_at: built.started_at,
            finished_at: built.finished_at,
        }
    }
}

fn sha256(digest: &Digest) -> BTreeMap<String, String> {
    [("sha256".to_owned(), digest.hex())].into()
}

/// What the folder and its owner asked for. Values of variables are no part of it.
fn parameters(walk: &Walk, built: &BuildEvidence) -> BTreeMap<String, String> {
    let plan = &built.plan;
    let inputs = match walk.request.inputs {
        Inputs::Pinned => "pinned",
        Inputs::Upgraded => "upgraded",
    };
    let all = [
        ("kind", plan.kind.to_string()),
        ("base", plan.base.clone()),
        ("packages", plan.packages.join(" ")),
        ("build", plan.build.join("\n")),
        ("start", plan.start.join(" ")),
        ("inputs", inputs.to_owned()),
        ("public_env", built.public_env.join(" ")),
    ];
    let told = all.into_iter().filter(|(_, value)| !value.is_empty());
    told.map(|(name, value)| (name.to_owned(), value)).collect()
}
