//! How anybody learns that a sandbox's end is written down, without being its keeper's parent: a
//! named pipe in its folder that the keeper holds open for writing, however it ends itself.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The keeper's end. Dropped, the pulse stops.
#[derive(Debug)]
pub(crate) struct Pulse {
    _pipe: OwnedFd,
}

impl Pulse {
    /// Makes the pipe at `path`, which must not exist.
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0)?;
        // For reading too: opening for writing alone would wait for a reader.
        let pipe = open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { _pipe: pipe })
    }
}

/// Waits until the pulse at `path` stops.
pub(crate) async fn stopped(path: &Path) -> io::Result<()> {
    match listen(path)? {
        Some(pipe) => await_readable(pipe).await,
        None => Ok(()),
    }
}

/// Waits until `descriptor` becomes readable: a pulse's when it stops, a process's when it ends.
pub(crate) async fn await_readable(descriptor: OwnedFd) -> io::Result<()> {
    // SAFETY: the descriptor is the value's own and stays open as long as it.
    let ready = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
    ready.readable().await?.retain_ready();
    Ok(())
}

/// Waits until the pulse at `path` stops, at most for `patience`; the thread waits too.
pub(crate) fn await_stopped(path: &Path, patience: Duration) -> io::Result<()> {
    let Some(pipe) = listen(path)? else {
        return Ok(());
    };
    let patience = Timespec {
        tv_sec: patience.as_secs() as i64,
        tv_nsec: patience.subsec_nanos().into(),
    };
    poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&patience))?;
    Ok(())
}

/// A descriptor that becomes readable when the pulse stops; `None` when it has, or never was.
fn listen(path: &Path) -> io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let pipe = match open(path, flags, Mode::empty()) {
        Ok(pipe) => pipe,
        Err(Errno::NOENT) => return Ok(None),
        Err(cause) => return Err(cause.into()),
    };
    // A pipe that nobody holds for writing is at its end; nothing is ever written.
    match rustix::io::read(pipe.as_fd(), &mut [0; 1]) {
        Err(Errno::AGAIN) => Ok(Some(pipe)),
        Ok(_) => Ok(None),
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pulse_that_stops_is_noticed_before_and_after() {
        let room = tempfile::tempdir().expect("a folder");
        let path = room.path().join("pulse");
        stopped(&path).await.expect("there is none");
        let pulse = Pulse::start(&path).expect("a pipe");
        let short = Duration::from_millis(20);
        let waited = tokio::time::timeout(short, stopped(&path)).await;
        assert!(waited.is_err(), "it goes on");
        let waiting = tokio::spawn({
            let path = path.clone();
            async move { stopped(&path).await }
        });
        tokio::task::yield_now().await;
        drop(pulse);
        waiting.await.expect("no panic").expect("noticed");
        stopped(&path).await.expect("noticed afterwards");
        await_stopped(&path, Duration::from_secs(60)).expect("noticed at once");
    }
}
