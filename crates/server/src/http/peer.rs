//! Who is at the other end of the socket, as the kernel says.

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use model::app::Owner;
use model::{Failure, FailureCode};
use tokio::net::UnixListener;

/// The caller's user id, when the kernel told it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

impl Peer {
    /// The caller; a caller whom the kernel does not name may do nothing.
    pub(crate) fn owner(self) -> Result<Owner, Failure> {
        let unknown = || {
            Failure::new(
                FailureCode::Forbidden,
                "the caller cannot be told from the socket",
            )
        };
        self.0.map(|uid| Owner { uid }).ok_or_else(unknown)
    }
}
