//! The registry over HTTP, without docker: what clients send, and what they get.

mod access;
mod bad_input;
mod crash;
mod front;
mod outside;
mod pull;
mod push;
