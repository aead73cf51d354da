//! What mayfly's own processes hold.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::process;

/// Proportional set sizes, in bytes, by what a process does.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Held {
    /// How many apps ran.
    pub apps: usize,
    /// The daemon.
    pub daemon_bytes: u64,
    /// What makes and keeps sandboxes, outside of them.
    pub supervisors_bytes: u64,
    /// How many there were.
    pub supervisors: usize,
    /// The first processes inside of sandboxes.
    pub inits_bytes: u64,
    /// How many there were.
    pub inits: usize,
}

impl Held {
    /// All of it.
    pub fn total_bytes(&self) -> u64 {
        self.daemon_bytes + self.supervisors_bytes + self.inits_bytes
    }
}

/// Adds up the processes that run `program`, which nothing but the mayfly that is measured does,
/// and the first processes of sandboxes, which are children of those.
pub fn held(program: &Path, apps: usize) -> Result<Held> {
    let ours = running(program)?;
    let mut held = Held {
        apps,
        ..Held::default()
    };
    let bytes = |pid| process::pss_bytes(pid).unwrap_or_default();
    for &pid in &ours {
        if process::first_argument(pid) != "supervise" {
            held.daemon_bytes += bytes(pid);
            continue;
        }
        held.supervisors_bytes += bytes(pid);
        held.supervisors += 1;
        let inits = process::children(pid).into_iter();
        for init in inits.filter(|child| !ours.contains(child)) {
            held.inits_bytes += bytes(init);
            held.inits += 1;
        }
    }
    Ok(held)
}

/// The processes that run the file `program`, under whatever name.
fn running(program: &Path) -> Result<Vec<u32>> {
    let file = fs::metadata(program)?;
    let runs_it = |pid: &u32| {
        fs::metadata(format!("/proc/{pid}/exe"))
            .is_ok_and(|exe| (exe.dev(), exe.ino()) == (file.dev(), file.ino()))
    };
    Ok(process::all().into_iter().filter(runs_it).collect())
}
