//! Starting supervisors.

use std::io::{self, IoSlice, PipeReader};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, sendmsg,
};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::UnixStream;

use crate::events::Event;
use crate::folder::{Folder, write_json};
use crate::plan::Plan;

/// How patient the C library is with name servers: the egress proxy tries again itself, and its
/// clients wait. Source: resolv.conf(5).
const RESOLVER: &str = "timeout:2 attempts:2";

/// Starts supervisors, through a process that they are forked from.
#[derive(Debug)]
pub(crate) struct Nursery {
    program: PathBuf,
    args: Vec<String>,
    home: PathBuf,
    /// Started with the first sandbox, and again when it was killed.
    running: Mutex<Option<Running>>,
}

/// The nursery, and the keeper of what it makes: they end when this end of their socket does, and
/// their last sandbox.
#[derive(Debug)]
struct Running {
    socket: OwnedFd,
    /// All of them hold its other end, and write nothing.
    lives: PipeReader,
}

/// The line to a supervisor. Hanging up ends a sandbox that is not handed over yet.
pub(crate) struct Line(Lines<BufReader<UnixStream>>);

impl Nursery {
    /// Will run `<program> <args…> <home>`, which calls [`crate::supervise::main`].
    pub(crate) fn new(program: PathBuf, args: Vec<String>, home: PathBuf) -> Self {
        Self {
            program,
            args,
            home,
            running: Mutex::new(None),
        }
    }

    /// Writes the plan into `folder` and starts a supervisor for it.
    pub(crate) fn start(&self, plan: &Plan, folder: &Folder) -> io::Result<StdStream> {
        write_json(&folder.plan(), plan)?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // The same line for both attempts: a nursery that dies now may have had its last child, and
        // of two supervisors the first takes the folder.
        let (ours, theirs) = StdStream::pair()?;
        if let Some(nursery) = &*running
            && nursery.ask(folder, &theirs).is_ok()
        {
            return Ok(ours);
        }
        running.insert(self.spawn()?).ask(folder, &theirs)?;
        Ok(ours)
    }

    fn spawn(&self) -> io::Result<Running> {
        let kind = SocketType::SEQPACKET;
        let (socket, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
        let (lives, theirs_to_hold) = io::pipe()?;
        let started = Command::new(&self.program)
            .args(&self.args)
            .arg(&self.home)
            .env_clear()
            .env("RES_OPTIONS", RESOLVER)
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::from(theirs_to_hold))
            .stderr(Stdio::null())
            .status()?;
        match started.success() {
            true => Ok(Running { socket, lives }),
            false => Err(io::Error::other(format!(
                "the supervisor failed: {started}"
            ))),
        }
    }

    /// Ends the nursery; returns when the keeper has ended too, once it has no sandbox left.
    pub(crate) fn close(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.take() {
            running.close();
        }
    }
}

impl Running {
    /// Sends the folder's path with one end of its line, and waits until the supervisor is there.
    fn ask(&self, folder: &Folder, line: &StdStream) -> io::Result<()> {
        let rights = [line.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&rights));
        let path = [IoSlice::new(folder.path().as_os_str().as_bytes())];
        sendmsg(&self.socket, &path, &mut control, SendFlags::NOSIGNAL)?;
        // One that dies at this moment took the message along.
        let mut answer = [0; 1];
        match rustix::net::recv(&self.socket, &mut answer, RecvFlags::empty())? {
            (1.., _) => Ok(()),
            (0, _) => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    fn close(mut self) {
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        let _ = io::copy(&mut self.lives, &mut io::sink());
    }
}

impl Line {
    pub(crate) fn new(socket: StdStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let socket = UnixStream::from_std(socket)?;
        Ok(Self(BufReader::new(socket).lines()))
    }

    /// The next message; `None` when the supervisor is gone.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Event>> {
        match self.0.next_line().await {
            Ok(Some(line)) => Ok(Some(serde_json::from_str(&line)?)),
            Ok(None) => Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(cause) => Err(cause),
        }
    }
}
