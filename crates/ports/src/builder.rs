//! Makes an image of a folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use model::Digest;
use model::failure::Failure;
use model::image::Image;
use model::manifest::Manifest;
use model::plan::Plan;
use model::progress::Stream;
use model::provenance::Dependency;
use model::snapshot::Snapshot;

use crate::package_gate::PackageGate;

/// A folder's content on disk, read-only, owned by root, as its snapshot says.
#[derive(Debug, Clone)]
pub struct Source {
    /// What is in it.
    pub snapshot: Snapshot,
    /// Where it lies.
    pub root: PathBuf,
}

/// What a build is made of. Equal requests give an image with an equal digest.
#[derive(Debug, Clone)]
pub struct BuildRequest {
    /// The app's files.
    pub source: Source,
    /// What `mayfly.toml` says.
    pub manifest: Manifest,
    /// Values of public variables (`VITE_…`); nothing secret.
    pub public_env: BTreeMap<String, String>,
    /// Inputs that an earlier build of the app resolved: locks, lists of packages, by name.
    pub pins: BTreeMap<String, Vec<u8>>,
}

/// What a build made.
#[derive(Debug, Clone)]
pub struct Built {
    /// The image; all its blobs are in the blob store, and its layers are unpacked.
    pub image: Image,
    /// What it decided and why.
    pub plan: Plan,
    /// The inputs that it resolved or used again; the next build gets them as `pins`.
    pub pins: BTreeMap<String, Vec<u8>>,
    /// The packages that it was made of, each with the digest by which it was accepted.
    pub materials: Vec<Dependency>,
    /// Whether every layer was in the cache.
    pub cached: bool,
}

/// Hears what a build does, for the one who waits.
pub trait ProgressSink: Send + Sync {
    /// A step began; the words name it at its end too.
    fn step_started(&self, step: &str);
    /// A step ended well.
    fn step_done(&self, step: &str, seconds: f64, cached: bool);
    /// A command printed a line.
    fn line(&self, stream: Stream, line: &str);
    /// The user should know something.
    fn notice(&self, text: &str);
}

/// Makes images. No code of a package runs and none is installed before `gate` admitted it.
/// Failures say what to do: they reach the user as they are.
#[async_trait]
pub trait Builder: Send + Sync {
    /// What will be done with a folder, without doing it. Reads files of the source only.
    fn plan(&self, source: &Source, manifest: &Manifest) -> Result<Plan, Failure>;

    /// Builds the image. Dropping the future stops the build and leaves nothing behind.
    async fn build(
        &self,
        request: BuildRequest,
        gate: &dyn PackageGate,
        progress: &dyn ProgressSink,
    ) -> Result<Built, Failure>;

    /// Where the layer with this `diff_id` is unpacked, unpacking it from its blob when the cache
    /// has lost it.
    async fn layer(&self, layer: &model::image::Layer) -> Result<PathBuf, Failure>;

    /// Evicts cached layers and tools until the rest fits in `limit_bytes`; layers in `in_use` (by
    /// `diff_id`) stay. Returns bytes freed, as measured.
    async fn evict(&self, limit_bytes: u64, in_use: &[Digest]) -> Result<u64, Failure>;
}
