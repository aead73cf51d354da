//! What can be wrong with a folder.

use std::io;
use std::path::PathBuf;

use model::failure::{Failure, FailureCode, Remedy};
use model::snapshot::SnapshotError;

use crate::face::Bytes;

const MORE_FILES: &str = "start the daemon with `mayfly serve --source-files COUNT`";
const MORE_BYTES: &str = "start the daemon with `mayfly serve --source-size SIZE`";

/// Why a folder cannot be read as an app.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// There is nothing at that path.
    #[error("there is no folder `{}`", folder.display())]
    Missing {
        /// The path.
        folder: PathBuf,
    },
    /// There is something else at that path.
    #[error("`{}` is not a folder", folder.display())]
    NotAFolder {
        /// The path.
        folder: PathBuf,
    },
    /// The caller may not read a folder or a file.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The folder, or the file in it.
        path: String,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// A name is not UTF-8.
    #[error("the name `{path}` is not UTF-8 text")]
    NotText {
        /// The name, what is no text in it escaped.
        path: String,
    },
    /// There are more files than allowed; they were not counted to the end.
    #[error("the folder has more than {limit} files")]
    TooManyFiles {
        /// How many may be.
        limit: usize,
        /// The folder in it that holds most of those seen.
        fullest: Option<String>,
    },
    /// The files are larger than allowed; they were not added up to the end.
    #[error(
        "the folder holds more than {}; the largest file seen is `{largest}` with {}",
        Bytes(*limit_bytes),
        Bytes(*largest_bytes)
    )]
    TooLarge {
        /// What is allowed.
        limit_bytes: u64,
        /// The largest file.
        largest: String,
        /// Its size.
        largest_bytes: u64,
    },
    /// A file changed while it was read, more than once.
    #[error("`{path}` changes while it is read")]
    Changes {
        /// The file.
        path: String,
    },
    /// A line of `.mayflyignore` cannot be read.
    #[error(".mayflyignore:{line}: {why}")]
    Ignore {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// What was found makes no app.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
}

impl Remedy for FolderError {
    fn code(&self) -> FailureCode {
        match self {
            Self::TooManyFiles { .. } | Self::TooLarge { .. } => FailureCode::TooLarge,
            Self::Snapshot(cause) => cause.code(),
            _ => FailureCode::BadFolder,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => {
                "run `mayfly up` in the app's folder, or name that folder".into()
            }
            Self::NotAFolder { .. } => {
                "name the folder that the file lies in: `mayfly up .`".into()
            }
            Self::Unreadable { path, .. } => {
                format!(
                    "run `chmod -R u+rX '{path}'`, or leave it out with a line in .mayflyignore"
                )
            }
            Self::NotText { .. } | Self::Snapshot(SnapshotError::BadPath(_)) => {
                "rename it: letters of any language are fine, control characters are not".into()
            }
            Self::TooManyFiles {
                fullest: Some(folder),
                ..
            } => {
                format!(
                    "if the app does not need it: `echo '{folder}/' >> .mayflyignore`; else {MORE_FILES}"
                )
            }
            Self::TooManyFiles { .. } | Self::Snapshot(SnapshotError::TooManyFiles { .. }) => {
                format!("leave folders out with a line each in .mayflyignore; else {MORE_FILES}")
            }
            Self::TooLarge { largest, .. }
            | Self::Snapshot(SnapshotError::TooLarge { largest, .. }) => {
                format!(
                    "if the app does not need it: `echo '{largest}' >> .mayflyignore`; else {MORE_BYTES}"
                )
            }
            Self::Changes { .. } => {
                "stop what writes to it, or leave it out with a line in .mayflyignore".into()
            }
            Self::Ignore { .. } => "a line names a file, `*.log`, or a folder, `drafts/`".into(),
            Self::Snapshot(SnapshotError::Empty) => {
                "put the app's files there, or name another folder: `mayfly up DIR`".into()
            }
            Self::Snapshot(SnapshotError::EscapingLink { path, .. }) => format!(
                "copy what it points to into the folder, or `echo '{path}' >> .mayflyignore`"
            ),
        })
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Changes { .. })
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::of(&error)
    }
}
