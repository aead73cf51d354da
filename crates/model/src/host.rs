//! Which app, and which of its releases, a request's Host names.

use crate::app::AppName;
use crate::release::ReleaseNumber;

/// What a Host header addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `<app>.localhost`: whatever serves now.
    App(AppName),
    /// `r<N>-<app>.localhost`: one release.
    Release(AppName, ReleaseNumber),
}

/// Reads the value of a Host header against the domain that the proxy serves, `localhost` by
/// default. A port and letter case do not matter; `None` for any other host.
pub fn parse(host: &str, domain: &str) -> Option<Address> {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) => return None,
        None => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let label = name.strip_suffix(domain)?.strip_suffix('.')?;
    if let Ok(app) = label.parse() {
        return Some(Address::App(app));
    }
    let (number, app) = label.strip_prefix('r')?.split_once('-')?;
    Some(Address::Release(
        app.parse().ok()?,
        ReleaseNumber::parse(number)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_an_app_or_one_of_its_releases() {
        let app = |name: &str| name.parse::<AppName>().expect("a good name");
        let release = |name, number| Address::Release(app(name), ReleaseNumber::new(number));
        for (host, address) in [
            ("shop.localhost", Some(Address::App(app("shop")))),
            ("Shop.LOCALHOST:7777", Some(Address::App(app("shop")))),
            ("shop.localhost.", Some(Address::App(app("shop")))),
            ("r3-shop.localhost:80", Some(release("shop", 3))),
            ("r3-my-shop.localhost", Some(release("my-shop", 3))),
            ("r0-shop.localhost", None),
            ("r03-shop.localhost", None),
            ("a.shop.localhost", None),
            ("localhost", None),
            ("shop.localhost.evil.example", None),
            ("shop.localhost:x", None),
            ("xlocalhost", None),
            ("127.0.0.1:80", None),
        ] {
            assert_eq!(parse(host, "localhost"), address, "{host}");
        }
    }
}
