//! `mayfly stop`: the daemon ends.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use api::types::StopRequest;
use api::{Client, ClientError, paths};
use model::failure::{Failure, FailureCode};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Reader};

/// How long a daemon may take to end its apps.
const GONE_WITHIN: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave the apps running; they are not reachable until `mayfly serve` or `mayfly up` is run
    #[arg(long)]
    keep_apps: bool,
    /// Print the result as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ends the daemon and returns when it is gone.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let was_running = daemon::runtime()?.block_on(stop(args.request()))?;
    let (message, apps) = match (was_running, args.keep_apps) {
        (false, _) => ("no daemon was running", "unknown"),
        (true, false) => (
            "the daemon and its apps have ended; `mayfly serve` brings them back",
            "ended",
        ),
        (true, true) => ("the daemon has ended; its apps go on running", "running"),
    };
    match Reader::of_flag(args.json) {
        Reader::Person => face::note(message),
        Reader::Program => face::json(&serde_json::json!({
            "type": "result",
            "was_running": was_running,
            "apps": apps,
        })),
    }
    Ok(Exit::Ok)
}

impl Args {
    fn request(&self) -> StopRequest {
        match self.keep_apps {
            true => StopRequest::KeepApps,
            false => StopRequest::WithApps,
        }
    }
}

/// Ends the daemon of this home and returns when it is gone: whether there was one.
pub(crate) async fn stop(request: StopRequest) -> Result<bool, Failure> {
    let mut client = match Client::connect(&paths::home()).await {
        Err(ClientError::NotRunning { .. }) => return Ok(false),
        client => client?,
    };
    let pid = client.health().await?.pid;
    let daemon = open_process(pid);
    client.stop(request).await?;
    let watched = daemon.and_then(|daemon| wait_for_end(daemon, GONE_WITHIN));
    match watched {
        Ok(Ended::Yes) => Ok(true),
        Ok(Ended::NotYet) => Err(Failure::new(
            FailureCode::Unavailable,
            format!("the daemon, process {pid}, is still ending its apps"),
        )
        .hint(format!(
            "wait, or end it with `sudo kill -9 {pid}`: nothing is lost"
        ))
        .retryable()),
        Err(cause) => Err(Failure::new(
            FailureCode::Machine,
            format!("the daemon, process {pid}, cannot be watched"),
        )
        .because(cause.to_string())
        .hint("run `mayfly doctor` to see whether it has ended")),
    }
}

/// A descriptor of the process (pidfd_open(2)): it names no other one when the number is reused.
/// `None` when it is gone already.
fn open_process(pid: u32) -> io::Result<Option<OwnedFd>> {
    // SAFETY: a plain system call with two numbers.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    match i32::try_from(descriptor) {
        // SAFETY: the kernel has just given the descriptor to us alone.
        Ok(descriptor) if descriptor >= 0 => Ok(Some(unsafe { OwnedFd::from_raw_fd(descriptor) })),
        _ => match io::Error::last_os_error() {
            gone if gone.raw_os_error() == Some(libc::ESRCH) => Ok(None),
            other => Err(other),
        },
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Yes,
    NotYet,
}

/// Waits at most `patience` for a process to end; one that is gone has ended.
fn wait_for_end(process: Option<OwnedFd>, patience: Duration) -> io::Result<Ended> {
    let Some(process) = process else {
        return Ok(Ended::Yes);
    };
    let until = Instant::now() + patience;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        // pidfd_open(2): the descriptor is readable once the process has ended.
        let mut asked = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
        match poll(&mut asked, left) {
            Ok(0) => return Ok(Ended::NotYet),
            Ok(_) => return Ok(Ended::Yes),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_process_is_awaited() {
        let mut child = std::process::Command::new("sleep")
            .arg("30")
            .spawn()
            .expect("sleep");
        let open = || open_process(child.id()).expect("an answer");
        let soon = Duration::from_millis(10);
        assert_eq!(
            wait_for_end(open(), soon).expect("an answer"),
            Ended::NotYet
        );
        let process = open();
        child.kill().expect("a signal");
        let ended = wait_for_end(process, Duration::from_secs(10)).expect("an answer");
        assert_eq!(ended, Ended::Yes);
        child.wait().expect("its status");
        assert!(matches!(open_process(child.id()), Ok(None)));
    }
}
