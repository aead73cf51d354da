//! Control groups: what a sandbox may use, and a handle on all its processes.
//!
//! Both kinds of machine are served: cgroup v2, and v1 with or without the "hybrid" v2 mount.
//! Everything of mayfly's lies under `/mayfly/<home>/` in each hierarchy.
//!
//! Source: the kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.

mod hierarchy;
mod limits;
mod oom;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(crate) use hierarchy::{Hierarchies, NEEDED, Version};
pub(crate) use limits::Limits;
pub(crate) use oom::OomWatch;

/// How long the kernel may take to empty, freeze or forget a group.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a group's file is read while it has no event to wait for.
const INTERVAL: Duration = Duration::from_millis(2);

/// After how many orders to freeze a group is thawed in between.
const FREEZE_AFRESH: u32 = 25;

/// A group's path below the root of each hierarchy; absolute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupPath(PathBuf);

/// Everything of mayfly's lies here.
const ALL: &str = "/mayfly";

impl GroupPath {
    /// The group of every home's groups.
    pub(crate) fn of_all() -> Self {
        Self(PathBuf::from(ALL))
    }

    /// The group of all sandboxes whose state lies under `home`.
    pub(crate) fn of_home(home: &Path) -> Self {
        use std::os::unix::ffi::OsStrExt;
        // FNV-1a: a short name that differs from that of another home on this machine.
        let hash = home
            .as_os_str()
            .as_bytes()
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self(Path::new(ALL).join(format!("{hash:016x}")))
    }

    pub(crate) fn child(&self, name: &str) -> Self {
        Self(self.0.join(name))
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }
}

/// A group on this machine.
#[derive(Debug)]
pub(crate) struct Group {
    hierarchies: &'static Hierarchies,
    path: GroupPath,
}

impl Group {
    /// Names a group, which need not exist.
    pub(crate) fn at(path: &GroupPath) -> io::Result<Self> {
        let hierarchies = Hierarchies::find()?;
        Ok(Self {
            hierarchies,
            path: path.clone(),
        })
    }

    /// Makes it in every hierarchy.
    pub(crate) fn create(&self) -> io::Result<()> {
        self.hierarchies.create(self.path.as_path())
    }

    /// Moves a process into it.
    pub(crate) fn admit(&self, pid: u32) -> io::Result<()> {
        for folder in self.hierarchies.folders(self.path.as_path()) {
            std::fs::write(folder.join("cgroup.procs"), pid.to_string())?;
        }
        Ok(())
    }

    /// Sets what its processes may use together; CPU stays unlimited.
    pub(crate) fn limit(&self, limits: &Limits) -> io::Result<()> {
        limits.apply(self.hierarchies, self.path.as_path())
    }

    /// Limits CPU to thousandths of one.
    pub(crate) fn limit_cpu(&self, millis: u32) -> io::Result<()> {
        limits::apply_cpu(self.hierarchies, self.path.as_path(), millis)
    }

    /// How many of its processes the kernel killed for their memory. 0 when the group is gone.
    pub(crate) fn oom_kills(&self) -> u64 {
        oom::kills(self.hierarchies, self.path.as_path())
    }

    /// The memory that its processes hold, without file contents that the kernel may drop at once.
    pub(crate) fn memory_bytes(&self) -> io::Result<u64> {
        let folder = self.control("memory")?;
        let (usage, idle) = match self.hierarchies.version() {
            Version::V1 => ("memory.usage_in_bytes", "total_inactive_file"),
            Version::V2 => ("memory.current", "inactive_file"),
        };
        let used: u64 = read(&folder, usage)?.trim().parse().unwrap_or(0);
        let idle = field(&read(&folder, "memory.stat")?, idle).unwrap_or(0);
        Ok(used.saturating_sub(idle))
    }

    /// A descriptor that becomes readable when the group runs out of memory.
    pub(crate) fn watch_oom(&self) -> io::Result<OomWatch> {
        OomWatch::new(self.hierarchies, self.path.as_path())
    }

    /// Stops its processes from being scheduled; returns when none runs any more.
    pub(crate) fn freeze(&self) -> io::Result<()> {
        let folder = self.control("freezer")?;
        match self.hierarchies.version() {
            Version::V1 => freeze_v1(&folder.join("freezer.state")),
            Version::V2 => {
                std::fs::write(folder.join("cgroup.freeze"), "1")?;
                wait_until(|| Ok(field(&read(&folder, "cgroup.events")?, "frozen") == Some(1)))
            }
        }
    }

    /// Lets its processes run again. A group that is gone is no error.
    pub(crate) fn thaw(&self) -> io::Result<()> {
        let folder = self.control("freezer")?;
        let written = match self.hierarchies.version() {
            Version::V1 => std::fs::write(folder.join("freezer.state"), "THAWED"),
            Version::V2 => std::fs::write(folder.join("cgroup.freeze"), "0"),
        };
        ignore_missing(written)
    }

