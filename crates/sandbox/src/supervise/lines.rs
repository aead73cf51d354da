//! Cutting a stream of bytes into lines of limited length.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use model::progress::Stream;
use rustix::io::Errno;

/// How long a line may be; longer ones are cut.
const LINE_BYTES: usize = 16 * 1024;
/// How much is read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// One of a sandbox's output streams.
pub(super) struct Output {
    pipe: OwnedFd,
    stream: Stream,
    /// The beginning of a line whose end has not come. Gives its memory back when it is done.
    begun: Vec<u8>,
}

/// Whether a stream has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Open,
    Ended,
}

impl Output {
    /// Reads from `pipe`, which is made non-blocking.
    pub(super) fn new(pipe: OwnedFd, stream: Stream) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Self {
            pipe,
            stream,
            begun: Vec::new(),
        })
    }

    /// Reads once, and hands on each line that is complete.
    pub(super) fn turn(&mut self, sink: &mut dyn FnMut(Stream, &[u8])) -> Flow {
        let mut chunk = [0; CHUNK_BYTES];
        match rustix::io::read(&self.pipe, &mut chunk) {
            Ok(0) => {
                self.finish(sink);
                Flow::Ended
            }
            Ok(length) => {
                self.take(&chunk[..length], sink);
                Flow::Open
            }
            Err(Errno::AGAIN | Errno::INTR) => Flow::Open,
            Err(_) => Flow::Ended,
        }
    }

    /// Reads what is there now, as far as it goes.
    pub(super) fn drain(&mut self, sink: &mut dyn FnMut(Stream, &[u8])) {
        while self.has_more() && self.turn(sink) == Flow::Open {}
        self.finish(sink);
    }

    fn has_more(&self) -> bool {
        let mut watched = [rustix::event::PollFd::new(
            &self.pipe,
            rustix::event::PollFlags::IN,
        )];
        let now = rustix::event::Timespec::default();
        matches!(rustix::event::poll(&mut watched, Some(&now)), Ok(1..))
    }

    fn take(&mut self, bytes: &[u8], sink: &mut dyn FnMut(Stream, &[u8])) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, complete) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            let room = LINE_BYTES.saturating_sub(self.begun.len());
            match self.begun.is_empty() && complete {
                true => sink(self.stream, &text[..text.len().min(LINE_BYTES)]),
                false => self.begun.extend_from_slice(&text[..text.len().min(room)]),
            }
            if complete {
                self.finish(sink);
            }
        }
    }

    fn finish(&mut self, sink: &mut dyn FnMut(Stream, &[u8])) {
        if !self.begun.is_empty() {
            sink(self.stream, &self.begun);
            self.begun = Vec::new();
        }
    }
}

impl AsFd for Output {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(writes: &[&[u8]]) -> Vec<Vec<u8>> {
        let (reader, writer) = rustix::pipe::pipe().expect("a pipe");
        let mut output = Output::new(reader, Stream::Stdout).expect("an output");
        let mut lines = Vec::new();
        for write in writes {
            rustix::io::write(&writer, write).expect("written");
            output.turn(&mut |_, line| lines.push(line.to_vec()));
        }
        drop(writer);
        while output.turn(&mut |_, line| lines.push(line.to_vec())) == Flow::Open {}
        lines
    }

    #[test]
    fn lines_are_put_together_over_reads() {
        for (writes, lines) in [
            (vec![&b"one\ntwo\n"[..]], vec![&b"one"[..], b"two"]),
            (vec![b"on", b"e\ntw", b"o"], vec![b"one", b"two"]),
            (vec![b"\n\nx\n"], vec![b"", b"", b"x"]),
            (vec![], vec![]),
        ] {
            assert_eq!(lines_of(&writes), lines);
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let flood = [b'x'; CHUNK_BYTES];
        let lines = lines_of(&[&flood, &flood, b"\nnext\n"]);
        assert_eq!(lines[0].len(), LINE_BYTES);
        assert_eq!(lines[1], b"next");
    }
}
