//! Refuses what two parsers could read in two ways, before hyper reads it.
//!
//! The gate follows a client's bytes from message to message by itself and compares nothing with
//! hyper: what is odd is refused, so that both see the same messages. Refused are (RFC 9112; each
//! is a way to smuggle a request past somebody): lines that end in a bare LF or hold a bare CR,
//! control characters, folded lines, space before a colon, a second Host, Content-Length or
//! Transfer-Encoding, Content-Length that is not plain digits or stands beside Transfer-Encoding,
//! encodings other than `chunked`, Transfer-Encoding before HTTP/1.1, chunk sizes and extensions
//! of odd form, CONNECT, and versions other than 1.0 and 1.1.

#[cfg(test)]
mod agreement;
mod chunks;
mod head;
mod io;

pub(crate) use io::{Gated, Line};

use chunks::Chunks;
use head::Head;

/// The longest line that is carried from one read to the next; hyper refuses longer heads anyway.
const MOST_CARRIED: usize = 64 << 10;

/// Follows the messages of one client.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: State,
    /// The beginning of a line whose end has not come yet.
    carried: Vec<u8>,
}

#[derive(Debug)]
enum State {
    /// Within a head.
    Head(Head),
    /// So many bytes of a body follow.
    Body(u64),
    /// Within a chunked body.
    Chunked(Chunks),
    /// Nothing may follow.
    Refused,
}

impl Default for State {
    fn default() -> Self {
        Self::Head(Head::default())
    }
}

/// Where a client is within its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Between two messages.
    Between,
    /// Within a head.
    Head,
    /// Within a body.
    Body,
    /// It was refused.
    Refused,
}

/// Bytes that are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// How many bytes before them are not.
    pub(crate) good: usize,
    /// Whether they belong to a body.
    pub(crate) phase: Phase,
}

impl Refusal {
    /// Of an odd line, the last byte is kept back: for the next reader the line never ends.
    fn new(phase: Phase, at: usize, rest: &[u8]) -> Self {
        let line = rest.iter().position(|b| *b == b'\n').unwrap_or(0);
        let good = at + if phase == Phase::Body { 0 } else { line };
        Self { good, phase }
    }
}

/// What follows a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    None,
    Length(u64),
    Chunked,
}

/// A line, or a byte of a chunk's frame, that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Odd;

impl Gate {
    /// Takes the next bytes, or refuses some of them.
    pub(crate) fn see(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let mut at = 0;
        while at < bytes.len() {
            let (phase, rest) = (self.phase(), &bytes[at..]);
            match self.step(rest) {
                Ok(taken) => at += taken,
                Err(Odd) => {
                    self.state = State::Refused;
                    return Err(Refusal::new(phase, at, rest));
                }
            }
        }
        Ok(())
    }

    /// Where the client is.
    pub(crate) fn phase(&self) -> Phase {
        match &self.state {
            State::Head(head) if head.is_untouched() && self.carried.is_empty() => Phase::Between,
            State::Head(_) => Phase::Head,
            State::Body(_) | State::Chunked(_) => Phase::Body,
            State::Refused => Phase::Refused,
        }
    }

