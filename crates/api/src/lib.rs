//! The first floor's other half: the wire between the command line, the daemon and later faces.
//!
//! HTTP/1.1 with JSON over the daemon's Unix socket; runs and logs stream as NDJSON, one object a
//! line. One set of types serves both ends.

pub mod client;
pub mod gates;
pub mod history;
pub mod paths;
pub mod supply;
pub mod types;

pub use client::{Client, ClientError};
