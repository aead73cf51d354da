//! What mayfly made of a folder: the kind of app, why, and what it will do with it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of app that mayfly runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppKind {
    /// Files that the daemon serves itself.
    Static,
    /// A Node server, or a front end that Node builds to files.
    Node,
    /// A Python server.
    Python,
    /// A front end beside a back end, on one origin.
    FrontAndBack,
}

impl fmt::Display for AppKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "static site",
            Self::Node => "Node app",
            Self::Python => "Python app",
            Self::FrontAndBack => "front end with a back end",
        })
    }
}

/// Something seen in the folder that speaks for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clue {
    /// The file it was seen in.
    pub file: String,
    /// The line, counted from 1, when it is in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// What it says.
    pub says: String,
}

impl fmt::Display for Clue {
    /// `src/api.js:3: says what`, as editors and terminals link it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.says)
    }
}

/// What mayfly will do with a folder. `mayfly plan` prints it; a build follows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The kind of app.
    pub kind: AppKind,
    /// What speaks for it, strongest first.
    pub evidence: Vec<Clue>,
    /// The base image: `none`, `python 3.13`, `node 22`.
    pub base: String,
    /// Debian packages beside the base's own.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Commands that the build runs, as a person would type them.
    pub build: Vec<String>,
    /// The command that starts the server; empty for a static site.
    pub start: Vec<String>,
    /// Commands that run to their end before it.
    #[serde(default)]
    pub before: Vec<String>,
    /// The port it probably listens on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The readiness check's path.
    pub health: String,
    /// What of its folder outlives a release.
    pub keep: Vec<String>,
    /// Variables that `.env` files name; `up --env-file` sets their values.
    #[serde(default)]
    pub env_keys: Vec<String>,
    /// What the user should know: hard-coded addresses, guessed dependencies.
    #[serde(default)]
    pub warnings: Vec<Clue>,
    /// Which of these came from mayfly.toml, by its key.
    #[serde(default)]
    pub overridden: BTreeMap<String, String>,
}
