//! The daemon as the command line sees it: reached over its socket, started when it must be.

mod background;
mod connection;
pub(crate) mod notify;
mod systemd;

pub(crate) use background::{ServeOptions, StartError, Started, start};
pub(crate) use connection::{connect, running, runtime, start_and_connect};
pub(crate) use systemd::{install, is_booted};
