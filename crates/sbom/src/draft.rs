//! An inventory in the making.

use std::collections::{BTreeMap, HashMap};

use model::inventory::{Distribution, Inventory, Package, Purl};

use crate::problem::Problems;

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
        Inventory::new(self.packages.into_values().collect())
            .with_distribution(self.distribution)
            .with_licence_texts(self.licence_texts)
            .with_problems(problems.into_sorted())
    }
}
