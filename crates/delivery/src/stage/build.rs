//! Build: from a snapshot to an image.

use std::collections::BTreeMap;

use api::types::Inputs;
use model::app::App;
use model::env;
use model::evidence::Evidence;
use model::finding::Finding;
use model::image::Image;
use model::keep::KeepRules;
use model::manifest::Manifest;
use model::plan::Plan;
use model::provenance::Dependency;
use model::{Digest, Failure, FailureCode, Stage, Timestamp};
use ports::builder::Source;
use ports::{BuildRequest, Change, ProgressSink, TestRequest};
use serde::{Deserialize, Serialize};

use crate::Delivery;
use crate::admission::Admission;
use crate::report::StageReport;
use crate::run::Walk;

/// Goes up when equal folders would give other images than before.
const BUILD_FORMAT: u32 = 1;

/// What a build leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuildEvidence {
    /// The image.
    pub image: Image,
    /// What was made of the folder, and why.
    pub plan: Plan,
    /// The inputs that were resolved, by name.
    pub pins: BTreeMap<String, Digest>,
    /// The packages that it was made of.
    #[serde(default)]
    pub materials: Vec<Dependency>,
    /// Package URLs of those that the app itself names.
    #[serde(default)]
    pub direct: Vec<String>,
    /// What somebody should look at among the packages.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Names of the variables that the build saw.
    #[serde(default)]
    pub public_env: Vec<String>,
    /// When it began.
    #[serde(default)]
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Timestamp,
}

/// Everything that an image depends on; its hash is the build's input digest.
#[derive(Serialize)]
struct Input<'a> {
    format: u32,
    mayfly: &'static str,
    code: Digest,
    public_env: &'a BTreeMap<String, String>,
    pins: &'a BTreeMap<String, Digest>,
}

impl Delivery {
    /// The digest of everything that a build of this folder depends on.
    pub(crate) async fn build_input(&self, app: &App, walk: &Walk) -> Result<Digest, Failure> {
        let pins = self.pins(app, walk.request.inputs).await?;
        self.input_digest(walk, &self.public_env(app, walk).await?, &pins)
    }

    /// Builds, records the evidence and returns it with whether everything was in the cache.
    pub(crate) async fn build(
        &self,
        app: &App,
        walk: &Walk,
        source: &Source,
        admission: &Admission<'_>,
        report: &StageReport<'_>,
    ) -> Result<BuildEvidence, Failure> {
        let pins = self.pins(app, walk.request.inputs).await?;
        let public_env = self.public_env(app, walk).await?;
        let started_at = self.ports.clock.now();
        let request = BuildRequest {
            source: source.clone(),
            manifest: walk.manifest.clone(),
            public_env: public_env.clone(),
            pins: self.pin_contents(&pins).await?,
        };
        let built = self.ports.builder.build(request, admission, report).await?;
        let seen = admission.seen();
        for warning in &built.plan.warnings {
            ProgressSink::notice(report, &warning.to_string());
        }
        let pins = self.keep_pins(app, &built.pins).await?;
        let evidence = BuildEvidence {
            image: built.image,
            plan: built.plan,
            pins,
            materials: built.materials,
            direct: seen.direct,
            findings: seen.findings,
            public_env: public_env.keys().cloned().collect(),
            started_at,
            finished_at: self.ports.clock.now(),
        };
        let input = self.input_digest(walk, &public_env, &evidence.pins)?;
        self.record_evidence(
            app,
            walk,
            report,
            input,
            &evidence,
            Stage::Build,
            built.cached,
        )
        .await?;
        report.done(built.cached);
        Ok(evidence)
    }

