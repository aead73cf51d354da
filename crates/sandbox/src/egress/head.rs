//! Reads the head of a request to the proxy, and writes the one that goes on.
//!
//! Sources: RFC 9110, 9.3.6 (CONNECT); RFC 9112, 3.2 (targets), 6.3 (length), 11.2 (smuggling).
//! The head that goes on is written anew from what was understood, never copied, so that the next
//! server cannot read it in another way.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::refusal::Refusal;

/// The largest head, in bytes.
pub(super) const MAX_HEAD_BYTES: usize = 16 * 1024;
/// The most header lines.
const MAX_HEADERS: usize = 64;
/// Headers that concern one connection only, or the proxy, or are written anew.
const NOT_PASSED_ON: [&str; 8] = [
    "host",
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authorization",
    "proxy-authenticate",
    "te",
    "upgrade",
];

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The host, in lower case without a final dot; an IPv6 literal without brackets.
    pub(super) host: String,
    /// Its port, never 0.
    pub(super) port: u16,
    /// How to go on once connected.
    pub(super) way: Way,
}

/// The two things that the proxy does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Bytes both ways.
    Tunnel,
    /// One plain request and its response.
    Forward {
        /// The head to send.
        head: Vec<u8>,
        /// How much of what the client sends belongs to the request; `None` when it is chunked.
        body_bytes: Option<u64>,
    },
}

/// Where the head ends, when it does within `bytes`; nothing before `from` needs a look.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.saturating_sub(3);
    let line_ends = (from..bytes.len()).filter(|&at| bytes[at] == b'\n');
    line_ends
        .map(|at| (at + 1, &bytes[at + 1..]))
        .find_map(|(next, rest)| match rest {
            [b'\n', ..] => Some(next + 1),
            [b'\r', b'\n', ..] => Some(next + 2),
            _ => None,
        })
}

/// Reads a complete head.
pub(super) fn parse(bytes: &[u8]) -> Result<Request, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::bad_request("its head is cut off")),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::head_too_large()),
        Err(error) => return Err(Refusal::bad_request(&error.to_string())),
    }
    let method = request.method.unwrap_or_default();
    let target = request.path.unwrap_or_default();
    if count(request.headers, "host") > 1 {
        return Err(Refusal::bad_request("it has two Host headers"));
    }
    match method {
        "CONNECT" => tunnel(target),
        _ => forward(method, target, request.headers),
    }
}

fn tunnel(target: &str) -> Result<Request, Refusal> {
    let bad = || Refusal::bad_request("CONNECT needs host:port");
    let (name, port) = split_port(target).ok_or_else(bad)?;
    Ok(Request {
        host: host(name).ok_or_else(bad)?,
        port: port.ok_or_else(bad)?,
        way: Way::Tunnel,
    })
}

