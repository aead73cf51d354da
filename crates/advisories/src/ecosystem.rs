//! Whose rules a package's name and version follow.

use std::fmt;

use crate::version::Scheme;

/// An ecosystem, as OSV names it, without a release.
///
/// Source: OSV schema 1.7, "Defined ecosystems".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ecosystem {
    /// Python's index.
    Pypi,
    /// Node's registry.
    Npm,
    /// Go modules.
    Go,
    /// Rust's registry.
    Cargo,
    /// Debian.
    Debian,
    /// Any other one, by its name.
    Other(String),
}

/// The others that package URLs have a type for.
const OTHERS: [(&str, &str); 8] = [
    ("maven", "Maven"),
    ("gem", "RubyGems"),
    ("composer", "Packagist"),
    ("nuget", "NuGet"),
    ("hex", "Hex"),
    ("pub", "Pub"),
    ("cran", "CRAN"),
    ("githubactions", "GitHub Actions"),
];

impl Ecosystem {
    /// Takes `Debian:12` apart: the ecosystem and its release.
    pub(crate) fn read(text: &str) -> (Self, Option<&str>) {
        let (name, release) = match text.split_once(':') {
            Some((name, release)) => (name, Some(release)),
            None => (text, None),
        };
        let ecosystem = match name {
            "PyPI" => Self::Pypi,
            "npm" => Self::Npm,
            "Go" => Self::Go,
            "crates.io" => Self::Cargo,
            "Debian" => Self::Debian,
            other => Self::Other(other.to_owned()),
        };
        (ecosystem, release)
    }

    /// The ecosystem of a package URL's type; none for `generic`.
    pub(crate) fn of_purl_type(kind: &str) -> Option<Self> {
        Some(match kind {
            "pypi" => Self::Pypi,
            "npm" => Self::Npm,
            "golang" => Self::Go,
            "cargo" => Self::Cargo,
            "deb" => Self::Debian,
            other => {
                let (_, name) = OTHERS.iter().find(|(kind, _)| *kind == other)?;
                Self::Other((*name).to_owned())
            }
        })
    }

    /// As OSV names it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pypi => "PyPI",
            Self::Npm => "npm",
            Self::Go => "Go",
            Self::Cargo => "crates.io",
            Self::Debian => "Debian",
            Self::Other(name) => name,
        }
    }

    /// How its versions are ordered.
    pub(crate) fn scheme(&self) -> Scheme {
        match self {
            Self::Pypi => Scheme::Pep440,
            Self::Npm | Self::Go | Self::Cargo => Scheme::Semver,
            Self::Debian => Scheme::Debian,
            Self::Other(_) => Scheme::Dotted,
        }
    }

    /// By what a package is looked up: equal packages have equal keys, and no others.
    pub(crate) fn key(&self, release: Option<&str>, name: &str) -> String {
        let name = match self {
            Self::Pypi => pep503(name),
            // Package URLs have no capitals there.
            Self::Go => name.to_ascii_lowercase(),
            _ => name.to_owned(),
        };
        let release = release.unwrap_or_default();
        format!("{}\0{release}\0{name}", self.as_str())
    }
}

impl fmt::Display for Ecosystem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A Python package's name as indexes compare it: `Zope.Interface` is `zope-interface` (PEP 503).
fn pep503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.push(other.to_ascii_lowercase()),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_packages_have_equal_keys_and_no_others() {
        let key = |ecosystem: &str, name| {
            let (ecosystem, release) = Ecosystem::read(ecosystem);
            ecosystem.key(release, name)
        };
        assert_eq!(
            key("PyPI", "Zope.Interface"),
            key("PyPI", "zope--interface")
        );
        assert_eq!(
            key("Go", "github.com/Azure/x"),
            key("Go", "github.com/azure/x")
        );
        for (one, other) in [
            (key("npm", "Request"), key("npm", "request")),
            (key("npm", "a"), key("PyPI", "a")),
            (key("Debian:12", "a"), key("Debian:13", "a")),
            (key("Debian", "a"), key("Debian:13", "a")),
            (key("crates.io", "a-b"), key("crates.io", "a_b")),
        ] {
            assert_ne!(one, other);
        }
    }
}
