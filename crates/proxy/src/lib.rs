//! The edge: takes requests at `http://<app>.localhost:<port>` to the release that serves.
//!
//! [`Edge`] is the adapter of [`ports::Traffic`]. Each worker is a thread with a runtime of its own
//! and a pool of upstream connections of its own; what workers share is the route table (replaced
//! as a whole) and one [`lane`] of atomics for each release. A request passes `gate` (raw bytes),
//! `answer` (who is meant), `site` (files on disk) or `forward` (a server in its own network
//! namespace), and `relay` (the body, until its last byte).

mod address;
mod admit;
mod answer;
mod ask;
mod assets;
mod body;
mod chance;
mod config;
mod connection;
mod dial;
mod edge;
mod forward;
mod frames;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod gatehouse;
mod headers;
mod host;
mod instance;
mod lane;
mod listen;
mod pages;
mod pool;
mod probe;
mod relay;
mod shared;
mod site;
mod table;
mod talk;
mod tally;
mod tunnel;
mod validators;
mod worker;

pub use config::{Config, Limits};
pub use edge::Edge;
pub use tally::{BUCKETS_MICROS, ReleaseTally};
