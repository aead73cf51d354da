//! One package of an image.

use serde::{Deserialize, Serialize};

use super::purl::Purl;
use crate::advisory::Origin;

/// Whose rules a package's name and version follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ecosystem {
    /// Debian and its derivatives.
    Debian,
    /// Python's index.
    Pypi,
    /// Node's registry.
    Npm,
    /// Go modules, and Go's standard library as `stdlib`.
    Go,
    /// Rust's registry.
    Cargo,
    /// Programs outside of any of these: an interpreter, mayfly's own server.
    Generic,
}

impl Ecosystem {
    /// As package URLs call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debian => "deb",
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Go => "golang",
            Self::Cargo => "cargo",
            Self::Generic => "generic",
        }
    }
}

/// In which way an image has a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Its files are in the image.
    Installed,
    /// The image runs on it and does not hold it.
    Runtime,
    /// A lock file in the image names it; its files are not there.
    Declared,
}

/// The source package that a binary package was built from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One package. Equal URLs are one package, however often its files are there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its identity.
    pub purl: Purl,
    /// Whose rules its name and version follow.
    pub ecosystem: Ecosystem,
    /// As its ecosystem writes it: `@scope/name`, a module's path.
    pub name: String,
    /// None when it has none: a Go program that was built from a working tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How the image has it.
    pub presence: Presence,
    /// An SPDX expression; none when its own files do not state one that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Debian's source package; the same as the package when it is called the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// `amd64`, for binary packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Who maintains it, in its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintainer: Option<String>,
    /// Where it has its page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub homepage: Option<String>,
    /// The files that say it is there, from the image's root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found_in: Vec<String>,
    /// The lock files that name it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declared_in: Vec<String>,
    /// The packages of this inventory that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<Purl>,
}

impl Package {
    /// A package of which no more is known yet.
    pub fn new(
        purl: Purl,
        ecosystem: Ecosystem,
        name: impl Into<String>,
        version: impl Into<Option<String>>,
    ) -> Self {
        Self {
            purl,
            ecosystem,
            name: name.into(),
            version: version.into(),
            presence: Presence::Installed,
            licence: None,
            source: None,
            architecture: None,
            maintainer: None,
            homepage: None,
            found_in: Vec::new(),
            declared_in: Vec::new(),
            depends_on: Vec::new(),
        }
    }

    /// How it came into the image. `asked` are the distribution's packages that the app names itself.
    ///
    /// The base lies below `/usr`, its interpreters' own tools too; all else is the app's.
    pub fn origin(&self, asked: &[String]) -> Origin {
        let is_of_app = match self.ecosystem {
            Ecosystem::Debian => asked.contains(&self.name),
            Ecosystem::Generic => false,
            Ecosystem::Pypi | Ecosystem::Npm | Ecosystem::Go | Ecosystem::Cargo => {
                let files = || self.found_in.iter().chain(&self.declared_in);
                let is_of_base = |file: &String| file.trim_start_matches('/').starts_with("usr/");
                files().next().is_none() || !files().all(is_of_base)
            }
        };
        match is_of_app {
            true => Origin::App,
            false => Origin::Base,
        }
    }

    /// Takes over what another copy of the same package adds.
    pub fn absorb(&mut self, other: Self) {
        self.presence = self.presence.min(other.presence);
        self.licence = self.licence.take().or(other.licence);
        self.source = self.source.take().or(other.source);
        self.architecture = self.architecture.take().or(other.architecture);
        self.maintainer = self.maintainer.take().or(other.maintainer);
        self.homepage = self.homepage.take().or(other.homepage);
        self.found_in.extend(other.found_in);
        self.declared_in.extend(other.declared_in);
        self.depends_on.extend(other.depends_on);
    }

    /// Sorts its lists and takes out what comes twice.
    pub fn settle(&mut self) {
        self.found_in.sort();
        self.found_in.dedup();
        self.declared_in.sort();
        self.declared_in.dedup();
        self.depends_on.sort();
        self.depends_on.dedup();
        self.depends_on.retain(|purl| *purl != self.purl);
    }
}

/// A program that an image runs on and does not hold: mayfly's own server, for a static site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runtime {
    /// Its name: `mayfly`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// An SPDX expression.
    pub licence: Option<String>,
}

impl Runtime {
    /// As a package that is not there.
    pub fn package(&self) -> Package {
        let purl = Purl::generic(&self.name, &self.version);
        Package {
            presence: Presence::Runtime,
            licence: self.licence.clone(),
            ..Package::new(
                purl,
                Ecosystem::Generic,
                self.name.as_str(),
                self.version.clone(),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(ecosystem: Ecosystem, file: &str) -> Package {
        let purl = Purl::generic("a", "1");
        Package {
            found_in: vec![file.to_owned()],
            ..Package::new(purl, ecosystem, "a", None)
        }
    }

    #[test]
    fn what_lies_below_usr_is_the_bases_and_what_the_app_names_is_its_own() {
        let (named, none) = (vec!["a".to_owned()], vec![]);
        let venv = "/opt/venv/lib/python3.13/site-packages/a-1.dist-info/METADATA";
        for (ecosystem, file, asked, origin) in [
            (Ecosystem::Pypi, venv, &none, Origin::App),
            (
                Ecosystem::Pypi,
                "usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
                &none,
                Origin::Base,
            ),
            (
                Ecosystem::Npm,
                "/app/node_modules/a/package.json",
                &none,
                Origin::App,
            ),
            (
                Ecosystem::Npm,
                "/usr/lib/node_modules/npm/package.json",
                &named,
                Origin::Base,
            ),
            (
                Ecosystem::Debian,
                "/var/lib/dpkg/status",
                &none,
                Origin::Base,
            ),
            (
                Ecosystem::Debian,
                "/var/lib/dpkg/status",
                &named,
                Origin::App,
            ),
            (Ecosystem::Generic, "/app/tool", &named, Origin::Base),
        ] {
            assert_eq!(package(ecosystem, file).origin(asked), origin, "{file}");
        }
    }
}
