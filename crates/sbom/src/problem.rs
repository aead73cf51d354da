//! What could not be read, or does not fit together.

use serde::{Deserialize, Serialize};

use crate::text::shown;

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

/// So many are kept; one more says that there were others.
const KEPT: usize = 1_000;
/// The longest detail, in bytes.
const DETAIL_BYTES: usize = 300;

/// The problems of a catalogue in the making.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem; past a thousand only that there are more.
    pub(crate) fn add(&mut self, path: &str, kind: ProblemKind, detail: impl AsRef<str>) {
        let (path, detail) = match self.0.len() {
            0..KEPT => (shown(path), shown(detail.as_ref())),
            KEPT => (String::new(), "there are more problems than these".into()),
            _ => return,
        };
        self.0.push(Problem {
            path,
            kind,
            detail: crate::text::cut(&detail, DETAIL_BYTES).to_owned(),
        });
    }

    /// All of them, in order.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}
