//! What a check says in the end.

use std::time::Duration;

use model::finding::Finding;
use model::route::Route;
use serde::{Deserialize, Serialize};

/// Why a file, or a part of it, was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnreadReason {
    /// It is larger than what is looked at.
    TooLarge,
    /// The parser found no sense in it.
    Syntax,
    /// It is nested deeper than what is looked at.
    TooDeep,
    /// It is not UTF-8; what is not was left out.
    Encoding,
    /// Looking at it took too long, or ended the program that looked.
    Died,
    /// It could not be read from where it lies.
    Unreadable,
}

/// A file that was not looked at as a whole. Each is a finding, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Relative to the app's folder.
    pub file: String,
    /// Why.
    pub reason: UnreadReason,
}

/// What took how long. Times of the workers are added up, so that they say what the work costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timing {
    /// Rules by pattern.
    pub patterns: Duration,
    /// Secrets and settings.
    pub texts: Duration,
    /// Parsing and lowering, for taint.
    pub lowering: Duration,
    /// Taint itself.
    pub taint: Duration,
    /// All of it, by the clock.
    pub total: Duration,
}

/// What a check says in the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What blocks first.
    pub findings: Vec<Finding>,
    /// The app's routes.
    pub routes: Vec<Route>,
    /// Files that were not looked at as a whole.
    pub unread: Vec<Unread>,
    /// How many files there are.
    pub files: usize,
    /// How many of them were known already.
    pub known: usize,
    /// What took how long.
    pub timing: Timing,
}
