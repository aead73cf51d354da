//! How an app is looked at.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// Who can reach the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Its owner, or who has the link.
    #[default]
    Private,
    /// Everybody.
    Public,
}

/// The program that reads files, which may die of what it reads: it calls [`crate::worker::run`].
#[derive(Debug, Clone)]
pub struct WorkerCommand {
    /// The program, as a rule this one.
    pub program: PathBuf,
    /// What makes it a worker.
    pub args: Vec<OsString>,
}

/// How an app is looked at.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program that reads files.
    pub worker: WorkerCommand,
    /// How many of them, one or two.
    pub workers: usize,
    /// How long one file may take.
    pub file_time: Duration,
    /// How large a file may be to be read at all.
    pub file_bytes: u64,
    /// Who can reach the app.
    pub access: Access,
    /// How the app is started, where that is known; otherwise its files tell.
    pub start_command: Option<String>,
}

impl Settings {
    /// The defaults, with `worker` as the program that reads files.
    pub fn new(worker: WorkerCommand) -> Self {
        Self {
            worker,
            workers: 2,
            file_time: Duration::from_secs(10),
            file_bytes: 16 << 20,
            access: Access::Private,
            start_command: None,
        }
    }
}
