//! The only way out of a sandbox: an HTTP proxy that knows a short list of hosts.
//!
//! An app or a build job has a network namespace without routes. Its supervisor listens inside
//! that namespace, and dials from outside on its behalf: `CONNECT host:port` for TLS, and
//! absolute-form requests (RFC 9112, 3.2.2) for plain HTTP. Everything else is refused with one
//! sentence that names the line of `mayfly.toml` that would allow it, and is remembered.
//!
//! One thread, one `epoll`, no allocation for an idle tunnel: a machine has hundreds of
//! supervisors.

mod address;
mod connection;
mod denied;
mod head;
mod outward;
mod proxy;
mod refusal;
mod relay;
mod resolver;
mod rules;

pub use proxy::Proxy;
pub use rules::Rules;

#[cfg(test)]
mod tests;
