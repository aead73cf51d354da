//! Runs instances of releases in sandboxes that outlive the daemon.

#[cfg(feature = "contracts")]
pub mod contract;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use model::ReleaseKey;
use model::failure::{FailureCode, Remedy};
use model::instance::{DeniedEgress, Exit, InstanceId, InstanceState};
use model::limits::RunLimits;
use model::serving::Process;

/// Everything that one instance needs.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The release.
    pub release: ReleaseKey,
    /// Unpacked layers, lowest first; read-only. The app's folder is `process.workdir` in the top
    /// one.
    pub layers: Vec<PathBuf>,
    /// What to run.
    pub process: Process,
    /// Environment beside the process's own: `[env]`, secrets.
    pub env: BTreeMap<String, String>,
    /// What it may use.
    pub limits: RunLimits,
    /// Patterns of what outlives the release (`model::keep`).
    pub keep: Vec<String>,
    /// The app's data folder on the machine; kept files live there.
    pub data: PathBuf,
    /// Where kept files that the data folder lacks come from.
    pub seed: Seed,
    /// The range of user ids that is the app's.
    pub uid_slot: u32,
    /// Hosts that it may reach.
    pub egress: Vec<String>,
}

/// Where kept files come from that the data folder does not have yet. They are not in the image:
/// the source's copies stay out of it and of its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seed {
    /// From this copy of the source, owned by root: what matches `Launch.keep` is copied to the data
    /// folder unless something is there. For an app's first release only.
    From(PathBuf),
    /// From nowhere: the data folder's content counts.
    Never,
}

/// How an instance is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Termination {
    /// SIGTERM, then SIGKILL when it still runs after this long.
    Graceful(Duration),
    /// SIGKILL.
    Now,
}

/// Where the proxy reaches an instance: sockets are made in the network namespace of `pid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// The instance.
    pub instance: InstanceId,
    /// A file that names its network namespace.
    pub netns: PathBuf,
    /// Where it listens in there: `127.0.0.1:8080` or `[::1]:8080`.
    pub address: std::net::SocketAddr,
}

/// A file in the app's folder that the instance wrote and its source did not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Relative to the app's folder.
    pub path: String,
    /// Whether a keep pattern matches it, so that it moves to the data folder at the next takeover.
    pub fate: Fate,
}

/// What becomes of a file that an app wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It moves to the data folder at the next takeover.
    Kept,
    /// It goes with the release.
    Lost,
}

/// Why the runtime refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The machine does not allow what a sandbox needs.
    #[error("this machine does not allow sandboxes: {what}")]
    Machine {
        /// What it forbids.
        what: String,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
    /// A `before` command ended badly.
    #[error("`{command}` failed before the app could start: it {exit}")]
    Before {
        /// The command.
        command: String,
        /// How it ended.
        exit: Exit,
        /// Its last lines, in order.
        lines: Vec<String>,
    },
    /// The sandbox could not be made.
    #[error("the sandbox of `{release}` could not be started: {why}")]
    Start {
        /// The release.
        release: ReleaseKey,
        /// Why.
        why: String,
    },
    /// There is no such instance.
    #[error("there is no instance `{0}`")]
    Missing(InstanceId),
    /// Reading or writing failed.
    #[error("the sandbox failed")]
    Io(#[from] std::io::Error),
}

impl Remedy for RuntimeError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Machine { .. } => FailureCode::Machine,
            Self::Before { .. } => FailureCode::Exited,
            Self::Missing(_) => FailureCode::NotFound,
            Self::Io(cause) if crate::blob_store::is_disk_full(cause) => FailureCode::DiskFull,
            Self::Start { .. } | Self::Io(_) => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Before { .. } => {
                Some("mend the command, or set `before = []` under [run] in mayfly.toml".into())
            }
            Self::Io(cause) if crate::blob_store::is_disk_full(cause) => {
                Some("free some disk space, then run the command again".into())
            }
            _ => Some("run `mayfly doctor` to see what the machine lacks".into()),
        }
    }
}

/// Runs instances. They go on when the caller's process ends; a later one finds them with `list`.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Starts an instance and returns once its command runs. It has CPU for a burst until
    /// [`Runtime::settle`] is called.
    async fn start(&self, launch: Launch) -> Result<InstanceId, RuntimeError>;

    /// Ends the burst: its CPU limit holds from now on.
    async fn settle(&self, id: &InstanceId) -> Result<(), RuntimeError>;

    /// Every instance that is there, ended ones included until they are removed.
    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError>;

    /// What it does now.
    async fn state(&self, id: &InstanceId) -> Result<InstanceState, RuntimeError>;

    /// Waits until its first process has ended.
    async fn ended(&self, id: &InstanceId) -> Result<InstanceState, RuntimeError>;

    /// Where it listens now: `preferred` when it does listen there, else the only or lowest port
    /// found. `None` when it listens on nothing.
    async fn upstream(
        &self,
        id: &InstanceId,
        preferred: u16,
    ) -> Result<Option<Upstream>, RuntimeError>;

    /// Stops its processes from being scheduled.
    async fn freeze(&self, id: &InstanceId) -> Result<(), RuntimeError>;

    /// Lets them run again.
    async fn thaw(&self, id: &InstanceId) -> Result<(), RuntimeError>;

    /// Ends it. One that has ended, or is frozen, is no error.
    async fn stop(&self, id: &InstanceId, how: Termination) -> Result<(), RuntimeError>;

    /// Removes what is left of an ended instance: its folder copy, logs, cgroups. Kept files stay.
    async fn remove(&self, id: &InstanceId) -> Result<(), RuntimeError>;

    /// What its folder holds on disk, as measured.
    async fn size_bytes(&self, id: &InstanceId) -> Result<u64, RuntimeError>;

    /// The memory that its processes hold now.
    async fn memory_bytes(&self, id: &InstanceId) -> Result<u64, RuntimeError>;

    /// The log files of an instance, oldest first. They may grow and rotate while they are read.
    async fn logs(&self, id: &InstanceId) -> Result<Vec<PathBuf>, RuntimeError>;

    /// Files that it wrote in its folder and that are not in the data folder.
    async fn written(&self, id: &InstanceId) -> Result<Vec<Written>, RuntimeError>;

    /// Copies the written files that are kept to the data folder. The instance is frozen or has
    /// ended; undone by removing what is returned (paths in the data folder).
    async fn save_written(&self, id: &InstanceId) -> Result<Vec<PathBuf>, RuntimeError>;

    /// Hosts that it asked for and did not get.
    async fn denied(&self, id: &InstanceId) -> Result<Vec<DeniedEgress>, RuntimeError>;
}
