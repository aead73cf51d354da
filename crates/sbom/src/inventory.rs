//! All packages of an image.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::about::About;
use crate::package::Package;
use crate::problem::{Problem, Problems};
use crate::purl::Purl;
use crate::{cyclonedx, spdx};

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

    /// The inventory as an SPDX 2.3 document in JSON.
    pub fn spdx(&self, about: &About<'_>) -> Vec<u8> {
        spdx::document(self, about)
    }

    /// The inventory as a CycloneDX 1.6 document in JSON.
    pub fn cyclonedx(&self, about: &About<'_>) -> Vec<u8> {
        cyclonedx::document(self, about)
    }
}

/// An inventory in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) distribution: Option<Distribution>,
    packages: HashMap<Purl, Package>,
    pub(crate) licence_texts: BTreeMap<String, String>,
}

impl Draft {
    /// An empty one.
    pub(crate) fn of(distribution: Option<Distribution>) -> Self {
        Self {
            distribution,
            ..Self::default()
        }
    }

    /// Adds a package, or what this copy of it adds to the one that is there.
    pub(crate) fn add(&mut self, package: Package) {
        match self.packages.entry(package.purl.clone()) {
            std::collections::hash_map::Entry::Occupied(mut there) => {
                there.get_mut().absorb(package)
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(package);
            }
        }
    }

    /// Notes that one package needs another. Both must have been added.
    pub(crate) fn link(&mut self, from: &Purl, to: &Purl) {
        if let Some(package) = self.packages.get_mut(from) {
            package.depends_on.push(to.clone());
        }
    }

    /// Ends the making.
    pub(crate) fn settle(self, problems: Problems) -> Inventory {
        let mut packages: Vec<Package> = self.packages.into_values().collect();
        packages.sort_by(|a, b| a.purl.cmp(&b.purl));
        packages.iter_mut().for_each(Package::settle);
        Inventory {
            distribution: self.distribution,
            packages,
            licence_texts: self.licence_texts,
            problems: problems.into_sorted(),
        }
    }
}
