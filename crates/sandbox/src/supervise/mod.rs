//! What stands outside of sandboxes: it makes them, keeps their output, their egress proxies and
//! their ends, and outlives the daemon.
//!
//! The daemon executes itself once; see [`main`]. That makes two processes. The nursery forks a
//! supervisor for each sandbox, which makes it. A job's supervisor stays until its end. An app's goes
//! when the sandbox is made, and the keeper, one for all apps, has the long wait: hundreds of
//! processes that do nothing would cost more than all else of mayfly.

mod app;
mod binds;
mod budget;
mod ending;
mod etc;
mod groups;
mod handover;
mod init;
mod job;
mod keeper;
mod launch;
mod lines;
mod logs;
mod maker;
mod netns;
mod nursery;
mod oci;
mod report;
mod rootfs;
mod seccomp;
mod trouble;
mod watch;
mod wire;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::ExitCode;

use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, fork};

use crate::cgroup::{Group, Hierarchies};
use crate::events;
use crate::folder::{Folder, read_json, write_json};
use crate::plan::{Plan, Role};
use crate::process::Process;
use handover::{Door, Made};
pub(crate) use job::take_back;
use nursery::{Request, Side, leave};
use watch::Watch;

/// Starts the processes that make and keep each sandbox below `home` that the daemon asks for: what
/// `mayfly supervise <home>` does.
///
/// Standard input is a socket to the daemon. The function returns at once in the calling process,
/// which must not have a second thread. What it started ends with the last sandbox, once the socket is
/// closed.
pub fn main(home: &Path) -> ExitCode {
    let done = prepare().and_then(|program| match leave()? {
        Side::Starter => Ok(()),
        Side::Left => divide(home, &program),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("the supervisor failed: {cause}");
            ExitCode::FAILURE
        }
    }
}

/// What all processes share; made once.
fn prepare() -> io::Result<OwnedFd> {
    // SAFETY: nothing of ours is open yet beyond the standard streams.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    std::env::set_current_dir("/")?;
    // A machine without is told with the first sandbox.
    let _ = Hierarchies::find();
    init::program()
}

/// Divides the process in two: the keeper, and the nursery, whose forks make sandboxes.
fn divide(home: &Path, program: &OwnedFd) -> io::Result<()> {
    let (inside, outside) = Door::pair()?;
    // First processes become the keeper's when their makers end.
    nix::sys::prctl::set_child_subreaper(true)?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }? {
        ForkResult::Parent { .. } => {
            drop(outside);
            keeper::keep(inside)
        }
        ForkResult::Child => {
            drop(inside);
            raise_makers(home, program, outside)
        }
    }
}

fn raise_makers(home: &Path, program: &OwnedFd, door: Door) -> io::Result<()> {
    // A panic in one of the forked processes must never run on into another's code.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    // Without the keeper nothing that is made here could be kept.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    match nursery::serve(home)? {
        Some(request) => supervise(request, program, &door),
        None => Ok(()),
    }
}

/// Makes the sandbox that is asked for. An app's goes to the keeper; a job's stays.
fn supervise(request: Request, program: &OwnedFd, door: &Door) -> io::Result<()> {
    let Request { folder, parent } = request;
    let plan: Plan = read_json(&folder.plan())?.ok_or(io::ErrorKind::NotFound)?;
    let group = Group::at(&plan.group)?;
    let me = Process::find(std::process::id() as i32)?;
    write_json(&folder.supervisor(), &me)?;
    let launched = match launch::launch(&plan, &folder, program.as_fd(), &parent) {
        Ok(launched) => launched,
        Err(trouble) => {
            undo(&plan, &group, &folder);
            let _ = events::send(&parent, &trouble.into_event());
            return Ok(());
        }
    };
    if let Role::App(_) = &plan.role {
        let made = Made {
            folder,
            launched,
            parent,
            maker: me.pid,
        };
        return door
            .give(&made)
            .inspect_err(|_| undo(&plan, &group, &made.folder));
    }
    let mut watch = Watch::new(plan, folder, me, launched)?;
    watch.begin(parent)?;
    watch.run()
}

/// Removes a sandbox of this process's own children.
fn undo(plan: &Plan, group: &Group, folder: &Folder) {
    let _ = group.kill();
    reap_children();
    give_up(plan, group, folder);
}

/// Removes every trace of a sandbox that was never handed over.
fn give_up(plan: &Plan, group: &Group, folder: &Folder) {
    let trouble = |what: &str, result: io::Result<()>| {
        if let Err(cause) = result {
            eprintln!("{what}: {cause}");
        }
    };
    trouble("killing what is left", group.kill());
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
