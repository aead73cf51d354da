//! Writing limits.

use std::io;
use std::path::Path;

use super::{Hierarchies, Version};

/// The period that a CPU quota is counted over, in microseconds.
const PERIOD_MICROS: u64 = 100_000;

/// What the processes of a group may use together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Memory, page cache and tmpfs included; no swap beyond it.
    pub(crate) memory_bytes: u64,
    /// Processes and threads.
    pub(crate) pids: u32,
    /// The share of a busy machine: 100 for an app, less for what may wait.
    pub(crate) weight: u32,
}

impl Limits {
    pub(super) fn apply(&self, hierarchies: &Hierarchies, group: &Path) -> io::Result<()> {
        let memory = hierarchies.folder("memory", group)?;
        let cpu = hierarchies.folder("cpu", group)?;
        let bytes = self.memory_bytes.to_string();
        match hierarchies.version() {
            Version::V1 => {
                write(&memory, "memory.limit_in_bytes", &bytes)?;
                if_there(&memory, "memory.memsw.limit_in_bytes", &bytes)?;
                let shares = u64::from(self.weight) * 1024 / 100;
                write(&cpu, "cpu.shares", &shares.to_string())?;
            }
            Version::V2 => {
                write(&memory, "memory.max", &bytes)?;
                if_there(&memory, "memory.swap.max", "0")?;
                write(&cpu, "cpu.weight", &self.weight.to_string())?;
            }
        }
        let pids = hierarchies.folder("pids", group)?;
        write(&pids, "pids.max", &self.pids.to_string())
    }
}

pub(super) fn apply_cpu(hierarchies: &Hierarchies, group: &Path, millis: u32) -> io::Result<()> {
    let folder = hierarchies.folder("cpu", group)?;
    let quota = (u64::from(millis) * PERIOD_MICROS / 1000).max(1000);
    match hierarchies.version() {
        Version::V1 => {
            write(&folder, "cpu.cfs_period_us", &PERIOD_MICROS.to_string())?;
            write(&folder, "cpu.cfs_quota_us", &quota.to_string())
        }
        Version::V2 => write(&folder, "cpu.max", &format!("{quota} {PERIOD_MICROS}")),
    }
}

fn write(folder: &Path, file: &str, value: &str) -> io::Result<()> {
    std::fs::write(folder.join(file), value).map_err(|cause| {
        let what = format!("cannot set {file} to {value}: {cause}");
        io::Error::new(cause.kind(), what)
    })
}

/// A kernel without swap accounting lacks the file.
fn if_there(folder: &Path, file: &str, value: &str) -> io::Result<()> {
    match folder.join(file).exists() {
        true => write(folder, file, value),
        false => Ok(()),
    }
}
