//! What the command line saw in the history of an app's folder, which a server does not have.

use serde::{Deserialize, Serialize};

/// How much of a history was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HistoryState {
    /// All of it.
    Scanned,
    /// As much as the time allowed.
    Partly,
    /// Nothing.
    NotScanned,
}

/// What was looked at in a history, and what it still shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// How much was looked at.
    pub state: HistoryState,
    /// How many commits that touch the folder were looked at.
    pub commits: u64,
    /// How many there are, where that is known.
    pub of: Option<u64>,
    /// Why not all of it was.
    pub why: Option<String>,
    /// Credentials in it that the folder itself does not have any more.
    #[serde(default)]
    pub secrets: Vec<OldSecret>,
}

/// A credential that only the history still shows. Its value is no part of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OldSecret {
    /// Of the finding about it.
    pub fingerprint: String,
    /// The rule that knows its form.
    pub rule_id: String,
    /// The newest commit that brought it.
    pub commit: String,
    /// That commit's day: `2026-01-31`.
    pub date: String,
    /// Relative to the app's folder.
    pub file: String,
    /// In the file as that commit has it, from 1.
    pub line: u32,
    /// The value as it may be shown.
    pub masked: String,
}

impl History {
    /// Nothing was looked at.
    pub fn not_scanned(why: impl Into<String>) -> Self {
        Self {
            state: HistoryState::NotScanned,
            commits: 0,
            of: None,
            why: Some(why.into()),
            secrets: vec![],
        }
    }
}
