//! The proxy with real sockets on loopback.
