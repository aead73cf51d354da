//! The process that supervisors are forked from.
//!
//! A supervisor that were executed on its own would pay for the program's start, and hold a copy of
//! each page that the dynamic linker writes to. Forked ones share those pages, and start at once.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, setsid};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg};

use crate::folder::Folder;

/// How long a folder's path may be. Source: limits.h, `PATH_MAX`.
const PATH_BYTES: usize = 4096;

/// What a request asks for: a supervisor of this folder's sandbox, with a line to who waits for it.
pub(super) struct Request {
    pub(super) folder: Folder,
    pub(super) parent: UnixStream,
}

/// Forks a supervisor for each request on standard input that names a folder below `home`. Returns
/// its request in each of them, and nothing in the calling process, once the daemon's end is closed.
pub(super) fn serve(home: &Path) -> io::Result<Option<Request>> {
    while let Some(request) = receive()? {
        if !request.folder.path().starts_with(home) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: this process has one thread.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                let _ = waitpid(child, None);
                rustix::net::send(io::stdin(), &[1], SendFlags::NOSIGNAL)?;
            }
            ForkResult::Child => return part(request).map(Some),
        }
    }
    Ok(None)
}

/// The next request; `None` when the daemon is gone.
fn receive() -> io::Result<Option<Request>> {
    let mut path = [0; PATH_BYTES];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(&mut path)];
    let flags = RecvFlags::CMSG_CLOEXEC;
    let length = recvmsg(io::stdin(), &mut parts, &mut control, flags)?.bytes;
    if length == 0 {
        return Ok(None);
    }
    let mut lines = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let parent: OwnedFd = lines.next().ok_or(io::ErrorKind::InvalidData)?;
    Ok(Some(Request {
        folder: Folder::at(OsStr::from_bytes(&path[..length])),
        parent: UnixStream::from(parent),
    }))
}

/// Takes the folder: a second supervisor fails here. Returns where to print what goes wrong.
fn claim(folder: &Folder) -> io::Result<File> {
    let mut last_words = OpenOptions::new();
    let last_words = last_words.append(true).create_new(true).mode(0o600);
    last_words.open(folder.last_words())
}

/// Which of two processes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The one that was there before.
    Starter,
    /// Its child, with a session of its own.
    Left,
}

/// Forks; the child has a session of its own, and what ends its starter does not end it.
pub(super) fn leave() -> io::Result<Side> {
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { .. } = unsafe { fork() }? {
        return Ok(Side::Starter);
    }
    setsid()?;
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGPIPE] {
        // SAFETY: ignoring a signal runs no code. A sandbox's end is that of what keeps it.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
    Ok(Side::Left)
}

/// Makes the calling process nobody's child, with standard streams of its own.
fn part(request: Request) -> io::Result<Request> {
    if leave()? == Side::Starter {
        // SAFETY: ends the process in between without the nursery's clean-up.
        unsafe { libc::_exit(0) };
    }
    let null = File::open("/dev/null")?;
    let last_words = claim(&request.folder)?;
    // SAFETY: nothing else owns descriptors 0 and 2.
    unsafe {
        libc::dup2(null.as_raw_fd(), 0);
        libc::dup2(last_words.as_raw_fd(), 2);
    }
    Ok(request)
}
