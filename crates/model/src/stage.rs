//! The stages of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One stage of a run. Supply chain, gates and canaries add theirs here, in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Finds out what kind of app the folder holds, and makes an image of it.
    Build,
    /// Starts the image, waits until it is ready, and moves traffic to it.
    Rollout,
}

/// Every stage of a run, in order. Reordering this list is a product decision.
pub const STAGES: [Stage; 2] = [Stage::Build, Stage::Rollout];

impl Stage {
    /// As events and results write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Rollout => "rollout",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
