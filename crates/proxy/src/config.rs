//! What an edge is started with.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ports::traffic::{Observer, Waker};

/// How an edge listens and what it allows.
#[derive(Clone)]
pub struct Config {
    /// Where it listens; port 0 picks a free one. For a loopback or unspecified IPv4 address the
    /// IPv6 one is opened too, on the same port.
    pub listen: SocketAddr,
    /// Further addresses of this machine, on the same port.
    pub also: Vec<IpAddr>,
    /// The domain whose subdomains are apps: `localhost`.
    pub domain: String,
    /// Threads that serve requests; at least 1.
    pub workers: usize,
    /// Sees every response.
    pub observer: Arc<dyn Observer>,
    /// Wakes sleeping releases.
    pub waker: Arc<dyn Waker>,
    /// Times and sizes.
    pub limits: Limits,
}

/// The longest and largest that the edge allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// A request may wait this long while its app is held.
    pub hold: Duration,
    /// From the first byte of a request's head to its last.
    pub request_head: Duration,
    /// A client's connection with no request under way is closed after this.
    pub keep_alive: Duration,
    /// The longest pause within a request's body, and while a client does not take its answer.
    pub client_idle: Duration,
    /// Until an app accepts a connection.
    pub connect: Duration,
    /// Until an app sends the head of its response.
    pub response_head: Duration,
    /// The longest pause within a response's body. Event streams have no limit.
    pub idle_body: Duration,
    /// How long an earlier release may take to answer for a hashed asset.
    pub assets: Duration,
    /// The largest request body, in bytes.
    pub body_bytes: u64,
    /// The largest head of a request or response, in bytes.
    pub head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hold: Duration::from_secs(30),
            request_head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            client_idle: Duration::from_secs(120),
            connect: Duration::from_secs(5),
            response_head: Duration::from_secs(120),
            idle_body: Duration::from_secs(120),
            assets: Duration::from_secs(2),
            body_bytes: 64 << 20,
            head_bytes: 64 << 10,
        }
    }
}
