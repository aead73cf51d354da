//! The top floor: the daemon. `wiring.rs` alone names concrete adapters; `http/` has one file a
//! resource.

pub mod checks;
pub mod config;
mod daemon;
mod doctor;
pub mod download;
mod http;
pub mod judge;
mod planner;
pub mod policies;
pub mod registry;
mod socket;
mod wiring;

use std::path::Path;
use std::process::ExitCode;

pub use config::{PolicySource, ServeConfig};
pub use daemon::serve;
pub use doctor::doctor;
pub use planner::plan;

/// Starts supervisors of sandboxes below `home`, for as long as the daemon asks. Called in a process
/// of its own that has one thread.
pub fn supervise(home: &Path) -> ExitCode {
    sandbox::supervise::main(home)
}
