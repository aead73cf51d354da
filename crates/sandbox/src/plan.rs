//! What a supervisor is told to run: written by the daemon, read once by the supervisor.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::limits::{BuildLimits, RunLimits};
use serde::{Deserialize, Serialize};

use crate::cgroup::GroupPath;

/// Users of apps get ranges from here: slot `n` has the ids from `APP_RANGES + n * RANGE`.
pub(crate) const APP_RANGES: u32 = 0x1000_0000;
/// Users of jobs get ranges from here.
pub(crate) const JOB_RANGES: u32 = 0x0F00_0000;
/// How many ids one sandbox has.
pub(crate) const RANGE: u32 = 0x1_0000;
/// Who runs the command, inside.
pub(crate) const APP_UID: u32 = 1000;
/// The app's home inside.
pub(crate) const HOME: &str = "/home/app";
/// Where an app finds its data folder inside.
pub(crate) const DATA: &str = "/data";
/// Where the egress proxy listens inside.
pub(crate) const EGRESS: std::net::SocketAddrV4 =
    std::net::SocketAddrV4::new(std::net::Ipv4Addr::new(127, 88, 0, 1), 3128);

/// One sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Its host name and name in messages.
    pub(crate) name: String,
    /// Its cgroup.
    pub(crate) group: GroupPath,
    /// The cgroup that all supervisors share.
    pub(crate) supervisors: GroupPath,
    /// Unpacked layers, lowest first.
    pub(crate) layers: Vec<PathBuf>,
    /// The first of its user and group ids on the machine.
    pub(crate) first_id: u32,
    /// Where commands start.
    pub(crate) workdir: PathBuf,
    /// Commands that run to their end first.
    pub(crate) before: Vec<Vec<String>>,
    /// The command.
    pub(crate) command: Vec<String>,
    /// Its whole environment.
    pub(crate) env: BTreeMap<String, String>,
    /// Hosts that the proxy lets through; `None` for no proxy at all.
    pub(crate) egress: Option<Vec<String>>,
    /// Memory of all processes.
    pub(crate) memory_bytes: u64,
    /// Processes and threads.
    pub(crate) pids: u32,
    /// What `/tmp` may hold; the home too.
    pub(crate) tmp_bytes: u64,
    /// What it is for.
    pub(crate) role: Role,
}

/// What a sandbox is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Role {
    /// An app: it outlives the daemon.
    App(AppRole),
    /// A build command: it dies with who asked for it.
    Job(JobRole),
}

/// What only apps have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AppRole {
    /// Patterns of what outlives the release.
    pub(crate) keep: Vec<String>,
    /// The data folder on the machine.
    pub(crate) data: PathBuf,
    /// A copy of the source that seeds the data folder.
    pub(crate) seed: Option<PathBuf>,
    /// Its limits, for the log files.
    pub(crate) limits: RunLimits,
}

/// What only jobs have.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct JobRole {
    /// What it sees beside the layers.
    pub(crate) binds: Vec<BindPlan>,
    /// Its limits, for time and disk.
    pub(crate) limits: BuildLimits,
}

/// A folder or file of the machine inside a job's sandbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct BindPlan {
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) writable: bool,
}

impl Plan {
    /// What is left to know once the sandbox is made: secrets and layers are not.
    pub(crate) fn once_made(self) -> Self {
        Self {
            env: BTreeMap::new(),
            layers: Vec::new(),
            ..self
        }
    }

    /// The id on the machine of the user that runs the command; the group's is the same.
    pub(crate) fn owner(&self) -> u32 {
        self.first_id + APP_UID
    }
}
