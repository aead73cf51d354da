//! The stages of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One stage of a run. Supply chain, gates and canaries add theirs here, in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Finds out what kind of app the folder holds, and makes an image of it.
    Build,
    /// Lists what is in the image, and signs the list.
    Sbom,
    /// Signs the image and how it was built, and shows both in the registry.
    Sign,
    /// Checks everything that was signed about the image.
    Verify,
    /// Starts the image, waits until it is ready, and moves traffic to it.
    Rollout,
}

/// Every stage of a run, in order. Reordering this list is a product decision.
pub const STAGES: [Stage; 5] = [
    Stage::Build,
    Stage::Sbom,
    Stage::Sign,
    Stage::Verify,
    Stage::Rollout,
];

impl Stage {
    /// As events and results write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Sbom => "sbom",
            Self::Sign => "sign",
            Self::Verify => "verify",
            Self::Rollout => "rollout",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
