//! Drives the real `mayfly` binary: a daemon with a home of its own on a free port, the command
//! line over its socket, requests through its proxy.
//!
//! Tests that need bases and tools share one filled cache, so that each is downloaded once.

pub mod answer;
pub mod bench;
pub mod disk;
pub mod folder;
pub mod outcome;
mod template;

pub use answer::Answer;
pub use bench::Bench;
pub use disk::Disk;
pub use folder::AppFolder;
pub use outcome::{Command, Up};

use std::time::{Duration, Instant};

/// Looks again and again until `look` finds something, for at most `within`.
///
/// # Panics
/// When it does not; `what` says what was waited for.
pub fn eventually<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
