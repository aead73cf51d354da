//! A snapshot's files on disk, for as long as a build reads them.

use async_trait::async_trait;
use model::snapshot::Snapshot;

use crate::blob_store::BlobError;
use crate::builder::Source;

/// A source on disk; dropping it removes the files.
pub trait CheckedOut: Send + Sync {
    /// The files.
    fn source(&self) -> &Source;
}

/// Puts snapshots on disk.
#[async_trait]
pub trait Checkout: Send + Sync {
    /// Writes every file of `snapshot` to a new folder, owned by root, modes 644 and 755. Fails with
    /// [`BlobError::Missing`] when a file was never uploaded.
    async fn check_out(&self, snapshot: Snapshot) -> Result<Box<dyn CheckedOut>, BlobError>;
}
