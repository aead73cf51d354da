//! Why the registry refuses or fails.

use std::io;

use ports::{BlobError, LedgerError};

use super::name::{ContentDigest, NameError};

/// Why the registry refused, or could not do it. What HTTP makes of it is the server's to say.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The repository does not link this blob.
    #[error("the repository has no blob `{0}`")]
    BlobUnknown(ContentDigest),
    /// The repository has no such manifest.
    #[error("the repository has no manifest `{0}`")]
    ManifestUnknown(String),
    /// Nothing is in this repository.
    #[error("there is no repository `{0}`")]
    RepositoryUnknown(String),
    /// There is no such upload in this repository.
    #[error("there is no such upload; it ended, or lay still for too long")]
    UploadUnknown,
    /// Another request writes to the upload now.
    #[error("another request writes to this upload")]
    UploadBusy,
    /// Too many uploads are open.
    #[error("{0} uploads are open already")]
    TooManyUploads(usize),
    /// A chunk does not begin where the upload ends.
    #[error("the next chunk begins at byte {offset}")]
    OutOfOrder {
        /// How many bytes are there.
        offset: u64,
    },
    /// A chunk is longer or shorter than it said.
    #[error("the chunk has another length than it says")]
    SizeMismatch,
    /// What was sent hashes to something else.
    #[error("the content does not hash to `{0}`")]
    DigestMismatch(ContentDigest),
    /// A blob is larger than any may be.
    #[error("a blob holds at most {0} bytes")]
    BlobTooLarge(u64),
    /// A manifest is larger than any may be.
    #[error("a manifest holds at most {0} bytes")]
    ManifestTooLarge(usize),
    /// It is no manifest.
    #[error("the manifest is refused: {0}")]
    ManifestInvalid(String),
    /// Something is called what nothing may be called.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The record failed.
    #[error("the registry's record failed")]
    Ledger(#[from] LedgerError),
    /// The blob store failed.
    #[error("the registry's blobs failed")]
    Blob(#[from] BlobError),
    /// The folder of uploads failed.
    #[error("an upload cannot be written")]
    Upload(#[from] io::Error),
}
