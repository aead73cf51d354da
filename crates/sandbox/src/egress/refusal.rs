//! What the proxy says when it does not do what it was asked.

use super::rules;

/// An answer that ends the connection: a status and one plain sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    status: u16,
    /// Clients often show the reason phrase alone.
    reason: String,
    sentence: String,
}

impl Refusal {
    /// The host is not in the list.
    pub(super) fn not_allowed(host: &str, port: u16) -> Self {
        let entry = rules::entry(host, port);
        Self {
            status: 403,
            reason: format!("Forbidden: add {entry} to allow under [egress] in mayfly.toml"),
            sentence: format!(
                "mayfly: this app may not reach {entry}; to allow it, put \
                 `allow = [\"{entry}\"]` under `[egress]` in mayfly.toml and run `mayfly up`."
            ),
        }
    }

    /// The host is in the list, but its name leads to a private address.
    pub(super) fn private(host: &str, address: &str, port: u16) -> Self {
        let entry = rules::entry(address, port);
        Self {
            status: 403,
            reason: format!("Forbidden: {host} is the private address {address}"),
            sentence: format!(
                "mayfly: {host} resolves to {address}, which is not on the internet; to allow \
                 it, add `\"{entry}\"` to `allow` under `[egress]` in mayfly.toml and run \
                 `mayfly up`."
            ),
        }
    }

    /// The request cannot be read, or means two things.
    pub(super) fn bad_request(why: &str) -> Self {
        Self {
            status: 400,
            reason: "Bad Request".into(),
            sentence: format!("mayfly: the egress proxy cannot serve this request: {why}."),
        }
    }

    /// The head of the request does not fit.
    pub(super) fn head_too_large() -> Self {
        Self {
            status: 431,
            reason: "Request Header Fields Too Large".into(),
            sentence: "mayfly: the head of a request through the egress proxy is at most 16 KiB."
                .into(),
        }
    }

    /// The host has no address, or none of its addresses answers.
    pub(super) fn unreachable(host: &str, why: &str) -> Self {
        Self {
            status: 502,
            reason: "Bad Gateway".into(),
            sentence: format!("mayfly: {host} cannot be reached: {why}."),
        }
    }

    /// The host takes too long.
    pub(super) fn too_slow(host: &str) -> Self {
        Self {
            status: 504,
            reason: "Gateway Timeout".into(),
            sentence: format!("mayfly: {host} did not answer in time."),
        }
    }

    /// The whole answer.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let (status, reason) = (self.status, &self.reason);
        let body = format!("{}\n", self.sentence);
        let length = body.len();
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}
