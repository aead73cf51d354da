//! How an image is served and under which limits: the part of a release that mayfly.toml decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits::RunLimits;

/// Who answers an app's requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Serving {
    /// The daemon, from the image's files.
    Site {
        /// The files.
        site: Site,
    },
    /// A server in a sandbox.
    Process {
        /// The server.
        process: Process,
    },
    /// The files where there is one for the path, else the server.
    SiteThenProcess {
        /// The front end's build.
        site: Site,
        /// The back end.
        process: Process,
    },
}

impl Serving {
    /// The server in a sandbox, when there is one.
    pub fn process(&self) -> Option<&Process> {
        match self {
            Self::Site { .. } => None,
            Self::Process { process } | Self::SiteThenProcess { process, .. } => Some(process),
        }
    }

    /// The files that the daemon serves itself, when there are some.
    pub fn site(&self) -> Option<&Site> {
        match self {
            Self::Process { .. } => None,
            Self::Site { site } | Self::SiteThenProcess { site, .. } => Some(site),
        }
    }
}

/// Files that the daemon serves itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The folder in the image's app layer, relative, without `..`; `site` by convention.
    pub root: String,
    /// The page for `/` when it is not `index.html`, relative to `root`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// The page that answers for paths without a file, as single-page applications expect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// A server, and how to start it. Paths are those inside the sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Commands that run to their end before it, in order: database migrations.
    #[serde(default)]
    pub before: Vec<Vec<String>>,
    /// Environment from the image; no secrets.
    pub env: BTreeMap<String, String>,
    /// Where it starts; the app's folder.
    pub workdir: String,
    /// The port it probably listens on; the one found at run time counts.
    pub port: u16,
}

/// How a release runs: what mayfly.toml and the defaults decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunConfig {
    /// What it may use.
    pub limits: RunLimits,
    /// The path that says whether it is ready: an answer below 500.
    pub health: String,
    /// What of its folder outlives the release.
    pub keep: Vec<String>,
    /// Hosts that it may reach, `host` or `host:port`; none by default.
    pub egress: Vec<String>,
    /// `[env]` of mayfly.toml: no secrets.
    pub env: BTreeMap<String, String>,
}

/// Whether an answer to the readiness check means that an app is ready: anything below 500.
pub fn is_ready(status: u16) -> bool {
    (100..500).contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_below_500_is_ready() {
        for (status, ready) in [
            (200, true),
            (302, true),
            (404, true),
            (499, true),
            (500, false),
            (503, false),
            (0, false),
        ] {
            assert_eq!(is_ready(status), ready, "{status}");
        }
    }
}
