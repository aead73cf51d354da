//! Debian packages, by dpkg's own list.

pub(crate) mod control;
mod copyright;
mod os_release;
mod relation;
mod status;

pub(crate) use copyright::{Copyright, copyright};
pub(crate) use os_release::os_release;
pub(crate) use status::{Deb, status};

use std::collections::{BTreeMap, HashMap};

use crate::draft::Draft;
use crate::tree::Links;
use model::inventory::Distribution;
use model::inventory::Purl;
use model::inventory::{Ecosystem, Package, Source};

/// What the walk found about Debian packages.
#[derive(Debug, Default)]
pub(crate) struct Debs {
    /// With the file that lists each.
    pub(crate) packages: Vec<(String, Deb)>,
    /// By the path of the file.
    pub(crate) copyrights: HashMap<String, Copyright>,
}

impl Debs {
    /// The URL of each package, by the names that its list of files may have.
    pub(crate) fn purls(&self, distribution: Option<&Distribution>) -> HashMap<String, Purl> {
        let mut purls = HashMap::new();
        for (_, deb) in &self.packages {
            let purl = purl(deb, distribution);
            if let Some(architecture) = &deb.architecture {
                purls.insert(format!("{}:{architecture}", deb.name), purl.clone());
            }
            purls.insert(deb.name.clone(), purl);
        }
        purls
    }

    /// Adds the packages and the edges between them.
    pub(crate) fn settle(self, draft: &mut Draft, links: &Links) {
        let Self {
            packages,
            copyrights,
        } = self;
        let purls: Vec<Purl> = packages
            .iter()
            .map(|(_, deb)| purl(deb, draft.distribution.as_ref()))
            .collect();
        for ((file, deb), purl) in packages.iter().zip(&purls) {
            let licence = licence(deb, &copyrights, links, &mut draft.licence_texts);
            draft.add(package(deb, purl.clone(), file, licence));
        }
        link(draft, &packages, &purls);
    }
}

fn purl(deb: &Deb, distribution: Option<&Distribution>) -> Purl {
    let vendor = distribution.map_or("debian", |one| one.id.as_str());
    let distro = distribution.map(|one| match &one.version_id {
        Some(version) => format!("{}-{version}", one.id),
        None => one.codename.clone().unwrap_or_else(|| one.id.clone()),
    });
    let upstream = deb
        .source
        .as_ref()
        .map(|source| match source.version == deb.version {
            true => source.name.clone(),
            false => format!("{}@{}", source.name, source.version),
        });
    let qualifiers = [
        ("arch", deb.architecture.clone()),
        ("distro", distro),
        ("upstream", upstream),
    ];
    Purl::deb(vendor, &deb.name, &deb.version, &qualifiers)
}

fn package(deb: &Deb, purl: Purl, file: &str, licence: Option<String>) -> Package {
    let own = || Source {
        name: deb.name.clone(),
        version: deb.version.clone(),
    };
    Package {
        licence,
        source: Some(deb.source.clone().unwrap_or_else(own)),
        architecture: deb.architecture.clone(),
        maintainer: deb.maintainer.clone(),
        homepage: deb.homepage.clone(),
        found_in: vec![file.to_owned()],
        ..Package::new(
            purl,
            Ecosystem::Debian,
            deb.name.as_str(),
            deb.version.clone(),
        )
    }
}

fn licence(
    deb: &Deb,
    copyrights: &HashMap<String, Copyright>,
    links: &Links,
    texts: &mut BTreeMap<String, String>,
) -> Option<String> {
    // A package's folder of documents is often a link to that of its sibling.
    let file = links.real(&format!("usr/share/doc/{}/copyright", deb.name))?;
    let copyright = copyrights.get(&file)?;
    let expression = copyright.expression.clone()?;
    texts.extend(copyright.texts.clone());
    Some(expression)
}

/// Of more packages with one name only so many are compared.
const PROVIDERS: usize = 50;

/// Edges by `Depends` and `Pre-Depends`: of alternatives the first that is there.
fn link(draft: &mut Draft, packages: &[(String, Deb)], purls: &[Purl]) {
    let mut providers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, (_, deb)) in packages.iter().enumerate() {
        providers.entry(&deb.name).or_default().push(at);
    }
    // A real package of that name comes before those that stand in for it.
    for (at, (_, deb)) in packages.iter().enumerate() {
        for name in &deb.provides {
            providers.entry(name).or_default().push(at);
        }
    }
    for (at, (_, deb)) in packages.iter().enumerate() {
        for alternatives in &deb.depends {
            let fit = |name: &String| {
                let there = providers.get(name.as_str())?;
                let same = |other: &&usize| packages[**other].1.architecture == deb.architecture;
                let near = there.iter().take(PROVIDERS);
                near.clone().find(same).or(there.first())
            };
            if let Some(&to) = alternatives.iter().find_map(fit) {
                draft.link(&purls[at], &purls[to]);
            }
        }
    }
}
