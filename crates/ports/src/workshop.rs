//! Runs a build command in a sandbox: not as root, limited, with no more network than it was given.

#[cfg(feature = "contracts")]
pub mod contract;

use std::collections::BTreeMap;
use std::path::PathBuf;

use async_trait::async_trait;
use model::failure::{FailureCode, Remedy};
use model::instance::{DeniedEgress, Exit};
use model::limits::BuildLimits;
use model::progress::Stream;

/// A folder or file of the machine that a job sees.
#[derive(Debug, Clone)]
pub struct Bind {
    /// On the machine.
    pub source: PathBuf,
    /// In the sandbox; absolute. Missing folders on the way are made.
    pub target: PathBuf,
    /// What the job may do with it.
    pub access: Access,
}

/// What a job may do with a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read and execute.
    Read,
    /// Write too. The workshop hands the folder to the job's user and, when the job has ended,
    /// everything in it back to root.
    Write,
}

/// What of the network a job reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Nothing.
    None,
    /// These hosts, through a CONNECT proxy that `HTTP_PROXY` and `HTTPS_PROXY` name; `host` or
    /// `host:port`. Names that resolve to loopback, link-local or private addresses are refused
    /// unless the machine's own configuration names them.
    Only(Vec<String>),
}

/// One command in a sandbox of its own.
#[derive(Debug, Clone)]
pub struct Job {
    /// Unpacked layers, lowest first; read-only.
    pub layers: Vec<PathBuf>,
    /// What else it sees.
    pub binds: Vec<Bind>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Its whole environment, but for the proxy's variables.
    pub env: BTreeMap<String, String>,
    /// Where it starts, in the sandbox.
    pub workdir: PathBuf,
    /// What it reaches.
    pub network: Network,
    /// What it may use.
    pub limits: BuildLimits,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobReport {
    /// Its end.
    pub end: JobEnd,
    /// Hosts that it asked for and did not get.
    pub denied: Vec<DeniedEgress>,
}

/// The ends that a job can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobEnd {
    /// The command ended, or was killed for its memory.
    Exit(Exit),
    /// Its time was up.
    TimedOut,
    /// It wrote more than it may.
    DiskLimit,
}

impl JobReport {
    /// Whether the command ended with status 0.
    pub fn succeeded(&self) -> bool {
        self.end == JobEnd::Exit(Exit::Code { code: 0 })
    }
}

/// Why a job could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum WorkshopError {
    /// The machine does not allow what a sandbox needs.
    #[error("this machine does not allow sandboxes: {what}")]
    Machine {
        /// What it forbids.
        what: String,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
    /// The sandbox could not be made.
    #[error("the build sandbox could not be started: {0}")]
    Start(String),
    /// Reading or writing failed.
    #[error("the build sandbox failed")]
    Io(#[from] std::io::Error),
}

impl Remedy for WorkshopError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Machine { .. } => FailureCode::Machine,
            Self::Io(cause) if crate::blob_store::is_disk_full(cause) => FailureCode::DiskFull,
            Self::Start(_) | Self::Io(_) => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self.code() {
            FailureCode::DiskFull => "free some disk space, then run `mayfly up` again".into(),
            _ => "run `mayfly doctor` to see what the machine lacks".into(),
        })
    }
}

/// Takes each line that a job prints, control characters included.
pub type LineSink<'a> = &'a (dyn Fn(Stream, &str) + Send + Sync);

/// Runs build commands. Dropping the future of `run` kills the job.
#[async_trait]
pub trait Workshop: Send + Sync {
    /// Runs `job` to its end. Nothing of it is left afterwards: processes, namespaces, cgroups.
    async fn run(&self, job: Job, lines: LineSink<'_>) -> Result<JobReport, WorkshopError>;
}
