//! The repositories of releases.

use async_trait::async_trait;
use model::attestation::Artifact;
use model::failure::{FailureCode, Remedy};
use model::{AppName, Digest, Failure};
use ports::ImageRegistry;
use ports::image_registry::{self, Sent};

use super::credentials::Login;
use super::{CopyError, Destination, OutsideError, Registry, RegistryError, RepositoryName, Tag};

/// What the names of all these repositories begin with.
pub const RELEASES: &str = "apps/";

/// Shows releases in a registry that clients reach at a host.
#[derive(Clone)]
pub struct ReleaseRegistry {
    registry: Registry,
    host: String,
}

impl ReleaseRegistry {
    /// Releases in `registry`, which clients reach at `host`, with its port.
    pub fn new(registry: Registry, host: String) -> Self {
        Self { registry, host }
    }
}

#[async_trait]
impl ImageRegistry for ReleaseRegistry {
    fn repository(&self, app: &AppName) -> String {
        format!("{}/{RELEASES}{app}", self.host)
    }

    async fn publish(
        &self,
        app: &AppName,
        image: &Digest,
        attached: Vec<Artifact>,
        tags: Vec<String>,
    ) -> Result<(), Failure> {
        let tags = parse(&tags)?;
        let name = name(app)?;
        let published = self.registry.publish(&name, image, &attached, &tags);
        published.await.map_err(|error| Failure::of(&error))
    }

    async fn send(
        &self,
        app: &AppName,
        image: &Digest,
        to: &image_registry::Destination,
    ) -> Result<Sent, Failure> {
        let to = Destination {
            registry: to.registry.clone(),
            repository: to.repository.clone(),
            tags: parse(&to.tags)?,
            login: to.login.clone().map(|login| Login {
                user: login.user,
                secret: login.secret,
            }),
        };
        let copied = self.registry.copy(&name(app)?, &(*image).into(), &to).await;
        let copied = copied.map_err(|error| Failure::of(&error))?;
        Ok(Sent {
            manifests: copied.manifests,
            blobs: copied.blobs,
            bytes: copied.sent_bytes,
        })
    }

    async fn apps(&self) -> Result<Vec<AppName>, Failure> {
        let names = self.registry.repositories(RELEASES).await;
        let names = names.map_err(|error| Failure::of(&error))?;
        let app = |name: &RepositoryName| name.as_str().strip_prefix(RELEASES)?.parse().ok();
        Ok(names.iter().filter_map(app).collect())
    }

    async fn remove(&self, app: &AppName, rule: &str) -> Result<(), Failure> {
        let removed = self.registry.remove_repository(&name(app)?, rule).await;
        removed.map(drop).map_err(|error| Failure::of(&error))
    }
}

fn name(app: &AppName) -> Result<RepositoryName, Failure> {
    let name = format!("{RELEASES}{app}").parse();
    name.map_err(|error| Failure::of(&RegistryError::Name(error)))
}

fn parse(tags: &[String]) -> Result<Vec<Tag>, Failure> {
    let tags: Result<_, _> = tags.iter().map(|tag| tag.parse()).collect();
    tags.map_err(|error| Failure::of(&RegistryError::Name(error)))
}

impl Remedy for RegistryError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Name(_) => FailureCode::Usage,
            Self::BlobUnknown(_) | Self::ManifestUnknown(_) | Self::RepositoryUnknown(_) => {
                FailureCode::NotFound
            }
            Self::Ledger(error) => error.code(),
            Self::Blob(error) => error.code(),
            Self::ManifestTooLarge(_) | Self::BlobTooLarge(_) => FailureCode::TooLarge,
            _ => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Ledger(error) => error.hint(),
            Self::Blob(error) => error.hint(),
            _ => None,
        }
    }
}

impl Remedy for CopyError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Source(error) => error.code(),
            Self::Refused { .. } => FailureCode::Network,
            Self::Client(_) => FailureCode::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Source(error) => error.hint(),
            Self::Refused { registry, .. } => Some(format!(
                "run `docker login {registry}` as a user who may push there, then try again"
            )),
            Self::Client(_) => Some("a registry is `HOST/NAME` or `HOST:PORT/NAME`".into()),
        }
    }

    fn is_retryable(&self) -> bool {
        false
    }
}

impl Remedy for OutsideError {
    fn code(&self) -> FailureCode {
        match self {
            Self::NoReference(_) => FailureCode::Usage,
            Self::Refused { .. } => FailureCode::Network,
            Self::TooMuch | Self::Malformed(_) => FailureCode::NotVerified,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { registry, .. } => Some(format!(
                "check the image's name; where the registry asks who you are, run `docker login {registry}`"
            )),
            _ => None,
        }
    }
}