    /// Whether it is frozen.
    pub(crate) fn is_frozen(&self) -> io::Result<bool> {
        let folder = self.control("freezer")?;
        let frozen = match self.hierarchies.version() {
            Version::V1 => read(&folder, "freezer.state").map(|state| state.trim() == "FROZEN"),
            Version::V2 => read(&folder, "cgroup.freeze").map(|state| state.trim() == "1"),
        };
        match frozen {
            Err(cause) if is_gone(&cause) => Ok(false),
            other => other,
        }
    }

    /// Kills every process in it, frozen ones too.
    pub(crate) fn kill(&self) -> io::Result<()> {
        // On v1 a frozen process does not die of SIGKILL before it is thawed.
        self.thaw()?;
        let folder = self.control("pids")?;
        if self.hierarchies.version() == Version::V2 {
            let killed = std::fs::write(folder.join("cgroup.kill"), "1");
            if killed.is_ok() || !folder.exists() {
                return Ok(());
            }
        }
        wait_until(|| {
            let processes = match read(&folder, "cgroup.procs") {
                Err(cause) if is_gone(&cause) => return Ok(true),
                other => other?,
            };
            for pid in processes.lines().filter_map(|line| line.parse().ok()) {
                let _ = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(pid),
                    nix::sys::signal::Signal::SIGKILL,
                );
            }
            Ok(processes.is_empty())
        })
    }

    /// Removes it from every hierarchy. It may take the kernel a moment to let go of the dead.
    pub(crate) fn remove(&self) -> io::Result<()> {
        let folders = self.hierarchies.folders(self.path.as_path());
        for folder in folders {
            wait_until(|| match std::fs::remove_dir(&folder) {
                Ok(()) => Ok(true),
                Err(cause) if is_gone(&cause) => Ok(true),
                Err(cause) if cause.raw_os_error() == Some(libc::EBUSY) => Ok(false),
                Err(cause) => Err(cause),
            })?;
        }
        Ok(())
    }

    /// Removes it where nothing is in it.
    pub(crate) fn remove_if_empty(&self) -> io::Result<()> {
        for folder in self.hierarchies.folders(self.path.as_path()) {
            match std::fs::remove_dir(&folder) {
                Err(cause) if cause.raw_os_error() == Some(libc::EBUSY) => {}
                other => ignore_missing(other)?,
            }
        }
        Ok(())
    }

    /// The names of the groups in it, over all hierarchies.
    pub(crate) fn children(&self) -> Vec<String> {
        let folders = self.hierarchies.folders(self.path.as_path());
        let entries = folders
            .iter()
            .filter_map(|folder| std::fs::read_dir(folder).ok());
        let names = entries
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok());
        let unique: std::collections::BTreeSet<_> = names.collect();
        unique.into_iter().collect()
    }

    fn control(&self, controller: &str) -> io::Result<PathBuf> {
        self.hierarchies.folder(controller, self.path.as_path())
    }
}

/// A process that was being forked may miss the order, and the group then waits for it for ever: the
/// order is given again, from time to time after taking it back.
fn freeze_v1(state: &Path) -> io::Result<()> {
    let mut tries = 0_u32;
    wait_until(|| {
        tries += 1;
        if tries.is_multiple_of(FREEZE_AFRESH) {
            std::fs::write(state, "THAWED")?;
        }
        std::fs::write(state, "FROZEN")?;
        Ok(std::fs::read_to_string(state)?.trim() == "FROZEN")
    })
}

fn read(folder: &Path, file: &str) -> io::Result<String> {
    std::fs::read_to_string(folder.join(file))
}

/// Whether a group went away, perhaps while one of its files was open.
pub(crate) fn is_gone(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::NotFound || cause.raw_os_error() == Some(libc::ENODEV)
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(cause) if is_gone(&cause) => Ok(()),
        other => other,
    }
}

/// The number after `name` in a file of `name value` lines.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(key, _)| *key == name)
        .and_then(|(_, value)| value.trim().parse().ok())
}

/// Asks again at short intervals: cgroup files of v1 have no events for these states.
fn wait_until(mut holds: impl FnMut() -> io::Result<bool>) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !holds()? {
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(INTERVAL);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_homes_have_two_groups() {
        let one = GroupPath::of_home(Path::new("/var/lib/mayfly"));
        let two = GroupPath::of_home(Path::new("/srv/mayfly"));
        assert_ne!(one, two);
        assert!(one.as_path().starts_with("/mayfly"));
    }

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "low 0\noom 3\noom_kill 2\n";
        assert_eq!(field(text, "oom_kill"), Some(2));
        assert_eq!(field(text, "oom"), Some(3));
        assert_eq!(field(text, "max"), None);
    }
}