fn forward(
    method: &str,
    target: &str,
    headers: &[httparse::Header<'_>],
) -> Result<Request, Refusal> {
    let bad = || Refusal::bad_request("its target is not CONNECT host:port or http://host/");
    let scheme = target.get(..7).ok_or_else(bad)?;
    if !scheme.eq_ignore_ascii_case("http://") || target.contains('#') {
        return Err(bad());
    }
    let rest = &target[7..];
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (name, port) = split_port(authority).ok_or_else(bad)?;
    let host = host(name).ok_or_else(bad)?;
    let port = port.unwrap_or(80);
    let body_bytes = body_bytes(headers)?;
    Ok(Request {
        way: Way::Forward {
            head: rewritten(method, (&host, port), path, headers),
            body_bytes,
        },
        host,
        port,
    })
}

/// The head that the host sees: origin form, its own name as Host, and no second request.
fn rewritten(
    method: &str,
    (host, port): (&str, u16),
    path: &str,
    headers: &[httparse::Header<'_>],
) -> Vec<u8> {
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let port = match port {
        80 => String::new(),
        port => format!(":{port}"),
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let first = format!("{method} {slash}{path} HTTP/1.1\r\nHost: {host}{port}\r\n");
    let mut head = first.into_bytes();
    let named = named_by_connection(headers);
    for header in headers {
        let name = header.name.to_ascii_lowercase();
        if NOT_PASSED_ON.contains(&name.as_str()) || named.contains(&name) {
            continue;
        }
        head.extend_from_slice(header.name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(header.value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"Connection: close\r\n\r\n");
    head
}

/// Headers that the client's `Connection` header keeps to this connection (RFC 9110, 7.6.1),
/// except those that say how long the body is.
fn named_by_connection(headers: &[httparse::Header<'_>]) -> Vec<String> {
    let framing = ["content-length", "transfer-encoding"];
    values(headers, "connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !framing.contains(&name.as_str()))
        .collect()
}

/// How long the body is. Two lengths, or a length beside chunks, is how requests are smuggled.
fn body_bytes(headers: &[httparse::Header<'_>]) -> Result<Option<u64>, Refusal> {
    let bad = || Refusal::bad_request("the length of its body is not clear");
    let chunked = count(headers, "transfer-encoding");
    let lengths = count(headers, "content-length");
    match (chunked, lengths) {
        (0, 0) => Ok(Some(0)),
        (0, 1) => {
            let mut length = values(headers, "content-length");
            let digits = length.next().filter(|text| is_number(text));
            let length = digits.and_then(|text| text.parse().ok());
            Ok(Some(length.ok_or_else(bad)?))
        }
        (1, 0) => {
            let mut coding = values(headers, "transfer-encoding");
            let chunked = coding.next().filter(|c| c.eq_ignore_ascii_case("chunked"));
            chunked.map(|_| None).ok_or_else(bad)
        }
        _ => Err(bad()),
    }
}

fn count(headers: &[httparse::Header<'_>], name: &str) -> usize {
    let named = |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case(name);
    headers.iter().filter(named).count()
}

fn values<'a>(
    headers: &'a [httparse::Header<'_>],
    name: &'a str,
) -> impl Iterator<Item = &'a str> + 'a {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| std::str::from_utf8(header.value).unwrap_or("\u{fffd}"))
}

/// Splits `host`, `host:port` and `[v6]:port`. `None` when the port is not 1–65535.
pub(super) fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let after_host = match authority.rfind(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(after_host);
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some((host, None)),
        None => None,
        Some(port) => {
            let port = Some(port).filter(|text| is_number(text))?;
            let port = port.parse().ok().filter(|&port: &u16| port != 0)?;
            Some((host, Some(port)))
        }
    }
}

/// A host as rules and resolvers know it: lower case, without a final dot, without brackets.
/// `None` when it is none: user names, percent signs and other letters have no place in it.
pub(super) fn host(text: &str) -> Option<String> {
    if let Some(literal) = text.strip_prefix('[') {
        let address: Ipv6Addr = literal.strip_suffix(']')?.parse().ok()?;
        return Some(address.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Some(address.to_string());
    }
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |label: &str| matches!(label.len(), 1..=63) && label.bytes().all(letter);
    (name.len() <= 253 && name.split('.').all(label)).then_some(name)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target_of(head: &str) -> Option<(String, u16)> {
        let request = parse(head.as_bytes()).ok()?;
        Some((request.host, request.port))
    }

    #[test]
    fn a_head_asks_for_one_host_or_is_refused() {
        for (head, target) in [
            (
                "CONNECT a.example:443 HTTP/1.1\r\n\r\n",
                Some(("a.example", 443)),
            ),
            (
                "CONNECT A.Example.:443 HTTP/1.1\n\n",
                Some(("a.example", 443)),
            ),
            (
                "CONNECT [2001:DB8::1]:443 HTTP/1.1\r\n\r\n",
                Some(("2001:db8::1", 443)),
            ),
            (
                "GET http://a.example HTTP/1.1\r\n\r\n",
                Some(("a.example", 80)),
            ),
            (
                "GET HTTP://a.example:81?q HTTP/1.1\r\n\r\n",
                Some(("a.example", 81)),
            ),
            (
                "GET http://a.example/@b.example HTTP/1.1\r\n\r\n",
                Some(("a.example", 80)),
            ),
            (
                "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
                Some(("a.example", 80)),
            ),
            // Not a host and a port.
            ("CONNECT a.example HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example: HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example:0 HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example:65536 HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example:+443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example:443:80 HTTP/1.1\r\n\r\n", None),
            ("CONNECT :443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT a..example:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example..:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT a.example%00.evil:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT ok@a.example:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT [::1%25lo]:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT [::1:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT [::1]x:443 HTTP/1.1\r\n\r\n", None),
            ("CONNECT http://a.example/ HTTP/1.1\r\n\r\n", None),
            // Names that read as one host and lead to another.
            ("GET http://allowed@evil.example/ HTTP/1.1\r\n\r\n", None),
            ("GET http://allowed:80@evil.example/ HTTP/1.1\r\n\r\n", None),
            ("GET http://evil.example\\@allowed/ HTTP/1.1\r\n\r\n", None),
            ("GET http://a.example#@b.example/ HTTP/1.1\r\n\r\n", None),
            ("GET http:///x HTTP/1.1\r\n\r\n", None),
            ("GET http://a.example:0/ HTTP/1.1\r\n\r\n", None),
            // Not for a proxy.
            ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", None),
            ("GET https://a.example/ HTTP/1.1\r\n\r\n", None),
            ("GET ftp://a.example/ HTTP/1.1\r\n\r\n", None),
            ("OPTIONS * HTTP/1.1\r\n\r\n", None),
            // Two meanings.
            (
                "GET http://a.example/ HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
                None,
            ),
            (
                "CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n",
                None,
            ),
            (
                "POST http://a.example/ HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
                None,
            ),
            // Not HTTP.
            ("\x16\x03\x01\r\n\r\n", None),
            ("GET http://a.example/\r\n\r\n", None),
            ("GET http://a.example/ HTTP/2.0\r\n\r\n", None),
        ] {
            let target = target.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(target_of(head), target, "{head:?}");
        }
    }

    #[test]
    fn a_head_ends_at_its_first_empty_line_however_it_arrives() {
        for (text, at) in [
            ("A\r\n\r\nB", Some(5)),
            ("A\n\nB", Some(3)),
            ("A\n\r\nB", Some(4)),
            ("A\r\n\r", None),
            ("A\r\nB", None),
            ("", None),
        ] {
            assert_eq!(end(text.as_bytes(), 0), at, "{text:?}");
            let whole = text.as_bytes();
            let piecewise = (1..=whole.len()).find_map(|upto| end(&whole[..upto], upto - 1));
            assert_eq!(piecewise, at, "{text:?} byte by byte");
        }
    }

    #[test]
    fn too_many_headers_are_too_large() {
        let headers = "X: 1\r\n".repeat(MAX_HEADERS + 1);
        let head = format!("CONNECT a.example:443 HTTP/1.1\r\n{headers}\r\n");
        assert_eq!(parse(head.as_bytes()), Err(Refusal::head_too_large()));
    }

    /// A generator that needs no crate: xorshift64*.
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
            usize::try_from(high).unwrap_or(0) % sides
        }
    }

    /// What every accepted head must be, whatever bytes it came from.
    fn check(bytes: &[u8]) {
        let Ok(request) = parse(bytes) else { return };
        let told = String::from_utf8_lossy(bytes);
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.:".contains(&b);
        assert!(request.port != 0 && !request.host.is_empty(), "{told:?}");
        assert!(request.host.bytes().all(letters), "{told:?}");
        let Way::Forward { head, .. } = request.way else {
            return;
        };
        assert_eq!(end(&head, 0), Some(head.len()), "one head only: {told:?}");
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS + 2];
        let mut again = httparse::Request::new(&mut headers);
        let read = again.parse(&head).expect("what goes on reads back");
        assert_eq!(read, httparse::Status::Complete(head.len()), "{told:?}");
        assert!(
            again.path.is_some_and(|path| path.starts_with('/')),
            "{told:?}"
        );
        assert_eq!(count(again.headers, "host"), 1, "{told:?}");
        assert_eq!(count(again.headers, "connection"), 1, "{told:?}");
        assert!(body_bytes(again.headers).is_ok(), "{told:?}");
    }

    #[test]
    fn mutated_heads_never_panic_and_what_goes_on_is_one_plain_request() {
        let seeds = [
            "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
            "GET http://a.example:81/p?q=1 HTTP/1.1\r\nHost: b\r\nConnection: x, close\r\nX: 1\r\n\r\n",
            "POST http://[2001:db8::1]/ HTTP/1.0\r\nContent-Length: 12\r\nTE: gzip\r\n\r\n",
            "PUT http://a.example HTTP/1.1\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n\r\n",
        ];
        let spice = b"\r\n \t:@/\\#?[].%\0\xff,;0aA";
        let mut dice = Dice(0x6d61_7966_6c79);
        for round in 0..200_000 {
            let mut bytes = seeds[round % seeds.len()].as_bytes().to_vec();
            for _ in 0..=dice.roll(4) {
                let at = dice.roll(bytes.len());
                match dice.roll(4) {
                    0 => bytes[at] = spice[dice.roll(spice.len())],
                    1 => bytes.insert(at, spice[dice.roll(spice.len())]),
                    2 => drop(bytes.remove(at)),
                    _ => {
                        let upto = (at + dice.roll(20)).min(bytes.len());
                        let copy = bytes[at..upto].to_vec();
                        let to = dice.roll(bytes.len());
                        bytes.splice(to..to, copy);
                    }
                }
            }
            check(&bytes);
        }
    }
}
