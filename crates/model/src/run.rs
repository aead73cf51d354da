//! A run: one pass of a folder through the stages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;
use crate::app::{AppName, Owner};
use crate::digest::Digest;
use crate::failure::Failure;
use crate::release::ReleaseNumber;

/// Names one run; sorts by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(Uuid);

impl RunId {
    /// A new name, made of the time `at` and random bits.
    pub fn new(at: Timestamp) -> Self {
        let seconds = u64::try_from(at.as_second()).unwrap_or(0);
        let nanos = u32::try_from(at.subsec_nanosecond()).unwrap_or(0);
        let moment = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
        Self(Uuid::new_v7(moment))
    }
}

impl FromStr for RunId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A new release serves.
    Promoted,
    /// Nothing had changed; the release that served still does.
    Unchanged,
    /// A newer run of the same app took over.
    Superseded,
    /// The new release had received traffic and was taken back.
    RolledBack,
    /// A gate said no.
    Blocked,
    /// A stage failed, or the release was never ready.
    Failed,
}

impl Outcome {
    /// As the result's JSON writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::Unchanged => "unchanged",
            Self::Superseded => "superseded",
            Self::RolledBack => "rolled_back",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
        }
    }
}

/// One run, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// The app it is for.
    pub app: AppName,
    /// Who asked for it.
    pub owner: Owner,
    /// The folder's content.
    pub snapshot: Digest,
    /// When it began.
    pub started_at: Timestamp,
    /// What became of it; `None` while it runs, or when the daemon died during it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// What became of it.
    pub outcome: Outcome,
    /// The release that it made, or that still serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseNumber>,
    /// Why it went wrong, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The blob that holds its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Digest>,
    /// When it ended.
    pub at: Timestamp,
}
