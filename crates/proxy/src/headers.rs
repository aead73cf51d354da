//! Which headers pass the edge, and which it adds.

use bytes::{BufMut, Bytes, BytesMut};
use http::header::{
    CONNECTION, EXPECT, FORWARDED, HOST, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue};

use crate::chance::Chance;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// How many headers the edge adds to a request.
const ADDED: usize = 5;

/// Headers that belong to one connection (RFC 9110, 7.6.1) or to the edge itself.
const HOP_BY_HOP: [HeaderName; 10] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    EXPECT,
];

/// Removes what belongs to one connection: the known names, and those that `Connection` lists.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    if !headers.keys().any(is_hop_by_hop) {
        return;
    }
    for name in listed_in_connection(headers) {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Membership of [`HOP_BY_HOP`], as one comparison for the names that every message has.
fn is_hop_by_hop(name: &HeaderName) -> bool {
    match *name {
        CONNECTION | PROXY_AUTHENTICATE | PROXY_AUTHORIZATION | TE | TRAILER
        | TRANSFER_ENCODING | UPGRADE | EXPECT => true,
        _ => *name == KEEP_ALIVE || *name == PROXY_CONNECTION,
    }
}

/// The names in `Connection`, without those that must reach the app whatever a client says.
fn listed_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    const KEPT: [HeaderName; 3] = [HOST, http::header::CONTENT_LENGTH, http::header::COOKIE];
    let values = headers.get_all(CONNECTION).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .filter(|name| !KEPT.contains(name))
        .collect()
}

/// Whether the client asks to switch to a protocol that the edge passes on. HTTP/2 is none: its
/// requests would go around every rule of the edge.
pub(crate) fn wanted_upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(UPGRADE)?;
    let asked = headers.get_all(CONNECTION).iter().any(|value| {
        let names = value.as_bytes().split(|b| *b == b',');
        names
            .map(<[u8]>::trim_ascii)
            .any(|name| name.eq_ignore_ascii_case(b"upgrade"))
    });
    let http2 = upgrade.as_bytes().to_ascii_lowercase().starts_with(b"h2");
    (asked && !http2).then(|| upgrade.clone())
}

/// Asks the other side to switch to this protocol, or agrees to.
pub(crate) fn upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// Says who asked, and under which name. What a client says about that itself does not count:
/// nobody stands before the edge.
pub(crate) fn forwarded(headers: &mut HeaderMap, client: &HeaderValue) {
    headers.reserve(ADDED);
    headers.remove(FORWARDED);
    headers.insert(FORWARDED_FOR, client.clone());
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
    match headers.get(HOST).cloned() {
        Some(host) => headers.insert(FORWARDED_HOST, host),
        None => headers.remove(FORWARDED_HOST),
    };
}

/// Names the request (`X-Request-Id`) and its trace (`traceparent`, W3C trace-context 1) unless
/// the client did.
pub(crate) fn identify(headers: &mut HeaderMap, chance: &Chance) {
    let (named, traced) = (
        headers.contains_key(REQUEST_ID),
        headers.contains_key(TRACEPARENT),
    );
    if named && traced {
        return;
    }
    let trace = trace_parent(chance);
    if !named && let Ok(id) = HeaderValue::from_maybe_shared(trace.slice(3..35)) {
        headers.insert(REQUEST_ID, id);
    }
    if !traced && let Ok(trace) = HeaderValue::from_maybe_shared(trace) {
        headers.insert(TRACEPARENT, trace);
    }
}

/// `00-<32 hex digits>-<16 hex digits>-01`; the first are the request's name too.
fn trace_parent(chance: &Chance) -> Bytes {
    let mut text = BytesMut::with_capacity(55);
    text.put_slice(b"00-");
    put_hex(&mut text, chance.bits());
    put_hex(&mut text, chance.bits());
    text.put_u8(b'-');
    put_hex(&mut text, chance.bits() | 1);
    text.put_slice(b"-01");
    text.freeze()
}

fn put_hex(text: &mut BytesMut, bits: u64) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for shift in (0..16).rev() {
        text.put_u8(DIGITS[(bits >> (shift * 4)) as usize & 15]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        let mut map = HeaderMap::new();
        for (name, value) in pairs.iter().map(header) {
            map.append(name, value);
        }
        map
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        headers.keys().map(HeaderName::as_str).collect()
    }

    #[test]
    fn what_belongs_to_one_connection_does_not_pass() {
        let mut headers = map(&[
            ("host", "shop.localhost"),
            ("connection", "close, X-Secret"),
            ("connection", "host, content-length"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut headers);
        assert_eq!(names(&headers), ["host", "accept"]);
    }

    #[test]
    fn each_name_that_belongs_to_one_connection_is_known_as_such() {
        assert!(HOP_BY_HOP.iter().all(is_hop_by_hop));
        assert!(![HOST, FORWARDED, REQUEST_ID].iter().any(is_hop_by_hop));
    }

    #[test]
    fn an_upgrade_must_be_asked_for_in_both_headers_and_not_be_http2() {
        for (pairs, wanted) in [
            (
                &[
                    ("connection", "keep-alive, Upgrade"),
                    ("upgrade", "websocket"),
                ][..],
                true,
            ),
            (&[("upgrade", "websocket")], false),
            (&[("connection", "upgrade")], false),
            (&[("connection", "upgrade"), ("upgrade", "h2c")], false),
            (&[("connection", "upgrade"), ("upgrade", "H2C")], false),
        ] {
            assert_eq!(wanted_upgrade(&map(pairs)).is_some(), wanted, "{pairs:?}");
        }
    }

    #[test]
    fn a_client_cannot_say_who_it_is() {
        let mut headers = map(&[
            ("host", "shop.localhost"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "https"),
            ("forwarded", "for=10.0.0.1"),
        ]);
        forwarded(&mut headers, &HeaderValue::from_static("127.0.0.1"));
        let expected = map(&[
            ("host", "shop.localhost"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-forwarded-host", "shop.localhost"),
            ("x-forwarded-proto", "http"),
        ]);
        assert_eq!(headers, expected);
    }

    #[test]
    fn a_request_gets_a_name_and_a_trace_unless_it_has_them() {
        let mut headers = HeaderMap::new();
        identify(&mut headers, &Chance::new());
        let trace = headers[TRACEPARENT].to_str().expect("text").to_owned();
        let parts: Vec<_> = trace.split('-').map(str::len).collect();
        assert_eq!(parts, [2, 32, 16, 2], "{trace}");
        assert_eq!(headers[REQUEST_ID], trace[3..35]);
        let mut named = map(&[("x-request-id", "mine"), ("traceparent", "00-1-2-01")]);
        identify(&mut named, &Chance::new());
        assert_eq!(
            named,
            map(&[("x-request-id", "mine"), ("traceparent", "00-1-2-01")])
        );
    }
}
