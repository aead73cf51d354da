//! What the first process of a sandbox and its supervisor tell each other.
//!
//! One socket pair that keeps message boundaries. It is also what ties their lives together: the
//! first process ends when the supervisor's end closes, however the supervisor died.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

/// What the first process reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    /// It is in place, with its filter on, and waits for [`GO`].
    Ready,
    /// A command before the main one ended badly: its place in the list, its wait status.
    Before { index: u32, status: i32 },
    /// A command could not be run: its place in the list (the main one is last), the error number.
    Unrunnable { index: u32, errno: i32 },
    /// The main command runs.
    Started,
    /// The main command ended with this wait status.
    Ended { status: i32 },
}

/// The supervisor's only word: begin.
pub(super) const GO: &[u8] = b"go";

impl Report {
    fn encode(self) -> [u8; 9] {
        let (tag, index, value) = match self {
            Self::Ready => (0, 0, 0),
            Self::Before { index, status } => (1, index, status),
            Self::Unrunnable { index, errno } => (2, index, errno),
            Self::Started => (3, 0, 0),
            Self::Ended { status } => (4, 0, status),
        };
        let mut message = [tag; 9];
        message[1..5].copy_from_slice(&u32::to_ne_bytes(index));
        message[5..9].copy_from_slice(&i32::to_ne_bytes(value));
        message
    }

    fn decode(message: &[u8]) -> Option<Self> {
        let [tag, rest @ ..] = message else {
            return None;
        };
        let index = u32::from_ne_bytes(rest.get(..4)?.try_into().ok()?);
        let value = i32::from_ne_bytes(rest.get(4..8)?.try_into().ok()?);
        Some(match tag {
            0 => Self::Ready,
            1 => Self::Before {
                index,
                status: value,
            },
            2 => Self::Unrunnable {
                index,
                errno: value,
            },
            3 => Self::Started,
            4 => Self::Ended { status: value },
            _ => return None,
        })
    }
}

/// Makes the pair: the supervisor's end, the first process's end.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

pub(super) fn send(to: impl AsFd, report: Report) -> io::Result<()> {
    send_bytes(to, &report.encode())
}

pub(super) fn send_bytes(to: impl AsFd, bytes: &[u8]) -> io::Result<()> {
    rustix::net::send(to, bytes, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The next message; `None` when the other end is closed.
pub(super) fn receive(from: impl AsFd) -> io::Result<Option<Report>> {
    let mut message = [0; 16];
    match rustix::net::recv(from, &mut message, RecvFlags::empty()) {
        Ok((0, _)) | Err(Errno::CONNRESET) => Ok(None),
        Ok((length, _)) => match Report::decode(&message[..length]) {
            Some(report) => Ok(Some(report)),
            None => Err(io::ErrorKind::InvalidData.into()),
        },
        Err(cause) => Err(cause.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_report_arrives_as_it_was_sent() {
        let (ours, theirs) = pair().expect("a pair");
        let reports = [
            Report::Ready,
            Report::Before {
                index: 3,
                status: 256,
            },
            Report::Unrunnable { index: 0, errno: 2 },
            Report::Started,
            Report::Ended { status: -1 },
        ];
        for report in reports {
            send(&theirs, report).expect("sent");
            assert_eq!(receive(&ours).expect("received"), Some(report));
        }
        drop(theirs);
        assert_eq!(receive(&ours).expect("closed"), None);
    }
}
