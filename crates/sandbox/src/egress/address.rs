//! Where an address leads: outside, or somewhere a name must not lead by surprise.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Anyone's machine on the internet.
    Public,
    /// This machine or its own network: 127/8, 10/8, 172.16/12, 192.168/16 (RFC 1918), 100.64/10
    /// (RFC 6598), `::1`, fc00::/7 (RFC 4193), fec0::/10.
    Near,
    /// Link-local (RFC 3927, RFC 4291), where clouds answer with credentials; multicast; 0/8;
    /// 240/4; `::`.
    Never,
}

impl Reach {
    /// Says where `address` leads. An IPv6 form of an IPv4 address leads where that one does.
    pub(super) fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| of_v6(v6), of_v4),
        }
    }
}

fn of_v4(address: Ipv4Addr) -> Reach {
    match address.octets() {
        [0 | 224..=255, ..] | [169, 254, ..] => Reach::Never,
        [127 | 10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => Reach::Near,
        _ => Reach::Public,
    }
}

fn of_v6(address: Ipv6Addr) -> Reach {
    let first = address.segments()[0];
    match first {
        _ if address.is_unspecified() => Reach::Never,
        _ if address.is_loopback() => Reach::Near,
        0xff00..=0xffff => Reach::Never,
        0xfe80..=0xfebf => Reach::Never,
        0xfc00..=0xfdff | 0xfec0..=0xfeff => Reach::Near,
        _ => Reach::Public,
    }
}

/// The IPv4 address inside an IPv6 one: mapped and compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052),
/// 6to4 (RFC 3056).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => Some(join(high, low)),
        [0, 0, 0, 0, 0xffff, 0, high, low] => Some(join(high, low)),
        [0x64, 0xff9b, 0 | 1, _, _, _, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for (text, reach) in [
            ("93.184.216.34", Reach::Public),
            ("172.15.255.255", Reach::Public),
            ("172.32.0.0", Reach::Public),
            ("100.63.0.1", Reach::Public),
            ("100.128.0.1", Reach::Public),
            ("2606:2800:220:1::1", Reach::Public),
            ("::ffff:93.184.216.34", Reach::Public),
            ("64:ff9b::5db8:d822", Reach::Public),
            ("127.0.0.1", Reach::Near),
            ("127.9.9.9", Reach::Near),
            ("10.1.2.3", Reach::Near),
            ("172.16.0.1", Reach::Near),
            ("172.31.255.255", Reach::Near),
            ("192.168.0.1", Reach::Near),
            ("100.64.0.1", Reach::Near),
            ("100.127.255.255", Reach::Near),
            ("::1", Reach::Near),
            ("fc00::1", Reach::Near),
            ("fdff::1", Reach::Near),
            ("fec0::1", Reach::Near),
            ("::ffff:127.0.0.1", Reach::Near),
            ("::ffff:10.0.0.1", Reach::Near),
            ("::127.0.0.1", Reach::Near),
            ("::ffff:0:127.0.0.1", Reach::Near),
            ("64:ff9b::7f00:1", Reach::Near),
            ("64:ff9b:1::a00:1", Reach::Near),
            ("2002:7f00:1::", Reach::Near),
            ("169.254.169.254", Reach::Never),
            ("::ffff:169.254.169.254", Reach::Never),
            ("2002:a9fe:a9fe::1", Reach::Never),
            ("fe80::1", Reach::Never),
            ("febf::1", Reach::Never),
            ("0.0.0.0", Reach::Never),
            ("::ffff:0.0.0.0", Reach::Never),
            ("0.1.2.3", Reach::Never),
            ("224.0.0.1", Reach::Never),
            ("240.0.0.1", Reach::Never),
            ("255.255.255.255", Reach::Never),
            ("::", Reach::Never),
            ("ff02::1", Reach::Never),
        ] {
            assert_eq!(Reach::of(text.parse().expect(text)), reach, "{text}");
        }
    }
}