    /// Takes at least one byte; says how many.
    fn step(&mut self, bytes: &[u8]) -> Result<usize, Odd> {
        match &mut self.state {
            State::Head(_) => self.line(bytes),
            State::Body(left) => {
                let taken = (bytes.len() as u64).min(*left);
                *left -= taken;
                if *left == 0 {
                    self.state = State::default();
                }
                Ok(taken as usize)
            }
            State::Chunked(chunks) => {
                let taken = chunks.take(bytes)?;
                if chunks.is_over() {
                    self.state = State::default();
                }
                Ok(taken)
            }
            State::Refused => Err(Odd),
        }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<usize, Odd> {
        let Some(end) = bytes.iter().position(|b| *b == b'\n') else {
            return self.carry(bytes);
        };
        let State::Head(head) = &mut self.state else {
            return Err(Odd);
        };
        let framing = if self.carried.is_empty() {
            head.line(&bytes[..=end])?
        } else {
            self.carried.extend_from_slice(&bytes[..=end]);
            let framing = head.line(&self.carried)?;
            self.carried.clear();
            framing
        };
        match framing {
            None => {}
            Some(Framing::None | Framing::Length(0)) => self.state = State::default(),
            Some(Framing::Length(length)) => self.state = State::Body(length),
            Some(Framing::Chunked) => self.state = State::Chunked(Chunks::default()),
        }
        Ok(end + 1)
    }

    fn carry(&mut self, bytes: &[u8]) -> Result<usize, Odd> {
        if self.carried.len() + bytes.len() > MOST_CARRIED {
            return Err(Odd);
        }
        self.carried.extend_from_slice(bytes);
        Ok(bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the gate lets all of it pass, however it arrives.
    fn passes(bytes: &[u8]) -> bool {
        let whole = Gate::default().see(bytes).is_ok();
        for piece in [1, 2, 7] {
            let mut gate = Gate::default();
            let pieces = bytes.chunks(piece).all(|part| gate.see(part).is_ok());
            assert_eq!(pieces, whole, "{:?}", String::from_utf8_lossy(bytes));
        }
        whole
    }

    #[test]
    fn plain_messages_pass_and_odd_ones_do_not() {
        for (message, good) in [
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET / HTTP/1.0\r\n\r\n", true),
            ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", true),
            ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", true),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nX: \ttab\r\nEmpty:\r\n\r\n",
                true,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
                true,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:   2  \r\n\r\nhi",
                true,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                true,
            ),
            // Two hosts, two lengths, both framings.
            ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", false),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
                false,
            ),
            // Odd lengths.
            ("POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\nhi", false),
            ("POST / HTTP/1.1\r\nContent-Length: -2\r\n\r\nhi", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\nhi", false),
            ("POST / HTTP/1.1\r\nContent-Length: 0x2\r\n\r\nhi", false),
            ("POST / HTTP/1.1\r\nContent-Length: 2 2\r\n\r\nhi", false),
            ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\nhi", false),
            (
                "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nhi",
                false,
            ),
            // Odd encodings.
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                false,
            ),
            (
                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                false,
            ),
            // Odd lines.
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", false),
            ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", false),
            ("GET / HTTP/1.1\r\n: a\r\n\r\n", false),
            ("GET / HTTP/1.1\nHost: a\n\n", false),
            ("GET / HTTP/1.1\r\nHost: a\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\n\n", false),
            ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", false),
            ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nX\0: a\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nX: \u{7f}\r\n\r\n", false),
            // Odd request lines.
            ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", false),
            ("GET / http/1.1\r\nHost: a\r\n\r\n", false),
            ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET / x HTTP/1.1\r\nHost: a\r\n\r\n", false),
            ("GET /\r\n\r\n", false),
            ("G=T / HTTP/1.1\r\n\r\n", false),
            ("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", false),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false),
        ] {
            assert_eq!(passes(message.as_bytes()), good, "{message:?}");
        }
    }

    #[test]
    fn a_message_begins_where_the_one_before_it_ends() {
        let posts = "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\n\0\n\
                     POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n\n\0\n\r\n0\r\n\r\n";
        let mut gate = Gate::default();
        assert_eq!(gate.see(posts.as_bytes()), Ok(()));
        assert_eq!(gate.phase(), Phase::Between);
        gate.see(b"GET / HT").expect("a beginning");
        assert_eq!(gate.phase(), Phase::Head);
        gate.see(b"TP/1.1\r\n").expect("a line");
        assert_eq!(gate.phase(), Phase::Head);
        assert!(gate.see(b"\n").is_err());
        assert_eq!(gate.phase(), Phase::Refused);
    }

    #[test]
    fn what_is_refused_does_not_pass_in_part() {
        let (good, bad) = ("GET / HTTP/1.1\r\n", "Host: a\nX: b\r\n\r\n");
        let refused = Gate::default().see(format!("{good}{bad}").as_bytes());
        let good = good.len() + "Host: a".len();
        let phase = Phase::Head;
        assert_eq!(refused, Err(Refusal { good, phase }));
    }
}
