//! Shows the images of releases to other people's tools.

use async_trait::async_trait;
use model::attestation::Artifact;
use model::{AppName, Digest, Failure};

/// Who sends, where a registry asks.
#[derive(Clone)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password or token.
    pub secret: String,
}

/// A repository of a registry elsewhere.
#[derive(Clone)]
pub struct Destination {
    /// Its host, with a port when it needs one.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The tags that the image gets there.
    pub tags: Vec<String>,
    /// Who sends it.
    pub login: Option<Login>,
}

/// What was sent elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Manifests: the image, and all that vouches for it.
    pub manifests: usize,
    /// Blobs that were not there yet.
    pub blobs: usize,
    /// Their size.
    pub bytes: u64,
}

/// The repositories of releases: one an app, which nobody else writes to.
#[async_trait]
pub trait ImageRegistry: Send + Sync {
    /// An app's repository as clients name it: `127.0.0.1:7778/apps/shop`.
    fn repository(&self, app: &AppName) -> String;

    /// Shows an image that is in the blob store, what is `attached` to it, and moves `tags` to it;
    /// all or nothing. Twice has the effect of once.
    async fn publish(
        &self,
        app: &AppName,
        image: &Digest,
        attached: Vec<Artifact>,
        tags: Vec<String>,
    ) -> Result<(), Failure>;

    /// Sends an image with all that vouches for it to a registry elsewhere. Its tags come last:
    /// whoever sees them sees the rest.
    async fn send(&self, app: &AppName, image: &Digest, to: &Destination) -> Result<Sent, Failure>;

    /// The apps that have a repository.
    async fn apps(&self) -> Result<Vec<AppName>, Failure>;

    /// Removes an app's repository, by `rule`; one that is not there is no error.
    async fn remove(&self, app: &AppName, rule: &str) -> Result<(), Failure>;
}
