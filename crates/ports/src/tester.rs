//! Runs an app's own tests over its image.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::Digest;
use model::failure::Failure;
use model::image::Image;
use model::manifest::Manifest;
use model::suite::TestReport;

use crate::builder::{ProgressSink, Source};
use crate::package_gate::PackageGate;

/// What is tested.
#[derive(Debug, Clone)]
pub struct TestRequest {
    /// The app's files: those that the image was built from.
    pub source: Source,
    /// What `mayfly.toml` says.
    pub manifest: Manifest,
    /// What a build made of them.
    pub image: Image,
    /// Values of public variables; nothing secret.
    pub public_env: BTreeMap<String, String>,
    /// The inputs of the build, and those that earlier tests resolved: locks, by name.
    pub pins: BTreeMap<String, Vec<u8>>,
}

/// What running them came to.
#[derive(Debug, Clone, Default)]
pub struct Tested {
    /// What the tests said.
    pub report: TestReport,
    /// The inputs that were resolved or used again for the tests alone; the next request gets them
    /// in its `pins`, beside those of the build.
    pub pins: BTreeMap<String, Vec<u8>>,
}

/// Runs tests in sandboxes: without a network, limited, and with public variables only. Tests that
/// fail are no failure of the port: they are in the report.
#[async_trait]
pub trait Tester: Send + Sync {
    /// The identity of all that decides how the tests end; `None` when there are none to run. Reads
    /// files of the source only. Pins are no part of it: they follow from the rest and are kept.
    fn input(&self, request: &TestRequest) -> Result<Option<Digest>, Failure>;

    /// Runs every suite to its end. The image stays as it is: what only tests need lies in a layer
    /// beside it. Dropping the future stops the tests and leaves nothing behind.
    async fn test(
        &self,
        request: TestRequest,
        gate: &dyn PackageGate,
        progress: &dyn ProgressSink,
    ) -> Result<Tested, Failure>;
}
