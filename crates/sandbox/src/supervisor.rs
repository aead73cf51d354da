//! Starting supervisors, and waiting for processes without being their parent.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
    SocketType, sendmsg,
};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncBufReadExt, BufReader, Interest, Lines};
use tokio::net::UnixStream;

use crate::events::Event;
use crate::folder::{Folder, write_json};
use crate::plan::Plan;
use crate::process::Process;

/// Starts supervisors, through a process that they are forked from.
#[derive(Debug)]
pub(crate) struct Nursery {
    program: PathBuf,
    args: Vec<String>,
    home: PathBuf,
    /// Started with the first sandbox, and again when it was killed.
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    socket: OwnedFd,
    process: Child,
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
        let process = Command::new(&self.program)
            .args(&self.args)
            .arg(&self.home)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Running { socket, process })
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
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends when its end of the socket does; its supervisors live on.
        let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both);
        let _ = self.process.wait();
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

/// Waits until `process` has ended.
pub(crate) async fn end_of(process: &Process) -> io::Result<()> {
    if let Some(handle) = process.open()? {
        // SAFETY: the descriptor is the value's own and stays open as long as it.
        let handle = unsafe { AsyncFd::register_with_interest(handle, Interest::READABLE) }?;
        handle.readable().await?.retain_ready();
    }
    Ok(())
}
