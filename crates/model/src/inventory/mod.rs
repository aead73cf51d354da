//! What is in an image: packages, how it has them, and what could not be read.

mod about;
mod diff;
mod package;
mod path;
mod problem;
mod purl;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use about::About;
pub use diff::{Change, Diff, Versioned, diff};
pub use package::{Ecosystem, Package, Presence, Runtime, Source};
pub use path::{Paths, paths};
pub use problem::{Problem, ProblemKind};
pub use purl::{Purl, encode, pep503};

/// The formats in which others read an inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BillFormat {
    /// SPDX 2.3, JSON.
    Spdx,
    /// CycloneDX 1.6, JSON.
    CycloneDx,
}

/// The distribution that an image is made of, by its os-release file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// `debian`.
    pub id: String,
    /// `13`; none for releases in the making.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// `trixie`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codename: Option<String>,
    /// `Debian GNU/Linux`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What is in an image. Equal layers give equal inventories, byte for byte once written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    distribution: Option<Distribution>,
    packages: Vec<Package>,
    /// The texts of licences that have no SPDX name, by the name that expressions use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    licence_texts: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

impl Inventory {
    /// An inventory of `packages`, of which nothing else is known. Equal packages in another order
    /// make the same one.
    pub fn new(mut packages: Vec<Package>) -> Self {
        packages.sort_by(|a, b| a.purl.cmp(&b.purl));
        packages.iter_mut().for_each(Package::settle);
        Self {
            packages,
            ..Self::default()
        }
    }

    /// With what the distribution's own file says.
    #[must_use]
    pub fn with_distribution(mut self, distribution: Option<Distribution>) -> Self {
        self.distribution = distribution;
        self
    }

    /// With the texts of licences that have no SPDX name, by the name that expressions use.
    #[must_use]
    pub fn with_licence_texts(mut self, texts: BTreeMap<String, String>) -> Self {
        self.licence_texts = texts;
        self
    }

    /// With what could not be read.
    #[must_use]
    pub fn with_problems(mut self, problems: Vec<Problem>) -> Self {
        self.problems = problems;
        self
    }

    /// The packages, sorted by URL.
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// The package of that URL.
    pub fn package(&self, purl: &Purl) -> Option<&Package> {
        let found = self.packages.binary_search_by(|one| one.purl.cmp(purl));
        found.ok().map(|at| &self.packages[at])
    }

    /// The distribution that the image is made of.
    pub fn distribution(&self) -> Option<&Distribution> {
        self.distribution.as_ref()
    }

    /// What could not be read, or does not fit together.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether nothing was met that may hide a package.
    pub fn is_complete(&self) -> bool {
        !self.problems.iter().any(|one| one.kind.hides_packages())
    }

    /// The texts of licences that have no SPDX name, by the name that expressions use.
    pub fn licence_texts(&self) -> &BTreeMap<String, String> {
        &self.licence_texts
    }
}
