//! The lines of a request's head, one by one.

use super::{Framing, Odd};

/// Empty lines that may stand before a request (RFC 9112, 2.2 asks for one at least).
const MOST_EMPTY_LINES: u8 = 2;
/// More digits than any length that fits into 64 bits may have.
const MOST_DIGITS: usize = 18;

/// What the lines so far have said.
#[derive(Debug, Default)]
pub(super) struct Head {
    empty_lines: u8,
    version: Option<Version>,
    host: bool,
    length: Option<u64>,
    chunked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

impl Head {
    /// Whether no line has come.
    pub(super) fn is_untouched(&self) -> bool {
        self.version.is_none() && self.empty_lines == 0
    }

    /// Takes one line with its end; says what follows when it was the head's last.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Option<Framing>, Odd> {
        let line = line.strip_suffix(b"\r\n").ok_or(Odd)?;
        match (self.version, line) {
            (None, []) => {
                self.empty_lines += 1;
                (self.empty_lines <= MOST_EMPTY_LINES)
                    .then_some(None)
                    .ok_or(Odd)
            }
            (None, line) => {
                self.version = Some(request_line(line)?);
                Ok(None)
            }
            (Some(_), []) => Ok(Some(self.framing())),
            (Some(version), line) => self.field(version, line).map(|()| None),
        }
    }

    fn framing(&self) -> Framing {
        match (self.chunked, self.length) {
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::None,
        }
    }

    fn field(&mut self, version: Version, line: &[u8]) -> Result<(), Odd> {
        let (name, value) = field(line)?;
        if name.eq_ignore_ascii_case(b"host") {
            return once(&mut self.host);
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let second = self.length.replace(length(value)?).is_some();
            return if second || self.chunked {
                Err(Odd)
            } else {
                Ok(())
            };
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            once(&mut self.chunked)?;
            let plain = value.eq_ignore_ascii_case(b"chunked");
            let allowed = version == Version::Http11 && self.length.is_none();
            return if plain && allowed { Ok(()) } else { Err(Odd) };
        }
        Ok(())
    }
}

/// A name and its value without the space around it (RFC 9112, 5).
pub(super) fn field(line: &[u8]) -> Result<(&[u8], &[u8]), Odd> {
    let colon = line.iter().position(|b| *b == b':').ok_or(Odd)?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if name.is_empty() || !name.iter().all(|b| is_token(*b)) || has_controls(value) {
        return Err(Odd);
    }
    Ok((name, trim(value)))
}

fn once(seen: &mut bool) -> Result<(), Odd> {
    match std::mem::replace(seen, true) {
        true => Err(Odd),
        false => Ok(()),
    }
}

/// `GET /path HTTP/1.1`: three parts, one space between each (RFC 9112, 3).
fn request_line(line: &[u8]) -> Result<Version, Odd> {
    let mut parts = line.split(|b| *b == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Odd);
    };
    let method_fits = !method.is_empty() && method.iter().all(|b| is_token(*b));
    let target_fits = !target.is_empty() && !target.contains(&b'\t') && !has_controls(target);
    if !method_fits || !target_fits || method == b"CONNECT" {
        return Err(Odd);
    }
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err(Odd),
    }
}

fn length(value: &[u8]) -> Result<u64, Odd> {
    let digits = (1..=MOST_DIGITS).contains(&value.len()) && value.iter().all(u8::is_ascii_digit);
    let number = digits.then(|| std::str::from_utf8(value).ok()?.parse().ok());
    number.flatten().ok_or(Odd)
}

fn trim(value: &[u8]) -> &[u8] {
    let space = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !space(b)).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|b| !space(b))
        .map_or(start, |last| last + 1);
    &value[start..end]
}

/// Without an early end, so that it runs over many bytes at once.
fn has_controls(bytes: &[u8]) -> bool {
    let control = |b: u8| ((b < b' ') & (b != b'\t')) | (b == 0x7f);
    bytes.iter().fold(false, |seen, b| seen | control(*b))
}

/// RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
