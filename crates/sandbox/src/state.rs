//! What a supervisor leaves on disk about its sandbox, for any daemon to find.

use model::Timestamp;
use model::instance::Exit;
use serde::{Deserialize, Serialize};

use crate::process::Process;

/// `state.json`: the processes of a sandbox. Rewritten as they come to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The supervisor.
    pub(crate) supervisor: Process,
    /// The sandbox's first process; `None` until there is one.
    pub(crate) init: Option<Process>,
    /// When the command began; `None` until then.
    pub(crate) since: Option<Timestamp>,
}

/// `exit.json`: how the command ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) at: Timestamp,
    pub(crate) uptime_millis: u64,
}
