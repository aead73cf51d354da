//! What changed between two images.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Inventory;
use super::package::{Ecosystem, Package, Presence};

/// A package at one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Versioned {
    /// Whose rules its name follows.
    pub ecosystem: Ecosystem,
    /// How the image has it.
    pub presence: Presence,
    /// Its name.
    pub name: String,
    /// Its version; empty when it has none.
    pub version: String,
}

/// A package whose version changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// Whose rules its name follows.
    pub ecosystem: Ecosystem,
    /// How the image has it.
    pub presence: Presence,
    /// Its name.
    pub name: String,
    /// Its version before.
    pub from: String,
    /// Its version after.
    pub to: String,
}

/// What changed from one inventory to another; each list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// Packages and versions that were not there.
    pub added: Vec<Versioned>,
    /// Packages and versions that are gone.
    pub removed: Vec<Versioned>,
    /// Packages of which one version took the place of one other.
    pub changed: Vec<Change>,
}

impl Diff {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

type Key<'a> = (Ecosystem, Presence, &'a str, Option<&'a str>);

/// Compares two inventories by names and versions.
pub fn diff(before: &Inventory, after: &Inventory) -> Diff {
    let (before, after) = (versions(before), versions(after));
    let mut diff = Diff::default();
    let names: BTreeSet<&Key<'_>> = before.keys().chain(after.keys()).collect();
    for key in names {
        let none = BTreeSet::new();
        let (old, new) = (
            before.get(key).unwrap_or(&none),
            after.get(key).unwrap_or(&none),
        );
        let gone: Vec<&str> = old.difference(new).copied().collect();
        let came: Vec<&str> = new.difference(old).copied().collect();
        let (ecosystem, presence, name, _) = *key;
        match (&gone[..], &came[..]) {
            ([from], [to]) => diff.changed.push(Change {
                ecosystem,
                presence,
                name: name.to_owned(),
                from: (*from).to_owned(),
                to: (*to).to_owned(),
            }),
            _ => {
                let versioned = |version: &&str| Versioned {
                    ecosystem,
                    presence,
                    name: name.to_owned(),
                    version: (*version).to_owned(),
                };
                diff.removed.extend(gone.iter().map(versioned));
                diff.added.extend(came.iter().map(versioned));
            }
        }
    }
    diff
}

fn versions(inventory: &Inventory) -> BTreeMap<Key<'_>, BTreeSet<&str>> {
    let mut versions: BTreeMap<Key<'_>, BTreeSet<&str>> = BTreeMap::new();
    for package in inventory.packages() {
        let version = package.version.as_deref().unwrap_or_default();
        versions.entry(key(package)).or_default().insert(version);
    }
    versions
}

/// Packages of two architectures are two packages.
fn key(package: &Package) -> Key<'_> {
    (
        package.ecosystem,
        package.presence,
        &package.name,
        package.architecture.as_deref(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Purl;

    fn inventory(packages: &[(&str, &str)]) -> Inventory {
        let package = |(name, version): &(&str, &str)| {
            let purl = Purl::npm(name, version);
            let version = Some((*version).to_owned());
            Package::new(purl, Ecosystem::Npm, *name, version)
        };
        Inventory::new(packages.iter().map(package).collect())
    }

    #[test]
    fn one_version_for_another_is_a_change_and_the_rest_comes_or_goes() {
        let before = inventory(&[("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("d", "2")]);
        let after = inventory(&[
            ("a", "1"),
            ("b", "2"),
            ("e", "1"),
            ("d", "2"),
            ("d", "3"),
            ("d", "4"),
        ]);
        let diff = diff(&before, &after);
        let named = |list: &[Versioned]| {
            let all = list
                .iter()
                .map(|one| format!("{}@{}", one.name, one.version));
            all.collect::<Vec<_>>()
        };
        assert_eq!(named(&diff.added), ["d@3", "d@4", "e@1"]);
        assert_eq!(named(&diff.removed), ["c@1", "d@1"]);
        assert_eq!(diff.changed.len(), 1);
        assert_eq!(
            (diff.changed[0].from.as_str(), diff.changed[0].to.as_str()),
            ("1", "2")
        );
        assert!(super::diff(&before, &before).is_empty());
    }
}
