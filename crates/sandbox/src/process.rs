//! Processes named so that a reused process id is never mistaken for the old one.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

/// A process: its id, and when it was started, in clock ticks since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) started: u64,
}

impl Process {
    /// Names the process that has `pid` now.
    pub(crate) fn find(pid: i32) -> io::Result<Self> {
        let started = start_time(pid)?;
        Ok(Self { pid, started })
    }

    /// A descriptor of it that becomes readable when it ends; `None` when it has ended.
    pub(crate) fn open(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid) else {
            return Ok(None);
        };
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        // Read after opening: the descriptor and the number name the same process only then.
        Ok(self.is_current().then_some(handle))
    }

    /// Whether it still runs. One that has ended and waits to be reaped does not.
    pub(crate) fn runs(&self) -> bool {
        self.is_current() && !is_zombie(self.pid)
    }

    /// Sends a signal; one that has ended is no error.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        match self.open()? {
            None => Ok(()),
            Some(handle) => match pidfd_send_signal(handle, signal) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
                Err(cause) => Err(cause.into()),
            },
        }
    }

    fn is_current(&self) -> bool {
        start_time(self.pid).is_ok_and(|started| started == self.started)
    }
}

/// The field `starttime` of `/proc/<pid>/stat`. Source: proc_pid_stat(5).
fn start_time(pid: i32) -> io::Result<u64> {
    let bad = || io::Error::new(io::ErrorKind::InvalidData, "odd process status");
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name is in parentheses and may itself hold some; the fields after it are plain.
    let fields = stat.rsplit_once(')').ok_or_else(bad)?.1;
    let ticks = fields.split_ascii_whitespace().nth(19).ok_or_else(bad)?;
    ticks.parse().map_err(|_| bad())
}

fn is_zombie(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    matches!(state, None | Some('Z' | 'X'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_process_id_is_another_process() {
        let me = Process::find(std::process::id() as i32).expect("this process");
        assert!(me.runs());
        assert!(me.open().expect("a descriptor").is_some());
        let older = Process {
            started: me.started - 1,
            ..me
        };
        assert!(!older.runs());
        assert!(older.open().expect("no failure").is_none());
        older
            .signal(Signal::KILL)
            .expect("nobody is there to be killed");
    }
}
