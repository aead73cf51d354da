//! The stages of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One stage of a run. Supply chain, gates and canaries add theirs here, in their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Looks for faults in the app's own files, and refuses what no policy lets pass.
    Checks,
    /// Finds out what kind of app the folder holds, and makes an image of it.
    Build,
    /// Runs the app's own tests.
    Tests,
    /// Lists what is in the image, and signs the list.
    Sbom,
    /// Signs the image and how it was built.
    Sign,
    /// Matches what is in the image against known vulnerabilities.
    Scan,
    /// Asks the policy whether all that was found may serve.
    Policy,
    /// Checks everything that was signed about the image, and shows it in the registry.
    Verify,
    /// Starts the image, waits until it is ready, and moves traffic to it.
    Rollout,
}

/// Every stage of a run, in order. Reordering this list is a product decision.
pub const STAGES: [Stage; 9] = [
    Stage::Checks,
    Stage::Build,
    Stage::Tests,
    Stage::Sbom,
    Stage::Sign,
    Stage::Scan,
    Stage::Policy,
    Stage::Verify,
    Stage::Rollout,
];

impl Stage {
    /// As events and results write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checks => "checks",
            Self::Build => "build",
            Self::Tests => "tests",
            Self::Sbom => "sbom",
            Self::Sign => "sign",
            Self::Scan => "scan",
            Self::Policy => "policy",
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
