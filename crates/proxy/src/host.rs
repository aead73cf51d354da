//! Reads a Host header without allocating: the same rule as `model::host::parse`.

use model::ReleaseNumber;

/// A DNS label's room (RFC 1035, 2.3.4).
pub(crate) type Label = [u8; 63];

/// What a Host header addresses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    /// An app, by a name that it may not have.
    App(&'a str),
    /// One release of an app.
    Release(&'a str, ReleaseNumber),
}

/// Reads `host` against `domain`; the label, in lower case, is kept in `room`.
pub(crate) fn wanted<'a>(host: &str, domain: &str, room: &'a mut Label) -> Option<Wanted<'a>> {
    let name = without_port(host)?;
    let name = name.strip_suffix('.').unwrap_or(name);
    let dot = name.len().checked_sub(domain.len() + 1)?;
    let (label, rest) = name.split_at_checked(dot)?;
    if !rest[1..].eq_ignore_ascii_case(domain) || !rest.starts_with('.') || label.contains('.') {
        return None;
    }
    let room = room.get_mut(..label.len())?;
    room.copy_from_slice(label.as_bytes());
    room.make_ascii_lowercase();
    release_or_app(std::str::from_utf8(room).ok()?)
}

/// A host without its port; `None` when what follows the last colon is none.
pub(crate) fn without_port(host: &str) -> Option<&str> {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => Some(name),
        Some(_) if host.starts_with('[') && host.ends_with(']') => Some(host),
        Some(_) => None,
        None => Some(host),
    }
}

fn release_or_app(label: &str) -> Option<Wanted<'_>> {
    let release = label
        .strip_prefix('r')
        .and_then(|rest| rest.split_once('-'))
        .filter(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    match release {
        Some((number, app)) => Some(Wanted::Release(app, ReleaseNumber::parse(number)?)),
        None => Some(Wanted::App(label)),
    }
}

/// Whether a host names this machine and no site: an address, or `localhost`.
pub(crate) fn is_local(host: &str) -> bool {
    let Some(name) = without_port(host) else {
        return false;
    };
    let bare = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    name.eq_ignore_ascii_case("localhost")
        || bare.is_some_and(|n| n.parse::<std::net::Ipv6Addr>().is_ok())
        || name.parse::<std::net::Ipv4Addr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::host::{Address, parse};

    #[test]
    fn the_model_reads_every_host_in_the_same_way() {
        let hosts = [
            "shop.localhost",
            "Shop.LOCALHOST:7777",
            "shop.localhost.",
            "r3-shop.localhost:80",
            "R3-my-shop.localhost",
            "r2d2.localhost",
            "r-shop.localhost",
            "r0-shop.localhost",
            "r03-shop.localhost",
            "r99999999999-shop.localhost",
            "a.shop.localhost",
            "localhost",
            ".localhost",
            "shop.localhost.evil.example",
            "shop.localhost:x",
            "shop.localhost:80:80",
            "xlocalhost",
            "127.0.0.1:80",
            "é.localhost",
            "éshop-localhost",
            "",
            ":80",
        ];
        for host in hosts {
            let mut room = [0; 63];
            let ours = wanted(host, "localhost", &mut room).and_then(|wanted| match wanted {
                Wanted::App(app) => Some(Address::App(app.parse().ok()?)),
                Wanted::Release(app, number) => Some(Address::Release(app.parse().ok()?, number)),
            });
            assert_eq!(ours, parse(host, "localhost"), "{host}");
        }
    }

    #[test]
    fn only_addresses_and_localhost_name_the_machine_itself() {
        for (host, local) in [
            ("127.0.0.1:8080", true),
            ("localhost", true),
            ("LocalHost:1", true),
            ("[::1]:80", true),
            ("[::1]", true),
            ("192.168.1.2", true),
            ("evil.example", false),
            ("evil.example:80", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("::1", false),
            ("", false),
        ] {
            assert_eq!(is_local(host), local, "{host}");
        }
    }
}