    /// Records what a stage found, as a blob that the run holds.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one field of the evidence"
    )]
    pub(crate) async fn record_evidence<T: Serialize>(
        &self,
        app: &App,
        walk: &Walk,
        report: &StageReport<'_>,
        input: Digest,
        found: &T,
        stage: Stage,
        cached: bool,
    ) -> Result<Digest, Failure> {
        let blob = self.put_json(found).await?;
        let earlier = self
            .ports
            .ledger
            .evidence(walk.run)
            .await
            .map_err(|error| Failure::of(&error))?;
        let attempt = 1 + earlier
            .iter()
            .filter(|evidence| evidence.stage == stage)
            .count() as u32;
        let evidence = Evidence {
            run: walk.run,
            stage,
            attempt,
            input,
            blob,
            millis: report.millis(),
            cached,
        };
        let held = earlier
            .iter()
            .map(|evidence| evidence.blob)
            .chain([blob])
            .collect();
        let hold = Change::BlobsHeld {
            holder: walk.holder(),
            digests: held,
            rule: "evidence of a run".into(),
        };
        self.record(vec![
            Change::StageRecorded {
                app: app.name.clone(),
                evidence,
            },
            hold,
        ])
        .await?;
        Ok(blob)
    }

    pub(crate) async fn put_json<T: Serialize>(&self, value: &T) -> Result<Digest, Failure> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Failure::new(FailureCode::Internal, error.to_string()))?;
        self.ports
            .blobs
            .put(bytes.into())
            .await
            .map_err(|error| Failure::of(&error))
    }

    fn input_digest(
        &self,
        walk: &Walk,
        public_env: &BTreeMap<String, String>,
        pins: &BTreeMap<String, Digest>,
    ) -> Result<Digest, Failure> {
        let keep = KeepRules::new(&walk.manifest.run_config().keep);
        let keep =
            keep.map_err(|error| Failure::new(FailureCode::BadManifest, error.to_string()))?;
        let (code, _) = walk.snapshot.part(&keep);
        let version = env!("CARGO_PKG_VERSION");
        let input = Input {
            format: BUILD_FORMAT,
            mayfly: version,
            code: code.digest(),
            public_env,
            pins,
        };
        let bytes = serde_json::to_vec(&input).unwrap_or_default();
        Ok(Digest::of(&bytes))
    }

    /// Variables that a build may see: those with a public prefix.
    async fn public_env(
        &self,
        app: &App,
        walk: &Walk,
    ) -> Result<BTreeMap<String, String>, Failure> {
        let values = self.env_values(app).await?;
        let all = walk.manifest.env.clone().into_iter().chain(values);
        Ok(all.filter(|(name, _)| env::is_public(name)).collect())
    }

    async fn env_values(&self, app: &App) -> Result<BTreeMap<String, String>, Failure> {
        let ledger = &self.ports.ledger;
        let version = ledger
            .env_version(&app.name)
            .await
            .map_err(|error| Failure::of(&error))?;
        let values = ledger
            .env(&app.name, version)
            .await
            .map_err(|error| Failure::of(&error))?;
        Ok(values.0)
    }

    /// The inputs of earlier builds.
    async fn pins(&self, app: &App, inputs: Inputs) -> Result<BTreeMap<String, Digest>, Failure> {
        let mut pins = self.all_pins(app, inputs).await?;
        pins.retain(|name, _| !is_of_tests(name));
        Ok(pins)
    }

    /// The inputs of earlier builds, and of earlier tests.
    async fn all_pins(
        &self,
        app: &App,
        inputs: Inputs,
    ) -> Result<BTreeMap<String, Digest>, Failure> {
        if inputs == Inputs::Upgraded {
            return Ok(BTreeMap::new());
        }
        let pins = self
            .ports
            .ledger
            .pins(&app.name)
            .await
            .map_err(|error| Failure::of(&error))?;
        Ok(pins.into_iter().collect())
    }

    /// What is needed to run the tests of what was built.
    pub(crate) async fn test_request(
        &self,
        app: &App,
        walk: &Walk,
        source: &Source,
        built: &BuildEvidence,
    ) -> Result<TestRequest, Failure> {
        let mut pins = self.all_pins(app, walk.request.inputs).await?;
        pins.extend(built.pins.clone());
        Ok(TestRequest {
            source: source.clone(),
            manifest: walk.manifest.clone(),
            image: built.image.clone(),
            public_env: self.public_env(app, walk).await?,
            pins: self.pin_contents(&pins).await?,
        })
    }

    /// Keeps the inputs that tests alone need.
    pub(crate) async fn keep_test_pins(
        &self,
        app: &App,
        pins: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Failure> {
        let before = self.all_pins(app, Inputs::Pinned).await?;
        let mut changes = Vec::new();
        for (name, content) in pins.iter().filter(|(name, _)| is_of_tests(name)) {
            let blob = self.ports.blobs.put(content.clone().into()).await;
            let blob = blob.map_err(|error| Failure::of(&error))?;
            if before.get(name) != Some(&blob) {
                changes.push(Change::Pinned {
                    app: app.name.clone(),
                    name: name.clone(),
                    blob: Some(blob),
                });
            }
        }
        match changes.is_empty() {
            true => Ok(()),
            false => self.record(changes).await,
        }
    }

    async fn pin_contents(
        &self,
        pins: &BTreeMap<String, Digest>,
    ) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
        let mut contents = BTreeMap::new();
        for (name, digest) in pins {
            let blob = self
                .ports
                .blobs
                .get(digest)
                .await
                .map_err(|error| Failure::of(&error))?;
            contents.insert(name.clone(), blob.to_vec());
        }
        Ok(contents)
    }

    async fn keep_pins(
        &self,
        app: &App,
        pins: &BTreeMap<String, Vec<u8>>,
    ) -> Result<BTreeMap<String, Digest>, Failure> {
        let mut kept = BTreeMap::new();
        for (name, content) in pins {
            let digest = self
                .ports
                .blobs
                .put(content.clone().into())
                .await
                .map_err(|error| Failure::of(&error))?;
            kept.insert(name.clone(), digest);
        }
        let before = self.pins(app, Inputs::Pinned).await?;
        if before == kept {
            return Ok(kept);
        }
        let gone = before
            .keys()
            .filter(|name| !kept.contains_key(*name))
            .map(|name| (name.clone(), None));
        let now = kept
            .iter()
            .map(|(name, digest)| (name.clone(), Some(*digest)));
        let pinned = |(name, blob)| Change::Pinned {
            app: app.name.clone(),
            name,
            blob,
        };
        let hold = Change::BlobsHeld {
            holder: format!("pin:{}", app.name),
            digests: kept.values().copied().collect(),
            rule: "an input was resolved anew".into(),
        };
        let changes = gone.chain(now).map(pinned).chain([hold]).collect();
        self.record(changes).await?;
        Ok(kept)
    }
}

/// Whether an input is one of tests alone: it changes no image.
fn is_of_tests(pin: &str) -> bool {
    pin.contains(".tests.")
}

/// What a folder's mayfly.toml says; the defaults when there is none.
pub fn manifest(text: Option<&[u8]>) -> Result<Manifest, Failure> {
    let Some(bytes) = text else {
        return Ok(Manifest::default());
    };
    let bad = |text: String| Failure::new(FailureCode::BadManifest, text);
    let text =
        std::str::from_utf8(bytes).map_err(|_| bad("mayfly.toml is not UTF-8 text".into()))?;
    Manifest::parse(text).map_err(|error| {
        let failure = bad(error.to_string());
        match &error.nearest {
            Some(key) => failure.hint(format!("did you mean `{key}`?")),
            None => failure.hint("run `mayfly schema` to see every key"),
        }
    })
}
