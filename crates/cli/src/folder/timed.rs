//! Other programs, which end when their time is up.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A running program. It is ended when its time is up, and when this is dropped.
pub(crate) struct Timed {
    child: Child,
    over: Option<Sender<()>>,
    watch: Option<JoinHandle<bool>>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With success.
    Well,
    /// By itself, with a failure.
    Badly,
    /// Its time was up.
    OutOfTime,
}

impl Timed {
    /// Starts a program that may run until `deadline`.
    pub(crate) fn start(command: &mut Command, deadline: Instant) -> io::Result<Self> {
        let child = command.spawn()?;
        let id = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        let (over, is_over) = mpsc::channel();
        let watch = move || {
            let left = deadline.saturating_duration_since(Instant::now());
            let is_late = is_over.recv_timeout(left) == Err(RecvTimeoutError::Timeout);
            // It was not waited for yet, so that the id is still its own.
            is_late && kill(id, Signal::SIGKILL).is_ok()
        };
        Ok(Self {
            child,
            over: Some(over),
            watch: Some(std::thread::spawn(watch)),
        })
    }

    /// What it is told; once.
    pub(crate) fn stdin(&mut self) -> io::Result<ChildStdin> {
        self.child
            .stdin
            .take()
            .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// What it tells; once.
    pub(crate) fn stdout(&mut self) -> io::Result<ChildStdout> {
        self.child
            .stdout
            .take()
            .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> io::Result<Ended> {
        // Its output was read, or nobody wants it: writing more ends it.
        drop(self.child.stdout.take());
        self.await_exit()?;
        let was_late = self.stop_watching();
        let status = self.child.wait()?;
        Ok(match (status.success(), was_late) {
            (true, _) => Ended::Well,
            (false, true) => Ended::OutOfTime,
            (false, false) => Ended::Badly,
        })
    }

    fn hear(mut self, limit_bytes: u64) -> Option<Vec<u8>> {
        let mut told = Vec::new();
        let stdout = self.stdout().ok()?;
        stdout.take(limit_bytes + 1).read_to_end(&mut told).ok()?;
        let is_whole = told.len() as u64 <= limit_bytes;
        let ended = self.end().ok()?;
        (is_whole && ended == Ended::Well).then_some(told)
    }

    /// Waits without taking its id from it, for which the watch may reach until then.
    fn await_exit(&self) -> io::Result<()> {
        use nix::sys::wait::{Id, WaitPidFlag, waitid};
        let id = Pid::from_raw(i32::try_from(self.child.id()).map_err(io::Error::other)?);
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        loop {
            match waitid(Id::Pid(id), flags) {
                Ok(_) => return Ok(()),
                Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    fn stop_watching(&mut self) -> bool {
        drop(self.over.take());
        let watch = self.watch.take().map(JoinHandle::join);
        watch.and_then(Result::ok).unwrap_or_default()
    }
}

impl Drop for Timed {
    fn drop(&mut self) {
        if self.watch.is_some() {
            let _ = self.child.kill();
            self.stop_watching();
            let _ = self.child.wait();
        }
    }
}

/// All that a program tells, when it ends well, in time, and tells no more than `limit_bytes`.
pub(crate) fn output(command: &mut Command, within: Duration, limit_bytes: u64) -> Option<Vec<u8>> {
    let running = Timed::start(command, Instant::now() + within).ok()?;
    running.hear(limit_bytes)
}

/// The same from a program that reads all of its input first.
pub(crate) fn answer(
    command: &mut Command,
    input: &[u8],
    within: Duration,
    limit_bytes: u64,
) -> Option<Vec<u8>> {
    command.stdin(Stdio::piped());
    let mut running = Timed::start(command, Instant::now() + within).ok()?;
    running.stdin().ok()?.write_all(input).ok()?;
    running.hear(limit_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command
    }

    #[test]
    fn a_program_that_ends_well_is_heard_and_any_other_is_not() {
        let hear = |script: &str| output(&mut shell(script), Duration::from_secs(20), 10);
        assert_eq!(hear("printf hello").as_deref(), Some(&b"hello"[..]));
        assert_eq!(hear("printf hello; exit 1"), None);
        assert_eq!(hear("printf 12345678901"), None);
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let began = Instant::now();
        let mut running = Timed::start(
            &mut shell("exec sleep 60"),
            began + Duration::from_millis(50),
        )
        .expect("it starts");
        let mut told = String::new();
        let mut stdout = running.stdout().expect("its output");
        stdout.read_to_string(&mut told).expect("an end");
        assert_eq!(running.end().expect("an end"), Ended::OutOfTime);
        drop(Timed::start(
            &mut shell("exec sleep 60"),
            began + Duration::from_secs(60),
        ));
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}
