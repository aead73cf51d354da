//! Bytes by their digest.

#[cfg(feature = "contracts")]
pub mod contract;

use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use model::failure::{FailureCode, Remedy};
use model::{Digest, Timestamp};

/// Why a blob cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// It is not there.
    #[error("blob `{0}` is missing")]
    Missing(Digest),
    /// Its bytes are not those of its digest.
    #[error("blob `{0}` is damaged")]
    Damaged(Digest),
    /// What was handed in does not hash to the digest that was promised.
    #[error("the content of `{expected}` hashes to `{actual}`")]
    Mismatch {
        /// What was promised.
        expected: Digest,
        /// What came.
        actual: Digest,
    },
    /// The store itself failed.
    #[error("the blob store failed")]
    Io(#[source] io::Error),
}

impl Remedy for BlobError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Mismatch { .. } => FailureCode::BadFolder,
            Self::Io(cause) if is_disk_full(cause) => FailureCode::DiskFull,
            _ => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Mismatch { .. } => {
                Some("a file changed while it was read; run `mayfly up` again".into())
            }
            Self::Io(cause) if is_disk_full(cause) => {
                Some("free some disk space, then run `mayfly up` again".into())
            }
            Self::Missing(_) | Self::Damaged(_) => {
                Some("run `mayfly up --upgrade` to build it again".into())
            }
            Self::Io(_) => None,
        }
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Mismatch { .. })
    }
}

/// Whether an error says that a disk or a quota is full.
pub fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// What the store knows about a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its identity.
    pub digest: Digest,
    /// Its size.
    pub size_bytes: u64,
    /// When it was last written.
    pub modified_at: Timestamp,
}

/// Blobs by digest. What `put` acknowledged survives a crash of the machine.
///
/// Which blobs may go is the ledger's to say (references); a store only removes what it is told to.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Keeps `bytes`. Keeping the same bytes twice has the effect of once.
    async fn put(&self, bytes: Bytes) -> Result<Digest, BlobError>;

    /// Keeps many blobs with one flush; all or none of them are acknowledged. Each item may name
    /// the digest it promised.
    async fn put_all(&self, blobs: Vec<(Option<Digest>, Bytes)>) -> Result<Vec<Digest>, BlobError>;

    /// Keeps the content of a finished file, which is moved or copied away. `digest` and size were
    /// computed by the caller while it wrote the file, and are trusted.
    async fn put_file(&self, file: &Path, digest: Digest) -> Result<(), BlobError>;

    /// The whole blob, checked against its digest.
    async fn get(&self, digest: &Digest) -> Result<Bytes, BlobError>;

    /// Up to `length` bytes of the blob from `offset` on, unchecked; fewer at its end. For those who
    /// stream from a store that has no local file.
    async fn read_part(
        &self,
        digest: &Digest,
        offset: u64,
        length: usize,
    ) -> Result<Bytes, BlobError> {
        let whole = self.get(digest).await?;
        let start = usize::try_from(offset).map_or(whole.len(), |at| at.min(whole.len()));
        let end = start.saturating_add(length).min(whole.len());
        Ok(whole.slice(start..end))
    }

    /// A local file with the blob's content, for those who can stream; `None` when the store is
    /// remote.
    async fn local_path(&self, digest: &Digest) -> Result<Option<PathBuf>, BlobError>;

    /// Which of `digests` are not there.
    async fn missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, BlobError>;

    /// Removes one blob; one that is not there is no error.
    async fn remove(&self, digest: &Digest) -> Result<(), BlobError>;

    /// Every blob.
    async fn list(&self) -> Result<Vec<BlobInfo>, BlobError>;
}
