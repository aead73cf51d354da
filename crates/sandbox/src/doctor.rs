//! What a machine has and lacks for sandboxes.

use std::fs;
use std::io;
use std::path::Path;

use nix::sched::CloneFlags;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::cgroup::{Hierarchies, NEEDED, Version};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A word for it.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, when it is not.
    pub remedy: Option<String>,
}

/// Tries what sandboxes need: root, namespaces, overlay file systems, control groups, filters.
///
/// Takes some milliseconds, and leaves nothing behind.
pub fn doctor() -> Vec<Check> {
    vec![root(), namespaces(), overlay(), cgroups(), seccomp()]
}

fn check(name: &str, found: Result<String, String>, remedy: &str) -> Check {
    Check {
        name: name.to_owned(),
        ok: found.is_ok(),
        remedy: found.is_err().then(|| remedy.to_owned()),
        detail: found.unwrap_or_else(|trouble| trouble),
    }
}

fn root() -> Check {
    let found = match nix::unistd::geteuid().is_root() {
        true => Ok("mayfly's daemon runs as root".to_owned()),
        false => Err("this is not root: sandboxes cannot be made".to_owned()),
    };
    check("root", found, "run `sudo mayfly serve`")
}

fn namespaces() -> Check {
    let flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    let found = in_child(|| nix::sched::unshare(flags).map_err(io::Error::from))
        .map(|()| "user, mount, pid, net, ipc, uts and cgroup namespaces can be made".to_owned())
        .map_err(|cause| format!("namespaces cannot be made: {cause}"));
    check(
        "namespaces",
        found,
        "run `sysctl user.max_user_namespaces=65536`; in a container, give it CAP_SYS_ADMIN",
    )
}

fn overlay() -> Check {
    let found = fs::read_to_string("/proc/filesystems").map(|list| {
        list.lines()
            .any(|line| line.trim_end().ends_with("\toverlay"))
    });
    let found = match found {
        Ok(true) => Ok("overlay file systems can be mounted".to_owned()),
        // As a module it appears only once it is in use.
        _ if module_exists("overlay") => Ok("the kernel has overlay as a module".to_owned()),
        _ => Err("the kernel has no overlay file system".to_owned()),
    };
    check("overlay", found, "run `modprobe overlay`")
}

fn module_exists(name: &str) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let index = Path::new("/lib/modules")
        .join(release.trim())
        .join("modules.dep");
    let index = fs::read_to_string(index).unwrap_or_default();
    index
        .lines()
        .any(|line| line.contains(&format!("/{name}.ko")))
}

fn cgroups() -> Check {
    let found = Hierarchies::find().map_err(|cause| cause.to_string());
    let found = found.and_then(|hierarchies| {
        let version = match hierarchies.version() {
            Version::V1 => "v1",
            Version::V2 => "v2",
        };
        let missing: Vec<&str> = NEEDED
            .into_iter()
            .filter(|controller| !hierarchies.has(controller))
            .collect();
        match missing.is_empty() {
            true => Ok(format!("cgroup {version} limits {}", NEEDED.join(", "))),
            false => Err(format!("cgroup {version} lacks {}", missing.join(", "))),
        }
    });
    check(
        "cgroups",
        found,
        "boot with `cgroup_enable=memory`; in a container, mount /sys/fs/cgroup writable",
    )
}

fn seccomp() -> Check {
    let actions = fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail");
    let found = match actions {
        Ok(actions) if actions.split_whitespace().any(|action| action == "errno") => {
            Ok("system calls can be filtered".to_owned())
        }
        _ => Err("the kernel cannot filter system calls".to_owned()),
    };
    check(
        "seccomp",
        found,
        "boot a kernel with CONFIG_SECCOMP_FILTER, such as `apt install linux-image-amd64`",
    )
}

/// Runs `work` in a child process; its error is passed on by number.
fn in_child(work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: the child makes system calls and ends without returning: no lock of another thread
    // is waited for.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let code = match work() {
                Ok(()) => 0,
                Err(cause) => cause.raw_os_error().unwrap_or(libc::EINVAL),
            };
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(code) }
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, 0) => Ok(()),
            WaitStatus::Exited(_, errno) => Err(io::Error::from_raw_os_error(errno)),
            _ => Err(io::Error::other("the probe was killed")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_reaches_the_parent_by_its_number() {
        in_child(|| Ok(())).expect("nothing refused");
        let refused = in_child(|| Err(io::Error::from_raw_os_error(libc::EPERM)));
        let errno = refused.expect_err("refused").raw_os_error();
        assert_eq!(errno, Some(libc::EPERM));
    }

    #[test]
    fn every_trouble_comes_with_a_remedy() {
        for check in doctor() {
            assert_eq!(check.ok, check.remedy.is_none(), "{check:?}");
        }
    }
}
