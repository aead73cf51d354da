//! The supervisor: a small process outside each sandbox that makes it, keeps its output, its egress
//! proxy and its end, and outlives the daemon.
//!
//! The daemon executes itself once for a process that supervisors are forked from; see [`main`].

mod app;
mod binds;
mod budget;
mod ending;
mod etc;
mod groups;
mod init;
mod job;
mod launch;
mod lines;
mod logs;
mod maker;
mod netns;
mod nursery;
mod oci;
mod rootfs;
mod seccomp;
mod trouble;
mod watch;
mod wire;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

use crate::cgroup::Group;
use crate::events;
use crate::folder::{Folder, read_json, write_json};
use crate::plan::{Plan, Role};
use crate::process::Process;
pub(crate) use job::take_back;
use trouble::Trouble;
use watch::Watch;

/// Starts a supervisor for each sandbox below `home` that the daemon asks for: what
/// `mayfly supervise <home>` does.
///
/// Standard input is a socket to the daemon; the function returns when that is closed, and the
/// supervisors go on. The calling process must not have a second thread.
pub fn main(home: &Path) -> ExitCode {
    // A panic in one of the forked processes must never run on into another's code.
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("{panic}");
        std::process::abort();
    }));
    let done = nursery::serve(home).and_then(|request| match request {
        Some(request) => supervise(&request.folder, request.parent),
        None => Ok(()),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("the supervisor failed: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn supervise(folder: &Folder, parent: UnixStream) -> io::Result<()> {
    let plan: Plan = read_json(&folder.plan())?.ok_or(io::ErrorKind::NotFound)?;
    let group = Group::at(&plan.group)?;
    let me = Process::find(std::process::id() as i32)?;
    write_json(&folder.supervisor(), &me)?;
    let watch = launch::launch(&plan, folder, &parent).and_then(|made| {
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
