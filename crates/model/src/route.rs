//! The routes of an app, as its own code declares them: evidence for the tests that run against it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// One address that an app answers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Route {
    /// In capital letters; `ANY` for all.
    pub method: String,
    /// As the framework writes it, parameters included.
    pub path: String,
    /// Names of the path's parameters.
    pub parameters: Vec<String>,
    /// What checks the caller before the handler runs, or at its start.
    pub guards: Vec<String>,
    /// Where the handler lies, relative to the app's folder.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Of the handler's text.
    pub handler: Digest,
}

impl Route {
    /// Whether a call may change something.
    pub fn is_mutating(&self) -> bool {
        matches!(self.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE")
    }
}
