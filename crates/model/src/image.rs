//! An OCI image as the rest of the house sees it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::serving::Serving;

/// What a layer holds; a run tells people in these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// Debian packages.
    Base,
    /// An interpreter that is no Debian package.
    Toolchain,
    /// What the app's lock file names.
    Dependencies,
    /// The app's own files, or what its build made of them.
    App,
}

impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base => "base",
            Self::Toolchain => "toolchain",
            Self::Dependencies => "dependencies",
            Self::App => "app",
        })
    }
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// What it holds.
    pub kind: LayerKind,
    /// The blob: a gzip-compressed tar.
    pub digest: Digest,
    /// Of the uncompressed tar; the folder it is unpacked in goes by this name.
    pub diff_id: Digest,
    /// Of the blob.
    pub size_bytes: u64,
}

/// An image in the blob store. The manifest's digest is its only identity, never a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Of the OCI manifest.
    pub digest: Digest,
    /// Of the OCI config blob.
    pub config: Digest,
    /// Lowest first.
    pub layers: Vec<Layer>,
    /// How to serve it.
    pub serving: Serving,
}

impl Image {
    /// Every blob the image needs, itself included.
    pub fn blobs(&self) -> Vec<Digest> {
        let own = [self.digest, self.config];
        own.into_iter()
            .chain(self.layers.iter().map(|layer| layer.digest))
            .collect()
    }

    /// The compressed size of all layers.
    pub fn size_bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size_bytes).sum()
    }
}
