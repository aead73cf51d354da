//! The edge, driven over real sockets, before real servers.

mod bench;
mod routing;
mod takeover;
mod tunnel;
