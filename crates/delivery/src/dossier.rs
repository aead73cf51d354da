//! What vouches for a release, for those who judge by themselves.

use api::supply::{Dossier, KnownKey, PushRequest, Pushed};
use model::app::Owner;
use model::inventory::{About, BillFormat, Diff, Inventory, diff};
use model::signing_key::KeyRefusal;
use model::verification::{Refusal, Shortcoming};
use model::{AppName, Digest, Failure, FailureCode, Release, ReleaseKey, ReleaseNumber, tag};
use ports::image_registry::{Destination, Login};

use crate::Delivery;

/// Which release of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The one that serves.
    Stable,
    /// The one with this number.
    Number(ReleaseNumber),
    /// The newest of this image.
    Image(Digest),
}

impl Delivery {
    /// All that vouches for a release, with the log's proof.
    pub async fn dossier(&self, app: &AppName, which: Which) -> Result<Dossier, Failure> {
        let release = self.which(app, which).await?;
        self.transcribe().await?;
        let vouched = self.vouched(&release).await?;
        let keys = self.ports.keys.keys().await.into_iter();
        Ok(Dossier {
            app: app.clone(),
            release: release.key.number,
            subject: self.subject(app, &release.image.digest).await?,
            manifest: String::from_utf8_lossy(&self.blob(&release.image.digest).await?)
                .into_owned(),
            acts: vouched.evidence.acts,
            statements: vouched.signed,
            evidence: String::from_utf8_lossy(&vouched.text).into_owned(),
            inclusion: vouched.recorded.map(|recorded| recorded.inclusion),
            keys: keys
                .map(|key| KnownKey {
                    id: key.id,
                    public_pem: key.public_pem,
                    validity: key.validity,
                })
                .collect(),
            log_key: self.ports.log.verifier_key().await,
            keyless: None,
        })
    }

    /// What is in a release's image, as others read it: the bytes that were signed.
    pub async fn bill(
        &self,
        app: &AppName,
        which: Which,
        format: BillFormat,
    ) -> Result<Vec<u8>, Failure> {
        let release = self.which(app, which).await?;
        let inventory = self.inventory_of(&release).await?;
        let built = self.plan_of(Some(&release)).await;
        let about = About {
            app,
            release: None,
            image: release.image.digest,
            created_at: built.map_or(release.created_at, |built| built.finished_at),
        };
        Ok(self.ports.cataloguer.bill(format, &inventory, &about))
    }

    /// What is in a release's image.
    pub async fn inventory(&self, app: &AppName, which: Which) -> Result<Inventory, Failure> {
        let release = self.which(app, which).await?;
        self.inventory_of(&release).await
    }

    /// What changed in the images from one release to another.
    pub async fn bill_diff(&self, app: &AppName, from: Which, to: Which) -> Result<Diff, Failure> {
        let (before, after) = (
            self.inventory(app, from).await?,
            self.inventory(app, to).await?,
        );
        Ok(diff(&before, &after))
    }

    /// Copies a release's image, with all that vouches for it, to a registry elsewhere.
    pub async fn push(
        &self,
        name: &AppName,
        request: PushRequest,
        owner: Owner,
    ) -> Result<Pushed, Failure> {
        let app = self.own_app(name, owner).await?;
        let which = request.release.map_or(Which::Stable, Which::Number);
        let release = self.which(&app.name, which).await?;
        let tags = match request.tags.is_empty() {
            true => vec![tag::of_release(release.key.number)],
            false => request.tags,
        };
        let to = Destination {
            tags,
            registry: request.registry,
            repository: request.repository,
            login: request.login.map(|(user, secret)| Login { user, secret }),
        };
        let digest = release.image.digest;
        let sent = self.ports.registry.send(name, &digest, &to).await?;
        Ok(Pushed {
            digest,
            reference: format!("{}/{}@{digest}", to.registry, to.repository),
            manifests: sent.manifests,
            blobs: sent.blobs,
            sent_bytes: sent.bytes,
        })
    }

    /// Sentences about the releases among `releases` that a revoked key signed.
    pub(crate) async fn revoked(&self, releases: &[Release]) -> Vec<String> {
        let keys = self.ports.keys.keys().await;
        if keys.iter().all(|key| key.validity.revoked_from.is_none()) {
            return Vec::new();
        }
        let mut concerned = Vec::new();
        for release in releases {
            let Ok(judgement) = self.judge_release(release).await else {
                continue;
            };
            if judgement.shortcomings.iter().any(is_revoked) {
                concerned.push(release.key.number.to_string());
            }
        }
        match concerned.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "releases whose key is revoked, and which cannot be rolled back to: {}; `mayfly up` signs anew",
                concerned.join(", ")
            )],
        }
    }

    async fn inventory_of(&self, release: &Release) -> Result<Inventory, Failure> {
        let vouched = self.vouched(release).await?;
        self.read_inventory(&vouched.evidence.inventory).await
    }

    async fn which(&self, app: &AppName, which: Which) -> Result<Release, Failure> {
        let known = self.known_app(app).await?;
        let number = match which {
            Which::Stable => known.stable,
            Which::Number(number) => Some(number),
            Which::Image(image) => {
                let releases = self.ports.ledger.releases(app).await;
                let releases = releases.map_err(|error| Failure::of(&error))?;
                let same = releases.into_iter().find(|one| one.image.digest == image);
                return same.ok_or_else(|| no_release(app, &format!("with the image {image}")));
            }
        };
        let number = number.ok_or_else(|| no_release(app, "that serves"))?;
        let key = ReleaseKey {
            app: app.clone(),
            number,
        };
        let release = self.ports.ledger.release(&key).await;
        let release = release.map_err(|error| Failure::of(&error))?;
        release.ok_or_else(|| no_release(app, &number.to_string()))
    }
}

fn is_revoked(shortcoming: &Shortcoming) -> bool {
    let Shortcoming::Refused { why, .. } = shortcoming else {
        return false;
    };
    matches!(why, Refusal::Key(KeyRefusal::Revoked { .. }))
}

fn no_release(app: &AppName, which: &str) -> Failure {
    let text = format!("`{app}` has no release {which}");
    let hint = format!("run `mayfly status {app}` to see its releases");
    Failure::new(FailureCode::NotFound, text).hint(hint)
}
