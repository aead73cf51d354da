//! What the first process of a sandbox and its supervisor tell each other.
//!
//! One socket pair that keeps message boundaries. It is also what ties their lives together: the
//! first process ends when the supervisor's end closes, however the supervisor died.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

pub(super) use super::report::Report;

/// The supervisor's only word: begin.
pub(super) const GO: &[u8] = b"go";

/// Makes the pair: the supervisor's end, the first process's end.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
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
            send_bytes(&theirs, &report.encode()).expect("sent");
            assert_eq!(receive(&ours).expect("received"), Some(report));
        }
        drop(theirs);
        assert_eq!(receive(&ours).expect("closed"), None);
    }
}
