//! What this machine has of all that builds need.

use std::path::Path;

use model::failure::Remedy;

use crate::debian::{DebianError, DebianSources, debian_keys};
use crate::fetch::{Fetcher, shown};
use crate::tools::Registries;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `debian mirror`.
    pub name: &'static str,
    /// Whether it is as builds need it.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// A command or a setting that helps, when it is not.
    pub remedy: Option<String>,
}

/// Whether hosts are asked, or only settings read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Files of the machine only.
    Settings,
    /// Mirrors and registries are asked too.
    Network,
}

/// Looks at the mirror, the keyring and the registries. Blocks while hosts are asked.
pub fn doctor(mirror: Option<&str>, reach: Reach) -> Vec<Check> {
    let sources = DebianSources::read(Path::new("/"), mirror);
    let registries = Registries::of_machine();
    let mut checks = vec![mirror_check(&sources), keyring_check(&sources)];
    checks.push(Check {
        name: "package registries",
        ok: true,
        detail: format!(
            "{} and {}",
            shown(&registries.python),
            shown(&registries.npm)
        ),
        remedy: None,
    });
    if reach == Reach::Network {
        checks.extend(network_checks(&sources, &registries));
    }
    checks
}

fn mirror_check(sources: &DebianSources) -> Check {
    match &sources.main {
        Some(main) => Check {
            name: "debian mirror",
            ok: true,
            detail: match &sources.security {
                Some(security) => {
                    format!("{}, security updates from {}", shown(main), shown(security))
                }
                None => shown(main),
            },
            remedy: None,
        },
        None => failed("debian mirror", &DebianError::NoMirror),
    }
}

fn keyring_check(sources: &DebianSources) -> Check {
    match debian_keys(sources) {
        0 => failed("debian keyring", &DebianError::NoKeyring),
        keys => Check {
            name: "debian keyring",
            ok: true,
            detail: format!("{keys} keys"),
            remedy: None,
        },
    }
}

fn network_checks(sources: &DebianSources, registries: &Registries) -> Vec<Check> {
    let fetcher = Fetcher::of_machine();
    let mut asked = Vec::new();
    if let Some(main) = &sources.main {
        asked.push((
            "debian mirror answers",
            format!("{main}/dists/trixie/Release"),
        ));
    }
    asked.push((
        "python index answers",
        format!("{}/pip/", registries.python),
    ));
    asked.push((
        "npm registry answers",
        format!("{}/npm/latest", registries.npm),
    ));
    let ask = |(name, url): (&'static str, String)| match fetcher.get(&url, 64 << 20) {
        Ok(_) => Check {
            name,
            ok: true,
            detail: shown(&url),
            remedy: None,
        },
        Err(error) => Check {
            remedy: Some(format!(
                "run `curl -v {}` to see why; proxies come from HTTPS_PROXY, certificates from SSL_CERT_FILE",
                shown(&url)
            )),
            ..failed(name, &error)
        },
    };
    asked.into_iter().map(ask).collect()
}

fn failed(name: &'static str, error: &(impl std::error::Error + Remedy)) -> Check {
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        detail = format!("{detail}: {cause}");
        source = cause.source();
    }
    Check {
        name,
        ok: false,
        detail,
        remedy: error.hint(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_mirror_or_keys_is_told_what_to_do() {
        let bare = DebianSources {
            main: None,
            updates: false,
            security: None,
            keyrings: vec![],
        };
        for check in [mirror_check(&bare), keyring_check(&bare)] {
            assert!(!check.ok && check.remedy.is_some(), "{check:?}");
        }
        let set = DebianSources {
            main: Some("http://user:secret@mirror.example/debian".into()),
            ..bare
        };
        let check = mirror_check(&set);
        assert!(check.ok && !check.detail.contains("secret"), "{check:?}");
    }
}
