//! The log that cannot be rewritten unnoticed.

#[cfg(feature = "contracts")]
pub mod contract;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use model::failure::{FailureCode, Remedy};
use model::transparency::{Checkpoint, Consistency, Inclusion};

/// What is wrong with a log, a checkpoint or a proof.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file cannot be read or written.
    #[error("the log's file `{}` cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file is missing, cut off or changed.
    #[error("the log's file `{}` is damaged: {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        why: String,
    },
    /// The log is not what it was.
    #[error("the log was rewritten: {0}")]
    Rewritten(String),
    /// A checkpoint is signed by somebody else, or for another log.
    #[error("the checkpoint is not one of this log: {0}")]
    ForeignCheckpoint(String),
    /// A proof does not prove it.
    #[error("the proof does not hold: {0}")]
    BadProof(String),
    /// There is no such entry, or not yet.
    #[error("the log has {size} entries, and none with the number {index}")]
    Missing {
        /// How many it has.
        size: u64,
        /// Which was asked for.
        index: u64,
    },
    /// Entries must follow each other.
    #[error("the log has {size} entries; the next one cannot be number {first}")]
    Gap {
        /// How many it has.
        size: u64,
        /// Which was handed in.
        first: u64,
    },
    /// An entry is empty, no text, or longer than a bundle can hold.
    #[error("entry {index} of {bytes} bytes cannot be kept: entries are texts of 1 to 65535 bytes")]
    BadEntry {
        /// Which.
        index: u64,
        /// Its size.
        bytes: usize,
    },
}

impl Remedy for LogError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Missing { .. } => FailureCode::NotFound,
            Self::Io { cause, .. } if crate::blob_store::is_disk_full(cause) => {
                FailureCode::DiskFull
            }
            Self::Io { .. } | Self::Damaged { .. } => FailureCode::Machine,
            _ => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Damaged { .. } => {
                Some("run `mayfly audit verify` to see whether the ledger can restore it".into())
            }
            Self::Rewritten(_) => {
                Some("run `mayfly audit verify` to find the first entry that differs".into())
            }
            _ => None,
        }
    }
}

/// An append-only log of texts in a Merkle tree. What `append` acknowledged survives a crash of
/// the machine.
#[async_trait]
pub trait TransparencyLog: Send + Sync {
    /// Adds `entries`, the first of which has the number `first` (from 0).
    ///
    /// Those that are there already must be the same; so a batch that was interrupted is handed in
    /// again with the effect of once.
    async fn append(&self, first: u64, entries: Vec<String>) -> Result<Checkpoint, LogError>;

    /// The newest checkpoint.
    async fn checkpoint(&self) -> Result<Checkpoint, LogError>;

    /// That entry `index` is in the log of the newest checkpoint.
    async fn prove_inclusion(&self, index: u64) -> Result<Inclusion, LogError>;

    /// That the newest checkpoint continues the log that had `from` entries.
    async fn prove_consistency(&self, from: u64) -> Result<Consistency, LogError>;

    /// One file of the log as clients ask for it: `checkpoint`, `tile/<level>/<n>[.p/<width>]`,
    /// `tile/entries/<n>[.p/<width>]` (C2SP tlog-tiles). `None` when there is none.
    async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, LogError>;

    /// Compares the whole log with `entries`: all of them, no more, no less.
    async fn verify(&self, entries: Vec<String>) -> Result<Checkpoint, LogError>;

    /// What clients verify checkpoints with: `<origin>+<id>+<key>` (C2SP signed-note).
    async fn verifier_key(&self) -> String;
}
