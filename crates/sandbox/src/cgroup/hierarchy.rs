//! Which cgroup file systems a machine has, and where.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// What limits go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// One hierarchy for each controller, perhaps beside an unused v2 mount.
    V1,
    /// One hierarchy.
    V2,
}

/// The cgroup mounts of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Hierarchies {
    version: Version,
    mounts: Vec<Mount>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    /// The controllers of a v1 mount; empty for v2.
    controllers: Vec<String>,
}

/// This machine's, once they were looked for.
static FOUND: OnceLock<Hierarchies> = OnceLock::new();

/// Controllers that limits need.
pub(crate) const NEEDED: [&str; 3] = ["cpu", "memory", "pids"];

impl Hierarchies {
    /// Reads the calling process's mount table, once: processes forked from it share the answer.
    pub(crate) fn find() -> io::Result<&'static Self> {
        if let Some(found) = FOUND.get() {
            return Ok(found);
        }
        let table = std::fs::read_to_string("/proc/self/mountinfo")?;
        let found = Self::from_table(&table).ok_or_else(|| {
            let what = "no cgroup file system is mounted under /sys/fs/cgroup";
            io::Error::new(io::ErrorKind::Unsupported, what)
        })?;
        Ok(FOUND.get_or_init(|| found))
    }

    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Whether limits can be set on what `controller` counts.
    pub(crate) fn has(&self, controller: &str) -> bool {
        match self.version {
            Version::V1 => self.mount_of(controller).is_some(),
            Version::V2 => {
                let list = self.mounts[0].point.join("cgroup.controllers");
                let list = std::fs::read_to_string(list).unwrap_or_default();
                list.split_ascii_whitespace().any(|name| name == controller)
            }
        }
    }

    /// The folder of the group `path` that has the files of `controller`.
    pub(crate) fn folder(&self, controller: &str, path: &Path) -> io::Result<PathBuf> {
        let mount = match self.version {
            Version::V1 => self.mount_of(controller),
            Version::V2 => self.mounts.first(),
        };
        let missing = || {
            let what = format!("the cgroup controller `{controller}` is not mounted");
            io::Error::new(io::ErrorKind::Unsupported, what)
        };
        Ok(below(&mount.ok_or_else(missing)?.point, path))
    }

    /// The folders of the group `path` in all hierarchies.
    pub(crate) fn folders(&self, path: &Path) -> Vec<PathBuf> {
        let folders = self.mounts.iter().map(|mount| below(&mount.point, path));
        folders.collect()
    }

    /// Makes the group `path` everywhere, with controllers on down to it.
    pub(crate) fn create(&self, path: &Path) -> io::Result<()> {
        for mount in &self.mounts {
            let mut folder = mount.point.clone();
            for part in path.iter().skip(1) {
                if self.version == Version::V2 {
                    enable_controllers(&folder);
                }
                folder.push(part);
                make(&folder, mount)?;
            }
        }
        Ok(())
    }

    fn mount_of(&self, controller: &str) -> Option<&Mount> {
        let has = |mount: &&Mount| mount.controllers.iter().any(|name| name == controller);
        self.mounts.iter().find(has)
    }

    /// `None` when nothing is mounted. Source: proc_pid_mountinfo(5).
    fn from_table(table: &str) -> Option<Self> {
        let mut mounts: Vec<Mount> = Vec::new();
        let mut unified = false;
        for line in table.lines() {
            let Some((mount, kind)) = parse(line) else {
                continue;
            };
            unified |= kind == "cgroup2" && mount.point == Path::new("/sys/fs/cgroup");
            if !mounts.contains(&mount) {
                mounts.push(mount);
            }
        }
        if unified {
            mounts.retain(|mount| mount.point == Path::new("/sys/fs/cgroup"));
        }
        let version = if unified { Version::V2 } else { Version::V1 };
        (!mounts.is_empty()).then_some(Self { version, mounts })
    }
}

fn parse(line: &str) -> Option<(Mount, &str)> {
    let (left, right) = line.split_once(" - ")?;
    let mut right = right.split(' ');
    let kind = right.next()?;
    let point = PathBuf::from(left.split(' ').nth(4)?);
    if !kind.starts_with("cgroup") || !point.starts_with("/sys/fs/cgroup") {
        return None;
    }
    let options = right.nth(1)?;
    let controllers = match kind {
        "cgroup" => options.split(',').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Some((Mount { point, controllers }, kind))
}

fn below(mount: &Path, path: &Path) -> PathBuf {
    mount.join(path.strip_prefix("/").unwrap_or(path))
}

/// Fails silently where a controller is missing: setting a limit of it then says so.
fn enable_controllers(folder: &Path) {
    for controller in NEEDED {
        let _ = std::fs::write(
            folder.join("cgroup.subtree_control"),
            format!("+{controller}"),
        );
    }
}

fn make(folder: &Path, mount: &Mount) -> io::Result<()> {
    match std::fs::create_dir(folder) {
        Ok(()) => {}
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
        Err(cause) => return Err(cause),
    }
    if mount.controllers.iter().any(|name| name == "cpuset") {
        inherit_cpus(folder)?;
    }
    Ok(())
}

/// A new group of cpuset admits nobody before it has CPUs and memory nodes. Another supervisor may
/// have made the group and not come to this yet.
fn inherit_cpus(folder: &Path) -> io::Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        let path = folder.join(file);
        if std::fs::read_to_string(&path)?.trim().is_empty() {
            let above = folder.parent().unwrap_or(folder).join(file);
            std::fs::write(path, std::fs::read_to_string(above)?.trim())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
30 23 0:26 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw,mode=755
31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw
32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct
33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
";
    const UNIFIED: &str = "\
30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate
31 23 0:27 / /other rw shared:9 - cgroup2 cgroup2 rw
";

    #[test]
    fn a_hybrid_machine_is_limited_through_v1() {
        let found = Hierarchies::from_table(HYBRID).expect("cgroups");
        assert_eq!(found.version(), Version::V1);
        let group = Path::new("/mayfly/x");
        let cpu = found.folder("cpu", group).expect("co-mounted");
        assert_eq!(cpu, Path::new("/sys/fs/cgroup/cpu,cpuacct/mayfly/x"));
        assert!(found.folder("pids", group).is_err());
        assert_eq!(found.folders(group).len(), 4);
    }

    #[test]
    fn a_unified_machine_has_one_folder_for_all() {
        let found = Hierarchies::from_table(UNIFIED).expect("cgroups");
        assert_eq!(found.version(), Version::V2);
        let group = Path::new("/mayfly/x");
        let folder = found.folder("pids", group).expect("one for all");
        assert_eq!(folder, Path::new("/sys/fs/cgroup/mayfly/x"));
        assert_eq!(found.folders(group).len(), 1);
    }

    #[test]
    fn a_machine_without_cgroups_has_none() {
        assert!(Hierarchies::from_table("1 2 0:3 / / rw - ext4 /dev/vda rw\n").is_none());
    }
}
