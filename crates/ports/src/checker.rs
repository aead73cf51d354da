//! Looks for faults in an app's own files.

use async_trait::async_trait;
use model::Failure;
use model::finding::Finding;
use model::policy::Audience;
use model::route::Route;
use serde::{Deserialize, Serialize};

use crate::builder::Source;

/// What is to be looked at.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// The app's files.
    pub source: Source,
    /// Who can reach the app: what everybody reaches needs guards that a private app does not.
    pub audience: Audience,
    /// How mayfly.toml starts the app; otherwise its files tell.
    pub start_command: Option<String>,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// What is wrong, what blocks first.
    pub findings: Vec<Finding>,
    /// The app's routes, for tests of the running app.
    pub routes: Vec<Route>,
    /// Files that could not be read as a whole; each is a finding, too.
    pub unread: Vec<String>,
    /// How many files there are.
    pub files: usize,
    /// How many of them did not change since they were looked at last.
    pub known: usize,
}

/// Looks for faults in an app's own files: code, credentials, settings.
#[async_trait]
pub trait Checker: Send + Sync {
    /// Looks at every file. Fails only where nothing can be said; what could not be read of single
    /// files is a finding.
    async fn check(&self, request: CheckRequest) -> Result<Checked, Failure>;
}
