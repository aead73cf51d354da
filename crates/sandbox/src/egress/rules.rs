//! Which hosts may be reached, and at which addresses.

use std::net::{IpAddr, SocketAddr};

use super::address::Reach;
use super::head;

/// The ports of a rule that names none: HTTP and HTTPS.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// The hosts that an app or a build job may reach. By default there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    allowed: Vec<Rule>,
    trusted: Vec<Rule>,
}

/// One exact host name or IP literal, in lower case, and perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    host: String,
    port: Option<u16>,
}

impl Rules {
    /// Reads `host` (ports 80 and 443) and `host:port`, exact names in any case; an IPv6 literal
    /// with a port stands in brackets. What cannot be read allows nothing.
    ///
    /// An allowed name that resolves to a private address is refused, unless that very address
    /// is in the list too.
    pub fn parse(allow: &[String]) -> Self {
        Self::parse_trusted(allow, &[])
    }

    /// Like [`Rules::parse`]; the hosts in `trusted` may also resolve to private and loopback
    /// addresses, because the machine's own configuration names them. A trusted host must be
    /// allowed too; one without a port is trusted at every port.
    pub fn parse_trusted(allow: &[String], trusted: &[String]) -> Self {
        let read = |texts: &[String]| texts.iter().filter_map(|text| Rule::parse(text)).collect();
        Self {
            allowed: read(allow),
            trusted: read(trusted),
        }
    }

    /// Whether `host`, in lower case, may be asked for at `port`.
    pub(super) fn allows(&self, host: &str, port: u16) -> bool {
        self.allowed
            .iter()
            .any(|rule| rule.host == host && rule.has_usual_port(port))
    }

    /// Whether an allowed `host` may be reached at `address`, to which it resolved.
    pub(super) fn may_dial(&self, host: &str, address: SocketAddr) -> bool {
        let trusted = || {
            let of_host = |rule: &&Rule| rule.host == host;
            let mut rules = self.trusted.iter().filter(of_host);
            rules.any(|rule| rule.port.is_none_or(|port| port == address.port()))
        };
        match Reach::of(address.ip()) {
            Reach::Public => true,
            Reach::Near => trusted() || self.names_literally(address),
            Reach::Never => self.names_literally(address),
        }
    }

    fn names_literally(&self, address: SocketAddr) -> bool {
        self.allowed.iter().any(|rule| {
            rule.host.parse::<IpAddr>() == Ok(address.ip()) && rule.has_usual_port(address.port())
        })
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self {
                host: address.to_string(),
                port: None,
            });
        }
        let (host, port) = head::split_port(text)?;
        Some(Self {
            host: head::host(host)?,
            port,
        })
    }

    fn has_usual_port(&self, port: u16) -> bool {
        match self.port {
            Some(own) => own == port,
            None => USUAL_PORTS.contains(&port),
        }
    }
}

/// The line of `mayfly.toml` that would allow `host` at `port`, as it stands in the list.
pub(super) fn entry(host: &str, port: u16) -> String {
    match (USUAL_PORTS.contains(&port), host.contains(':')) {
        (true, _) => host.to_owned(),
        (false, true) => format!("[{host}]:{port}"),
        (false, false) => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn a_rule_allows_its_exact_host_at_its_ports_and_nothing_else() {
        for (rule, host, port, allowed) in [
            ("packages.example", "packages.example", 443, true),
            ("packages.example", "packages.example", 80, true),
            ("packages.example", "packages.example", 22, false),
            ("Packages.Example", "packages.example", 443, true),
            ("packages.example.", "packages.example", 443, true),
            ("packages.example", "evil-packages.example", 443, false),
            ("packages.example", "packages.example.evil.com", 443, false),
            ("packages.example", "files.packages.example", 443, false),
            ("packages.example:8443", "packages.example", 8443, true),
            ("packages.example:8443", "packages.example", 443, false),
            ("10.0.0.5:5432", "10.0.0.5", 5432, true),
            ("[2001:db8::1]:5432", "2001:db8::1", 5432, true),
            ("2001:DB8:0::1", "2001:db8::1", 443, true),
            ("[2001:db8::1]", "2001:db8::1", 443, true),
            ("*", "packages.example", 443, false),
            ("", "packages.example", 443, false),
            ("packages.example:", "packages.example", 443, false),
            ("packages.example:0", "packages.example", 0, false),
            ("packages.example:99999", "packages.example", 443, false),
            ("https://packages.example", "packages.example", 443, false),
        ] {
            let rules = Rules::parse(&list(&[rule]));
            assert_eq!(rules.allows(host, port), allowed, "{rule} {host}:{port}");
        }
    }

    #[test]
    fn a_name_leads_to_a_private_address_only_when_trusted_or_named_literally() {
        let plain = Rules::parse(&list(&["db.example:5432"]));
        let literal = Rules::parse(&list(&["db.example:5432", "10.0.0.5:5432"]));
        let trusted = Rules::parse_trusted(&list(&["db.example:5432"]), &list(&["db.example"]));
        let other = Rules::parse_trusted(&list(&["db.example:5432"]), &list(&["pip.example"]));
        let port = Rules::parse_trusted(&list(&["db.example:5432"]), &list(&["db.example:80"]));
        for (rules, address, may) in [
            (&plain, "93.184.216.34:5432", true),
            (&plain, "10.0.0.5:5432", false),
            (&plain, "127.0.0.1:5432", false),
            (&plain, "[::ffff:10.0.0.5]:5432", false),
            (&literal, "10.0.0.5:5432", true),
            (&literal, "10.0.0.5:22", false),
            (&literal, "10.0.0.6:5432", false),
            (&literal, "[::ffff:10.0.0.5]:5432", false),
            (&trusted, "10.0.0.5:5432", true),
            (&trusted, "127.0.0.1:5432", true),
            (&trusted, "169.254.169.254:5432", false),
            (&trusted, "[fe80::1]:5432", false),
            (&trusted, "0.0.0.0:5432", false),
            (&other, "10.0.0.5:5432", false),
            (&port, "10.0.0.5:5432", false),
        ] {
            let to = address.parse().expect(address);
            assert_eq!(rules.may_dial("db.example", to), may, "{rules:?} {address}");
        }
    }

    #[test]
    fn a_trusted_host_that_is_not_allowed_stays_out_of_reach() {
        let rules = Rules::parse_trusted(&[], &list(&["pip.example"]));
        assert!(!rules.allows("pip.example", 443));
    }

    #[test]
    fn the_line_to_add_is_a_rule_that_allows_what_was_asked() {
        for (host, port) in [
            ("a.example", 443),
            ("a.example", 8080),
            ("2001:db8::1", 443),
            ("2001:db8::1", 99),
        ] {
            assert!(Rules::parse(&[entry(host, port)]).allows(host, port));
        }
    }
}
