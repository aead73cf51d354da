//! Starting supervisors, and waiting for processes without being their parent.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncBufReadExt, BufReader, Interest, Lines};
use tokio::net::UnixStream;

use crate::events::Event;
use crate::folder::{Folder, write_json};
use crate::plan::Plan;
use crate::process::Process;

/// How a supervisor is started: `<program> <args…> <folder>`.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) args: Vec<String>,
}

/// The line to a supervisor. Hanging up ends a sandbox that is not handed over yet.
pub(crate) struct Line(Lines<BufReader<UnixStream>>);

impl Program {
    /// Writes the plan into `folder` and starts a supervisor for it.
    pub(crate) fn start(
        &self,
        plan: &Plan,
        folder: &Folder,
    ) -> io::Result<std::os::unix::net::UnixStream> {
        write_json(&folder.plan(), plan)?;
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        let mut last_words = std::fs::OpenOptions::new();
        let last_words = last_words.append(true).create(true).mode(0o600);
        let status = Command::new(&self.path)
            .args(&self.args)
            .arg(folder.path())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(last_words.open(folder.last_words())?)
            .status()?;
        match status.success() {
            true => Ok(ours),
            false => Err(io::Error::other("the supervisor could not be started")),
        }
    }
}

impl Line {
    pub(crate) fn new(socket: std::os::unix::net::UnixStream) -> io::Result<Self> {
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
