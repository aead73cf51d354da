//! Bringing a sandbox to the point where its first process waits for the word.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::maker::{self, Ends};
use super::netns;
use super::trouble::Trouble;
use super::wire::{self, Report};
use crate::folder::Folder;
use crate::plan::Plan;
use crate::process::Process;

/// How long making a sandbox may take; copying a large app's folder is part of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the maker's answer may be: what a pipe passes on in one piece.
const MESSAGE_BYTES: usize = libc::PIPE_BUF;

/// A sandbox whose first process waits.
pub(super) struct Launched {
    pub(super) init: Process,
    pub(super) socket: OwnedFd,
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    /// The egress proxy's, when the plan has one.
    pub(super) listener: Option<TcpListener>,
}

/// Makes the sandbox in a child process. Gives up when `parent` hangs up.
pub(super) fn launch(
    plan: &Plan,
    folder: &Folder,
    program: BorrowedFd<'_>,
    parent: &UnixStream,
) -> Result<Launched, Trouble> {
    let here = Trouble::at("making pipes");
    let (ours, theirs) = ends().map_err(here)?;
    let pid = in_child(plan, folder, program, theirs, parent)?;
    let starting = |cause| Trouble::at("finding the sandbox's first process")(cause);
    let init = Process::find(pid).map_err(starting)?;
    await_readable(ours.socket.as_fd(), parent).map_err(Trouble::at("starting the sandbox"))?;
    if wire::receive(&ours.socket).map_err(starting)? != Some(Report::Ready) {
        return Err(Trouble::Failed(
            "the sandbox's first process died".to_owned(),
        ));
    }
    check_filter(pid)?;
    let listener = netns::prepare(pid, plan.egress.is_some())
        .map_err(Trouble::at("preparing the sandbox's network"))?;
    Ok(Launched {
        init,
        listener,
        socket: ours.socket,
        stdout: ours.stdout,
        stderr: ours.stderr,
    })
}

/// The supervisor's ends, the sandbox's ends.
fn ends() -> io::Result<(Ends, Ends)> {
    let pipe = || rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC);
    let (stdout, stdout_in) = pipe()?;
    let (stderr, stderr_in) = pipe()?;
    let (socket, socket_in) = wire::pair()?;
    let ours = Ends {
        stdout,
        stderr,
        socket,
    };
    let theirs = Ends {
        stdout: stdout_in,
        stderr: stderr_in,
        socket: socket_in,
    };
    Ok((ours, theirs))
}

/// Runs the maker; returns the id of the sandbox's first process, now a child of this one.
fn in_child(
    plan: &Plan,
    folder: &Folder,
    program: BorrowedFd<'_>,
    ends: Ends,
    parent: &UnixStream,
) -> Result<i32, Trouble> {
    let failed = |cause| Trouble::at("starting the sandbox's maker")(cause);
    let (result, told) =
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.map_err(|errno| failed(errno.into()))? {
        ForkResult::Child => {
            drop(result);
            let outcome = maker::make(plan, folder, program, ends);
            let text = serde_json::to_vec(&outcome).unwrap_or_default();
            let told = File::from(told).write_all(&text[..text.len().min(MESSAGE_BYTES)]);
            // SAFETY: ends the child without the parent's clean-up.
            unsafe { libc::_exit(i32::from(told.is_err())) }
        }
        ForkResult::Parent { child } => {
            drop((told, ends));
            let outcome = read_outcome(result, parent);
            if outcome.is_err() {
                let _ = nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGKILL);
            }
            let _ = waitpid(child, None);
            outcome
        }
    }
}

fn read_outcome(result: OwnedFd, parent: &UnixStream) -> Result<i32, Trouble> {
    let failed = |cause| Trouble::at("making the sandbox")(cause);
    await_readable(result.as_fd(), parent).map_err(failed)?;
    // One write of less than a page arrives in one piece. The sandbox's first process holds the
    // other end for a moment longer, so the end of the stream is not waited for.
    let mut text = vec![0; MESSAGE_BYTES];
    let length = File::from(result).read(&mut text).map_err(failed)?;
    match serde_json::from_slice(&text[..length]) {
        Ok(outcome) => outcome,
        Err(_) => Err(Trouble::Failed("the sandbox's maker died".to_owned())),
    }
}

/// Waits until `fd` has something. Fails when `parent` hangs up first: nobody wants it any more.
fn await_readable(fd: impl AsFd, parent: &UnixStream) -> io::Result<()> {
    let mut watched = [
        PollFd::new(&fd, PollFlags::IN),
        PollFd::new(parent, PollFlags::RDHUP),
    ];
    let patience = Timespec {
        tv_sec: PATIENCE.as_secs() as i64,
        tv_nsec: 0,
    };
    if poll(&mut watched, Some(&patience))? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    match watched[0].revents().is_empty() {
        true => Err(io::ErrorKind::ConnectionAborted.into()),
        false => Ok(()),
    }
}

/// libcontainer built without its filter ignores the profile silently.
fn check_filter(pid: i32) -> Result<(), Trouble> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(Trouble::at("reading the first process's status"))?;
    let says = |line: &str| status.lines().any(|found| found == line);
    match says("Seccomp:\t2") && says("NoNewPrivs:\t1") {
        true => Ok(()),
        false => {
            let _ = nix::sys::signal::kill(Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
            Err(Trouble::Failed(
                "the system call filter is not on".to_owned(),
            ))
        }
    }
}
