//! The list of packages that a base is made of: its identity, and an input of the next build.

use model::Digest;
use serde::{Deserialize, Serialize};

/// Which of a mirror's archives a package comes from. Hosts are no part of a pin: it holds on a
/// machine with another mirror too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Archive {
    Main,
    Security,
}

/// One package, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PinnedPackage {
    pub(crate) package: String,
    pub(crate) version: String,
    pub(crate) architecture: String,
    /// The source package and its version when they differ, as the index writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    pub(super) archive: Archive,
    /// Below the archive.
    pub(super) file: String,
    pub(crate) sha256: Digest,
    pub(super) size_bytes: u64,
}

/// Everything that a base is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pin {
    /// The form of this list.
    pub(super) format: u32,
    /// The suite's code name.
    pub(super) suite: String,
    /// What was asked for, sorted.
    pub(super) wanted: Vec<String>,
    /// What that came to, sorted by name.
    pub(super) packages: Vec<PinnedPackage>,
}

/// The form that this mayfly writes and reads.
const FORMAT: u32 = 1;

/// The packages that a pin names; none when it cannot be read.
pub(crate) fn pinned(pin: &[u8]) -> Vec<PinnedPackage> {
    let pin: Option<Pin> = serde_json::from_slice(pin).ok();
    pin.map(|pin| pin.packages).unwrap_or_default()
}

impl Pin {
    pub(super) fn new(suite: &str, wanted: Vec<String>, mut packages: Vec<PinnedPackage>) -> Self {
        packages.sort_by(|a, b| a.package.cmp(&b.package));
        Self {
            format: FORMAT,
            suite: suite.to_owned(),
            wanted,
            packages,
        }
    }

    /// Reads an earlier pin, when it answers the same question.
    pub(super) fn read(bytes: &[u8], suite: &str, wanted: &[String]) -> Option<Self> {
        let pin: Self = serde_json::from_slice(bytes).ok()?;
        let same = pin.format == FORMAT && pin.suite == suite && pin.wanted == wanted;
        let clean = |package: &PinnedPackage| model::snapshot::is_clean_path(&package.file);
        (same && pin.packages.iter().all(clean)).then_some(pin)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}
