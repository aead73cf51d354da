//! What could not be read, or does not fit together.

use serde::{Deserialize, Serialize};

/// The kinds of problem. Stable: policies match on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A file is larger than is read.
    TooLarge,
    /// Folders or links go too deep, or paths are too long.
    TooDeep,
    /// There are more files or packages than are listed; the rest is unknown.
    TooMany,
    /// A file is not what its name says.
    Malformed,
    /// A folder's name and what lies in it name different packages.
    Contradiction,
    /// A name or version is none that its ecosystem allows.
    BadName,
    /// The system does not let it be read.
    Unreadable,
}

impl ProblemKind {
    /// Whether packages may be missing from the inventory because of it.
    pub fn hides_packages(self) -> bool {
        self != Self::Contradiction
    }
}

/// One observation about an image's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Where, from the image's root; control characters are escaped.
    pub path: String,
    /// What kind.
    pub kind: ProblemKind,
    /// What exactly, for people.
    pub detail: String,
}
