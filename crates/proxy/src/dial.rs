//! Connects to an instance, on whichever loopback address it listens.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use crate::instance::Instance;

/// Connects within `limit`; both loopback addresses are tried.
pub(crate) async fn connect(instance: &Instance, limit: Duration) -> io::Result<TcpStream> {
    match tokio::time::timeout(limit, either(instance)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn either(instance: &Instance) -> io::Result<TcpStream> {
    let [first, second] = instance.addresses();
    let refused = match one(instance, first).await {
        Ok(stream) => return Ok(stream),
        Err(refused) => refused,
    };
    let stream = one(instance, second).await.map_err(|_| refused)?;
    instance.answered_at(second);
    Ok(stream)
}

async fn one(instance: &Instance, address: SocketAddr) -> io::Result<TcpStream> {
    let socket = std::net::TcpStream::from(instance.socket(address)?);
    let stream = TcpSocket::from_std_stream(socket).connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
