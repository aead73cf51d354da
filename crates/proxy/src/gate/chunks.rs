//! A chunked body (RFC 9112, 7.1).

use super::Odd;
use super::head::field;

/// A chunk's size has at most so many hex digits.
const MOST_DIGITS: u8 = 15;
/// Bytes of all extensions and trailers of a body, at most.
const MOST_EXTRA: usize = 8 << 10;

/// Follows one chunked body.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    state: State,
    extra: usize,
    trailer: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The first digit of a size follows.
    #[default]
    Start,
    /// Within a size, after so many digits.
    Size(u64, u8),
    /// Within an extension.
    Extension(u64),
    /// The LF after a size.
    SizeEnd(u64),
    /// So many bytes of data.
    Data(u64),
    /// The CR, then the LF after data.
    DataCr,
    DataLf,
    /// A line of the trailer section.
    Trailer,
    /// The body is over.
    Over,
}

impl Chunks {
    /// Whether the body's last byte has come.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Whether the next byte is one of the body's own.
    #[cfg(test)]
    pub(super) fn is_data(&self) -> bool {
        matches!(self.state, State::Data(_))
    }

    /// Takes at least one byte; says how many.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<usize, Odd> {
        let Some(first) = bytes.first() else {
            return Ok(0);
        };
        if let State::Data(left) = self.state {
            let taken = left.min(bytes.len() as u64);
            self.state = after_data(left - taken);
            return Ok(taken as usize);
        }
        self.state = self.next(*first)?;
        Ok(1)
    }

    fn next(&mut self, byte: u8) -> Result<State, Odd> {
        match (self.state, byte) {
            (State::Start, byte) => Ok(State::Size(digit(byte)?, 1)),
            (State::Size(size, _), b'\r') => Ok(State::SizeEnd(size)),
            (State::Size(size, _), b';') => Ok(State::Extension(size)),
            (State::Size(size, digits @ ..MOST_DIGITS), byte) => {
                Ok(State::Size(size << 4 | digit(byte)?, digits + 1))
            }
            (State::Extension(size), b'\r') => Ok(State::SizeEnd(size)),
            (State::Extension(size), b'\t' | b' '..=b'~') => {
                self.count()?;
                Ok(State::Extension(size))
            }
            (State::SizeEnd(0), b'\n') => Ok(State::Trailer),
            (State::SizeEnd(size), b'\n') => Ok(State::Data(size)),
            (State::DataCr, b'\r') => Ok(State::DataLf),
            (State::DataLf, b'\n') => Ok(State::Start),
            (State::Trailer, byte) => self.trailer(byte),
            _ => Err(Odd),
        }
    }

    fn trailer(&mut self, byte: u8) -> Result<State, Odd> {
        self.count()?;
        self.trailer.push(byte);
        if byte != b'\n' {
            return Ok(State::Trailer);
        }
        let line = self.trailer.strip_suffix(b"\r\n").ok_or(Odd)?;
        if line.is_empty() {
            return Ok(State::Over);
        }
        field(line)?;
        self.trailer.clear();
        Ok(State::Trailer)
    }

    fn count(&mut self) -> Result<(), Odd> {
        self.extra += 1;
        (self.extra <= MOST_EXTRA).then_some(()).ok_or(Odd)
    }
}

fn after_data(left: u64) -> State {
    match left {
        0 => State::DataCr,
        left => State::Data(left),
    }
}

fn digit(byte: u8) -> Result<u64, Odd> {
    let digit = (byte as char).to_digit(16).ok_or(Odd)?;
    Ok(u64::from(digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Result<bool, Odd> {
        let (mut chunks, mut rest) = (Chunks::default(), text.as_bytes());
        while !rest.is_empty() && !chunks.is_over() {
            let taken = chunks.take(rest)?;
            rest = &rest[taken..];
        }
        Ok(chunks.is_over() && rest.is_empty())
    }

    #[test]
    fn a_chunked_body_has_one_form_only() {
        for (text, read) in [
            ("0\r\n\r\n", Ok(true)),
            ("2\r\nhi\r\n0\r\n\r\n", Ok(true)),
            ("A\r\n0123456789\r\n00\r\n\r\n", Ok(true)),
            ("2;a=b\r\nhi\r\n0\r\nX: y\r\n\r\n", Ok(true)),
            ("2\r\nhi\r\n", Ok(false)),
            ("2\r\nhi\r\n0\r\n", Ok(false)),
            ("2\nhi\r\n0\r\n\r\n", Err(Odd)),
            ("2;a=b\nhi\r\n0\r\n\r\n", Err(Odd)),
            ("2\r\nhi\n0\r\n\r\n", Err(Odd)),
            ("2\r\nhi!\r\n0\r\n\r\n", Err(Odd)),
            ("0\r\nX: y\n\r\n", Err(Odd)),
            ("0\r\nX : y\r\n\r\n", Err(Odd)),
            ("0\r\n\n", Err(Odd)),
            ("2 \r\nhi\r\n0\r\n\r\n", Err(Odd)),
            (" 2\r\nhi\r\n0\r\n\r\n", Err(Odd)),
            ("0x2\r\nhi\r\n0\r\n\r\n", Err(Odd)),
            ("+2\r\nhi\r\n0\r\n\r\n", Err(Odd)),
            ("\r\nhi", Err(Odd)),
            ("g\r\n", Err(Odd)),
            ("1000000000000000\r\n", Err(Odd)),
            ("2;\0\r\nhi", Err(Odd)),
        ] {
            assert_eq!(body(text), read, "{text:?}");
        }
    }
}
