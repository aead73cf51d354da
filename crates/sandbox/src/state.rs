//! What a supervisor leaves on disk about its sandbox, for any daemon to find.

use model::Timestamp;
use model::instance::Exit;
use serde::{Deserialize, Serialize};

use crate::process::Process;

/// `state.json`: a sandbox that was handed over: its command runs or has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The supervisor.
    pub(crate) supervisor: Process,
    /// The sandbox's first process.
    pub(crate) init: Process,
    /// When the command began.
    pub(crate) since: Timestamp,
}

/// `exit.json`: how the command ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) at: Timestamp,
    pub(crate) uptime_millis: u64,
}
