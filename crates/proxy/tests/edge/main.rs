//! The edge, driven over real sockets, before real servers.

mod bench;
mod gate;
mod routing;
mod takeover;
mod tunnel;
mod upstreams;
mod validators;
