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
    /// The supervisors outside of sandboxes.
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

/// Adds up the processes that run `program`, which nothing but the mayfly that is measured does.
pub fn held(program: &Path, apps: usize) -> Result<Held> {
    let ours = running(program)?;
    let mut held = Held {
        apps,
        ..Held::default()
    };
    for &pid in &ours {
        let Ok(bytes) = process::pss_bytes(pid) else {
            continue;
        };
        match role(pid, &ours) {
            Role::Daemon => held.daemon_bytes += bytes,
            Role::Supervisor => {
                held.supervisors_bytes += bytes;
                held.supervisors += 1;
            }
            Role::Init => {
                held.inits_bytes += bytes;
                held.inits += 1;
            }
        }
    }
    Ok(held)
}

enum Role {
    Daemon,
    Supervisor,
    Init,
}

/// An init is a supervisor's fork: it has its parent's arguments, and a parent of this program.
fn role(pid: u32, ours: &[u32]) -> Role {
    let supervises = process::first_argument(pid) == "supervise";
    let has_parent = ours
        .iter()
        .any(|&other| process::children(other).contains(&pid));
    match (supervises, has_parent) {
        (false, _) => Role::Daemon,
        (true, false) => Role::Supervisor,
        (true, true) => Role::Init,
    }
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
