//! The top floor: the daemon. `wiring.rs` alone names concrete adapters; `http/` has one file a
//! resource.

pub mod config;
mod daemon;
mod doctor;
mod http;
mod planner;
mod socket;
mod wiring;

use std::path::Path;
use std::process::ExitCode;

pub use config::ServeConfig;
pub use daemon::serve;
pub use doctor::doctor;
pub use planner::plan;

/// Runs the supervisor of one sandbox, whose folder is `folder`. Called in a process of its own
/// that has one thread.
pub fn supervise(folder: &Path) -> ExitCode {
    sandbox::supervise::main(folder)
}
