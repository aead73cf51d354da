//! Where the processes of a network namespace listen.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::plan::EGRESS;

/// The state of a listening socket in `/proc/net/tcp`. Source: the kernel's net/tcp_states.h.
const LISTEN: &str = "0A";

/// Picks where requests go: `preferred` when something listens there, else the lowest port. A
/// server that listens on all addresses, or on IPv4 too, is reached over 127.0.0.1.
pub(crate) fn find(pid: i32, preferred: u16) -> io::Result<Option<SocketAddr>> {
    let read = |file| std::fs::read_to_string(format!("/proc/{pid}/net/{file}"));
    let mut found = addresses(&read("tcp")?);
    // A kernel without IPv6 has no such file.
    found.extend(addresses(&read("tcp6").unwrap_or_default()));
    Ok(choose(&found, preferred))
}

fn choose(found: &[SocketAddr], preferred: u16) -> Option<SocketAddr> {
    let egress = SocketAddr::V4(EGRESS);
    let candidates = found.iter().filter(|address| **address != egress);
    let best = candidates.filter_map(|address| reachable(*address));
    best.min_by_key(|address| {
        (
            address.port() != preferred,
            address.port(),
            address.is_ipv6(),
        )
    })
}

/// The address to dial for one that is listened on.
fn reachable(address: SocketAddr) -> Option<SocketAddr> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V4(ip) if ip.is_loopback() => ip.into(),
        IpAddr::V6(ip) if ip.is_unspecified() || ip == Ipv6Addr::LOCALHOST => {
            Ipv6Addr::LOCALHOST.into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, address.port()))
}

/// The listening addresses in a table of sockets. Source: proc_pid_net(5).
fn addresses(table: &str) -> Vec<SocketAddr> {
    let rows = table.lines().skip(1);
    let listening = rows.filter_map(|row| {
        let mut fields = row.split_ascii_whitespace();
        let local = fields.nth(1)?;
        (fields.nth(1)? == LISTEN).then_some(local)
    });
    listening.filter_map(parse).collect()
}

/// `0100007F:1F90` is 127.0.0.1:8080: words of the address are in the machine's byte order.
fn parse(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = ip.get(at * 8..at * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    let ip = match ip.len() {
        8 => IpAddr::from(word(0)?),
        32 => {
            let mut bytes = [0; 16];
            for at in 0..4 {
                bytes[at * 4..at * 4 + 4].copy_from_slice(&word(at)?);
            }
            IpAddr::from(bytes)
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TCP: &str = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100587F:0C38 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 2 1 0
   2: 00000000:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 3 1 0
   3: 0100007F:0050 0100007F:8001 01 00000000:00000000 00:00000000 00000000  1000        0 4 1 0
";
    const TCP6: &str = "\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000001000000:0BB8 00000000000000000000000000000000:0000 0A 0 0 0
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_preferred_port_wins_and_the_egress_proxy_never_does() {
        let mut found = addresses(TCP);
        assert_eq!(found.len(), 3);
        for (preferred, expected) in [
            (8080, "127.0.0.1:8080"),
            (5000, "127.0.0.1:5000"),
            (1234, "127.0.0.1:5000"),
            (3128, "127.0.0.1:5000"),
        ] {
            let chosen = choose(&found, preferred).map(|address| address.to_string());
            assert_eq!(chosen.as_deref(), Some(expected), "{preferred}");
        }
        found.extend(addresses(TCP6));
        let chosen = choose(&found, 3000).map(|address| address.to_string());
        assert_eq!(chosen.as_deref(), Some("[::1]:3000"));
        assert_eq!(choose(&addresses(TCP)[..1], 3128), None);
    }
}
