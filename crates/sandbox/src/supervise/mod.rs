//! The supervisor: a small process outside each sandbox that makes it, keeps its output, its egress
//! proxy and its end, and outlives the daemon.
//!
//! The daemon starts it by executing itself; see [`main`].

mod app;
mod binds;
mod ending;
mod etc;
mod init;
mod job;
mod launch;
mod lines;
mod logs;
mod maker;
mod netns;
mod oci;
mod rootfs;
mod seccomp;
mod trouble;
mod watch;
mod wire;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use nix::unistd::{ForkResult, fork, setsid};

use crate::cgroup::{Group, Limits};
use crate::events;
use crate::folder::{Folder, read_json, write_json};
use crate::plan::{Plan, Role};
use crate::process::Process;
pub(crate) use job::take_back;
use trouble::Trouble;
use watch::Watch;

/// How much later than others a supervisor is killed when the machine runs out of memory.
const OOM_SCORE: &str = "-500";
/// A busy machine's CPU goes to apps first.
const APP_WEIGHT: u32 = 100;
const JOB_WEIGHT: u32 = 50;

/// Runs the sandbox that `folder` describes: what `mayfly supervise <folder>` does.
///
/// Standard input is a socket to who started it. The calling process must not have a second thread,
/// and returns at once; the supervisor is its child, in a session of its own.
pub fn main(folder: &Path) -> ExitCode {
    // A panic in one of the forked processes must never run on into another's code.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    match detach() {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(parent)) => match supervise(&Folder::at(folder), parent) {
            Ok(()) => ExitCode::SUCCESS,
            Err(cause) => {
                eprintln!("the supervisor failed: {cause}");
                ExitCode::FAILURE
            }
        },
        Err(cause) => {
            eprintln!("the supervisor could not be started: {cause}");
            ExitCode::FAILURE
        }
    }
}

/// Leaves the caller's session and descriptors. `None` in the process that was left.
fn detach() -> io::Result<Option<UnixStream>> {
    // SAFETY: nothing of ours is open yet beyond the standard streams.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { .. } = unsafe { fork() }? {
        return Ok(None);
    }
    setsid()?;
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGPIPE] {
        // SAFETY: ignoring a signal runs no code. The sandbox's end is the supervisor's.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    let parent = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let null = File::open("/dev/null")?;
    // SAFETY: descriptor 0 is open, and nothing else owns it.
    unsafe { libc::dup2(null.as_raw_fd(), 0) };
    std::env::set_current_dir("/")?;
    Ok(Some(UnixStream::from(parent)))
}

fn supervise(folder: &Folder, parent: UnixStream) -> io::Result<()> {
    let plan: Plan = read_json(&folder.plan())?.ok_or(io::ErrorKind::NotFound)?;
    let group = Group::at(&plan.group)?;
    let me = Process::find(std::process::id() as i32)?;
    write_json(&folder.supervisor(), &me)?;
    let made = prepare(&plan, &group).and_then(|()| launch::launch(&plan, folder, &parent));
    let watch = made.and_then(|made| {
        Watch::new(&plan, folder, me, made).map_err(Trouble::at("watching the sandbox"))
    });
    match watch {
        Ok(watch) => watch.run(parent),
        Err(trouble) => {
            give_up(&plan, &group, folder);
            let _ = events::send(&parent, &trouble.into_event());
            Ok(())
        }
    }
}

fn prepare(plan: &Plan, group: &Group) -> Result<(), Trouble> {
    let failed = |cause| Trouble::at("making control groups")(cause);
    let supervisors = Group::at(&plan.supervisors).map_err(failed)?;
    supervisors.create().map_err(failed)?;
    supervisors.join().map_err(failed)?;
    let _ = std::fs::write("/proc/self/oom_score_adj", OOM_SCORE);
    group.create().map_err(failed)?;
    let weight = match plan.role {
        Role::App(_) => APP_WEIGHT,
        Role::Job(_) => JOB_WEIGHT,
    };
    let limits = Limits {
        memory_bytes: plan.memory_bytes,
        // The sandbox's first process is ours, not the app's.
        pids: plan.pids.saturating_add(1),
        weight,
    };
    group.limit(&limits).map_err(failed)
}

/// Removes every trace of a sandbox that was never handed over.
fn give_up(plan: &Plan, group: &Group, folder: &Folder) {
    let trouble = |what: &str, result: io::Result<()>| {
        if let Err(cause) = result {
            eprintln!("{what}: {cause}");
        }
    };
    trouble("killing what is left", group.kill());
    reap_children();
    if let Role::Job(role) = &plan.role {
        trouble("taking folders back", job::take_back(role));
    }
    trouble("removing the control group", group.remove());
    trouble("removing the folder", folder.remove());
}

/// Collects children that have ended. The kernel keeps a group until its dead are collected.
fn reap_children() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    let any = nix::unistd::Pid::from_raw(-1);
    loop {
        match waitpid(any, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) | Err(_) => return,
            Ok(_) => {}
        }
    }
}
