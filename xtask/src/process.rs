//! Processes that a task starts, and what `/proc` says about them.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::command;

/// A process that ends with this value: asked first, then made to.
pub struct Running {
    child: Child,
}

/// How long a process may take to end when asked.
const PATIENCE: Duration = Duration::from_secs(10);

impl Running {
    /// Starts a process in a group of its own: a Ctrl-C on the terminal ends this program first,
    /// and then the process in good order.
    pub fn start(mut command: Command) -> Result<Self> {
        let line = command::line(&command);
        let child = command.process_group(0).spawn();
        let child = child.with_context(|| format!("`{line}` cannot be started"))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_running() {
            return;
        }
        let pid = Pid::from_raw(self.child.id().cast_signed());
        let _ = kill(pid, Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        while self.is_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until `look` finds something, for at most `within`.
pub fn await_some<T>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {within:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// CPU time that a process has used in user and kernel mode, all its threads together.
///
/// Source: proc(5), `/proc/pid/stat`, fields 14 and 15.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("process {pid} is gone"))?;
    let ticks = ticks(&stat).with_context(|| format!("process {pid} has no readable stat"))?;
    let a_second = sysconf(SysconfVar::CLK_TCK)?.context("the clock has no ticks")?;
    Ok(Duration::from_secs_f64(ticks as f64 / a_second as f64))
}

/// The name in field 2 may hold spaces and parentheses: fields are counted behind its end.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut times = fields.split(' ').skip(11);
    let user: u64 = times.next()?.parse().ok()?;
    let system: u64 = times.next()?.parse().ok()?;
    Some(user + system)
}

/// Proportional set size of a process, in bytes: shared pages count by their share.
///
/// Source: proc(5), `/proc/pid/smaps_rollup`.
pub fn pss_bytes(pid: u32) -> io::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kibibytes.unwrap_or(0) * 1024)
}

/// The processes whose parent is `pid`: each thread lists those that it made (proc(5),
/// `/proc/pid/task/tid/children`).
pub fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    let pids = |list: String| {
        list.split_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect()
    };
    lists.flat_map::<Vec<u32>, _>(pids).collect()
}

/// All processes that there are.
pub fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// The first argument of a process; empty when it has none or is gone.
pub fn first_argument(pid: u32) -> String {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let first = words.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    String::from_utf8_lossy(first).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        for (stat, expected) in [
            ("7 (sh) S 1 7 7 0 -1 4 0 0 0 0 12 30 0 0 20 0 1", Some(42)),
            (
                "7 (a) b) (c) S 1 7 7 0 -1 4 0 0 0 0 1 2 0 0 20 0 1",
                Some(3),
            ),
            ("7 (sh) S 1", None),
        ] {
            assert_eq!(ticks(stat), expected, "{stat}");
        }
    }

    #[test]
    fn a_busy_process_has_used_time_and_memory() {
        let before = cpu_time(std::process::id()).expect("its time");
        let until = Instant::now() + Duration::from_millis(60);
        while Instant::now() < until {}
        assert!(cpu_time(std::process::id()).expect("its time") > before);
        assert!(pss_bytes(std::process::id()).expect("its memory") > 100_000);
    }

    #[test]
    fn a_process_ends_with_its_value() {
        let mut sleep = Command::new("sleep");
        sleep.arg("60");
        let running = Running::start(sleep).expect("sleep");
        let pid = running.pid();
        assert!(children(std::process::id()).contains(&pid));
        drop(running);
        assert!(cpu_time(pid).is_err());
    }
}
