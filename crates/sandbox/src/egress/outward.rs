//! Dials the addresses of a host, one after another, without waiting.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, TcpStream};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

/// The most addresses of one host that are tried.
const MOST_ADDRESSES: usize = 6;

/// The addresses still to try, all of them checked.
#[derive(Debug)]
pub(super) struct Dial {
    addresses: VecDeque<SocketAddr>,
    last_error: Option<io::Error>,
}

impl Dial {
    /// Will try `addresses` in their order.
    pub(super) fn new(addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            addresses: addresses.into_iter().take(MOST_ADDRESSES).collect(),
            last_error: None,
        }
    }

    /// Begins to connect to the next address. `None` when all were tried.
    pub(super) fn next(&mut self) -> Option<TcpStream> {
        while let Some(address) = self.addresses.pop_front() {
            match begin(address) {
                Ok(stream) => return Some(stream),
                Err(error) => self.failed(error),
            }
        }
        None
    }

    /// Remembers why an attempt failed.
    pub(super) fn failed(&mut self, error: io::Error) {
        self.last_error = Some(error);
    }

    /// Why the last attempt failed.
    pub(super) fn why(&self) -> String {
        let why = self.last_error.as_ref().map(ToString::to_string);
        why.unwrap_or_else(|| "it has no address".into())
    }
}

fn begin(address: SocketAddr) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(TcpStream::from(socket)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a socket that was dialled has connected.
#[derive(Debug)]
pub(super) enum Dialled {
    /// It has.
    Connected,
    /// Not yet.
    Waiting,
    /// It will not.
    Failed(io::Error),
}

impl Dialled {
    /// Asks the socket.
    pub(super) fn of(stream: &TcpStream) -> Self {
        match stream.take_error() {
            Ok(Some(error)) | Err(error) => Self::Failed(error),
            Ok(None) if stream.peer_addr().is_ok() => Self::Connected,
            Ok(None) => Self::Waiting,
        }
    }
}
