//! Opens listening sockets so that a second one on the same port is noticed.
//!
//! SO_REUSEPORT is not used: with it a second daemon binds silently, and closing one of two
//! listeners resets connections that wait on it. One socket is bound; workers share it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use ports::traffic::TrafficError;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

/// Connections that may wait to be accepted; the kernel caps it at net.core.somaxconn.
const BACKLOG: i32 = 4096;
/// Ports of apps come from here up to where the system takes ports for outgoing connections.
const LOWEST_OWN_PORT: u16 = 20_000;
/// How often a port is looked for before the system is asked for any.
const TRIES: u32 = 64;

/// Opens the edge's listeners, all on one port: the address itself, its IPv6 twin when it is the IPv4
/// loopback or any address, and those in `also`.
pub(crate) fn edge(address: SocketAddr, also: &[IpAddr]) -> Result<Vec<TcpListener>, TrafficError> {
    let mut tries = 0;
    loop {
        let first = open(address).map_err(|cause| failed(address.port(), cause))?;
        let bound = first.local_addr();
        let port = bound.map_err(|cause| failed(address.port(), cause))?.port();
        tries += 1;
        match beside(address.ip(), also, port) {
            Ok(others) => return Ok(std::iter::once(first).chain(others).collect()),
            Err(TrafficError::PortInUse { .. }) if address.port() == 0 && tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// Opens what is listened on beside `first`. Only the twin, which nobody asked for by name, may be
/// missing: a kernel without IPv6 has none.
fn beside(first: IpAddr, also: &[IpAddr], port: u16) -> Result<Vec<TcpListener>, TrafficError> {
    let twin = ipv6_twin(first).filter(|twin| !also.contains(twin));
    let mut listeners = Vec::new();
    match twin.map(|twin| open((twin, port).into())) {
        None => {}
        Some(Ok(listener)) => listeners.push(listener),
        Some(Err(cause)) if cause.kind() == io::ErrorKind::AddrInUse => {
            return Err(failed(port, cause));
        }
        Some(Err(cause)) => tracing::info!(%cause, "no IPv6 on this machine"),
    }
    for address in also {
        listeners.push(open((*address, port).into()).map_err(|cause| failed(port, cause))?);
    }
    Ok(listeners)
}

/// Opens an app's own port on the IPv4 loopback.
pub(crate) fn own(port: u16) -> Result<TcpListener, TrafficError> {
    open((Ipv4Addr::LOCALHOST, port).into()).map_err(|cause| failed(port, cause))
}

/// Finds a port for an app's own: it is kept over restarts, so it lies below the ports that the
/// system gives to outgoing connections. `draw` gives random numbers below its argument.
pub(crate) fn free_port(draw: impl Fn(u32) -> u32) -> Result<u16, TrafficError> {
    let span = u32::from(first_ephemeral_port().saturating_sub(LOWEST_OWN_PORT));
    let drawn = (0..TRIES).filter(|_| span > 0);
    let drawn = drawn.map(|_| LOWEST_OWN_PORT + draw(span) as u16);
    let free = |port: &u16| open((Ipv4Addr::LOCALHOST, *port).into()).is_ok();
    if let Some(port) = { drawn }.find(free) {
        return Ok(port);
    }
    let any = own(0)?.local_addr();
    Ok(any.map_err(|cause| failed(0, cause))?.port())
}

/// The lower end of `net.ipv4.ip_local_port_range`; the kernel's default when it cannot be read.
fn first_ephemeral_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let first = range
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok());
    first.unwrap_or(32_768)
}

fn ipv6_twin(ip: IpAddr) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(Ipv4Addr::LOCALHOST) => Some(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Some(Ipv6Addr::UNSPECIFIED.into()),
        _ => None,
    }
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    // Connections of an earlier daemon in TIME_WAIT do not count; one that listens does.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

fn failed(port: u16, cause: io::Error) -> TrafficError {
    match cause.kind() {
        io::ErrorKind::AddrInUse => TrafficError::PortInUse { port, cause },
        _ => TrafficError::Listen { port, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;

    #[test]
    fn a_port_that_somebody_listens_on_is_in_use() {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let first = edge(loopback, &[]).expect("a free port");
        let port = first[0].local_addr().expect("an address").port();
        let again = edge(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), &[]);
        assert!(matches!(again, Err(TrafficError::PortInUse { port: p, .. }) if p == port));
    }

    #[test]
    fn several_addresses_are_listened_on_with_one_port() {
        let address = |last| IpAddr::from([127, 0, 0, last]);
        let all = edge(SocketAddr::new(address(2), 0), &[address(3), address(4)]);
        let all = all.expect("addresses of this machine");
        let bound: Vec<_> = all
            .iter()
            .map(|one| one.local_addr().expect("one"))
            .collect();
        let port = bound[0].port();
        let expected = [2, 3, 4].map(|last| SocketAddr::new(address(last), port));
        assert_eq!(bound, expected);
        let again = edge(SocketAddr::new(address(5), port), &[address(3)]);
        assert!(matches!(again, Err(TrafficError::PortInUse { port: p, .. }) if p == port));
    }

    #[test]
    fn an_address_that_is_not_this_machines_is_refused() {
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        let refused = edge(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &[elsewhere]);
        assert!(matches!(refused, Err(TrafficError::Listen { .. })));
    }

    #[test]
    fn a_free_port_is_none_that_the_system_hands_out() {
        let chance = Chance::new();
        let port = free_port(|end| chance.below(end)).expect("a port");
        assert!(
            (LOWEST_OWN_PORT..first_ephemeral_port()).contains(&port),
            "{port}"
        );
        own(port).expect("it is free");
    }
}
