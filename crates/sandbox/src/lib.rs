//! Runs apps and build commands in sandboxes: namespaces, limits, a filter of system calls, and no
//! network but an egress proxy.
//!
//! [`Sandboxes`] implements the ports `Runtime` and `Workshop`. Each sandbox has a supervisor, a
//! small process that the daemon starts by executing itself ([`supervise::main`]) and that outlives
//! it. What a sandbox is and does lies on disk, so that any later daemon finds it.

mod beneath;
mod cgroup;
mod copy;
mod doctor;
mod events;
mod folder;
mod kept;
mod listening;
mod measure;
mod plan;
mod process;
mod pulse;
mod state;
mod supervisor;
mod sweep;
mod workshop;

pub mod egress;
pub mod runtime;
pub mod supervise;

pub use doctor::{Check, doctor};
pub use runtime::{Config, Sandboxes};
pub use sweep::{Sweep, close, sweep_leftovers};
