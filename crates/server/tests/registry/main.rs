//! The registry over HTTP, without docker: what clients send, and what they get.

mod access;
mod bad_input;
mod crash;
mod front;
mod pull;
mod push;
