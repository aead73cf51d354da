//! Layers: deterministic tar archives, compressed by one pinned compressor, and the folders that
//! they are unpacked in.
//!
//! The blob is the durable form. A folder is a cache of it: [`Shelf`] can make it again.

mod folder;
mod gzip;
mod packer;
mod place;
mod shelf;
mod tar_stream;
mod tree;
mod unpack;

pub use folder::normalise;
pub(crate) use packer::blocking;
pub use packer::{PackedLayer, Packer};
pub use place::{Place, PlaceError};
pub(crate) use shelf::this_boot;
pub use shelf::{Scratch, Shelf};
pub use tree::{Content, Node, Tree, TreeError};
pub use unpack::{UnpackError, UnpackLimits, unpack_tar};

use std::io;
use std::path::PathBuf;

use model::failure::{Failure, FailureCode, Remedy};
use ports::BlobError;
use ports::blob_store::is_disk_full;

/// Why a layer cannot be made or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// A list of files is no layer.
    #[error("these files cannot be a layer")]
    Tree(#[from] TreeError),
    /// A file of the machine cannot be read or written.
    #[error("`{path}` cannot be read or written")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// A path in the layer cannot be written.
    #[error("a layer's file cannot be placed")]
    Place(#[from] PlaceError),
    /// A blob is no layer, or a hostile one.
    #[error("a layer's archive cannot be unpacked")]
    Unpack(#[from] UnpackError),
    /// The blob store failed.
    #[error("a layer cannot be kept")]
    Blob(#[from] BlobError),
    /// A worker thread died.
    #[error("the layer's compressor stopped")]
    Worker,
}

impl LayerError {
    /// Names the file that an error is about.
    pub fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |cause| Self::Io { path, cause }
    }
}

impl Remedy for LayerError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Blob(cause) => cause.code(),
            Self::Io { cause, .. } | Self::Place(PlaceError::Io { cause, .. })
                if is_disk_full(cause) =>
            {
                FailureCode::DiskFull
            }
            Self::Tree(_) => FailureCode::BadFolder,
            _ => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Blob(cause) => cause.hint(),
            Self::Tree(_) => Some("rename the file, then run `mayfly up` again".into()),
            Self::Unpack(_) => Some("run `mayfly up --upgrade` to build it again".into()),
            _ if self.code() == FailureCode::DiskFull => {
                Some("free some disk space, then run `mayfly up` again".into())
            }
            _ => None,
        }
    }
}

impl From<LayerError> for Failure {
    fn from(error: LayerError) -> Self {
        Self::of(&error)
    }
}

/// Whether a path is one that a layer may have: relative, below its root, no control characters.
pub(crate) fn is_layer_path(path: &str) -> bool {
    model::snapshot::is_clean_path(path)
}
