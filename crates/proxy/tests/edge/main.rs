//! The edge, driven over real sockets, before real servers.

mod bench;
mod gate;
mod namespaces;
mod routing;
mod site;
mod takeover;
mod tunnel;
mod upstreams;
mod validators;
