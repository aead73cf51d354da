//! Carries bytes from one socket to the other, and the end of the stream too.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

/// How much is read at once, and the most that waits in one direction, in bytes.
pub(super) const BUFFER_BYTES: usize = 16 * 1024;

/// One direction. It holds memory only while the receiver is slower than the sender.
#[derive(Debug)]
pub(super) struct Pipe {
    pending: Vec<u8>,
    sent: usize,
    /// How much may still be read; `None` is without end.
    left: Option<u64>,
    source: Source,
}

/// What is known of the sending side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Open,
    /// It has ended; the receiver does not know yet.
    Ended,
    /// It has ended, and the receiver was told.
    Told,
}

/// What one attempt achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Something moved; there may be more.
    Moved,
    /// Nothing to do until a socket is ready again.
    Stuck,
}

impl Pipe {
    /// A direction that sends `first`, then all that the sender sends.
    pub(super) fn new(first: Vec<u8>) -> Self {
        Self {
            pending: first,
            sent: 0,
            left: None,
            source: Source::Open,
        }
    }

    /// A direction that sends `head`, then as much of `early` and of what follows as belongs to
    /// the request; `None` is all of it.
    pub(super) fn request(mut head: Vec<u8>, early: Vec<u8>, body_bytes: Option<u64>) -> Self {
        let body_bytes = body_bytes.unwrap_or(u64::MAX);
        let own = usize::try_from(body_bytes).map_or(early.len(), |most| most.min(early.len()));
        head.extend_from_slice(&early[..own]);
        Self {
            left: Some(body_bytes - own as u64),
            ..Self::new(head)
        }
    }

    /// A direction that sends `all`, and ends.
    pub(super) fn last(all: Vec<u8>) -> Self {
        Self {
            source: Source::Ended,
            ..Self::new(all)
        }
    }

    /// Whether the end of the stream was passed on.
    pub(super) fn is_finished(&self) -> bool {
        self.source == Source::Told
    }

    /// Does one read and one write at most. An error means that the connection is lost.
    pub(super) fn carry(
        &mut self,
        from: &TcpStream,
        to: &TcpStream,
        scratch: &mut [u8],
    ) -> io::Result<Progress> {
        if !self.pending.is_empty() {
            return self.flush(to);
        }
        match self.source {
            Source::Told => Ok(Progress::Stuck),
            Source::Ended => self.tell_end(to),
            Source::Open => self.read(from, to, scratch),
        }
    }

    fn flush(&mut self, mut to: &TcpStream) -> io::Result<Progress> {
        match to.write(&self.pending[self.sent..]) {
            Ok(count) => {
                self.sent += count;
                if self.sent == self.pending.len() {
                    self.pending = Vec::new();
                    self.sent = 0;
                }
                Ok(Progress::Moved)
            }
            Err(error) => stuck_or(error),
        }
    }

    fn tell_end(&mut self, to: &TcpStream) -> io::Result<Progress> {
        self.source = Source::Told;
        to.shutdown(Shutdown::Write)?;
        Ok(Progress::Moved)
    }

    fn read(
        &mut self,
        mut from: &TcpStream,
        mut to: &TcpStream,
        scratch: &mut [u8],
    ) -> io::Result<Progress> {
        let most = self.left.map_or(scratch.len(), |left| {
            usize::try_from(left).map_or(scratch.len(), |left| left.min(scratch.len()))
        });
        if most == 0 {
            return Ok(Progress::Stuck);
        }
        let count = match from.read(&mut scratch[..most]) {
            Ok(count) => count,
            Err(error) => return stuck_or(error),
        };
        if count == 0 {
            self.source = Source::Ended;
            return Ok(Progress::Moved);
        }
        self.left = self.left.map(|left| left - count as u64);
        let written = match to.write(&scratch[..count]) {
            Ok(written) => written,
            Err(error) => stuck_or(error).map(|_| 0)?,
        };
        self.pending.extend_from_slice(&scratch[written..count]);
        Ok(Progress::Moved)
    }
}

/// A socket that is not ready is no error.
pub(super) fn stuck_or(error: io::Error) -> io::Result<Progress> {
    match error.kind() {
        ErrorKind::WouldBlock => Ok(Progress::Stuck),
        ErrorKind::Interrupted => Ok(Progress::Moved),
        _ => Err(error),
    }
}
