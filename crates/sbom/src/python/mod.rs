//! Python packages, by the metadata that installers leave.

mod classifier;
mod marker;
mod metadata;
mod requirement;

pub(crate) use metadata::{Metadata, metadata, requires_txt};
pub(crate) use requirement::{Requirement, requirement};

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::draft::Draft;
use crate::problem::{ProblemKind, Problems};
use crate::text::{is_version, shown};
use marker::Environment;
use model::inventory::{Ecosystem, Package};
use model::inventory::{Purl, pep503};

/// One installed distribution.
#[derive(Debug)]
pub(crate) struct Distribution {
    /// The folder of packages that it lies in: `opt/venv/lib/python3.13/site-packages`.
    pub(crate) site: String,
    /// Its metadata file.
    pub(crate) file: String,
    /// Its `.dist-info` or `.egg-info` folder, without the ending.
    pub(crate) folder: String,
    pub(crate) metadata: Metadata,
}

/// What the walk found about Python packages.
#[derive(Debug, Default)]
pub(crate) struct Distributions {
    pub(crate) found: Vec<Distribution>,
    /// `requires.txt` of old installations, by the folder that it lies in.
    pub(crate) requires: HashMap<String, Vec<Requirement>>,
    /// What files of the app itself ask for: their extras count.
    pub(crate) asked: Vec<Requirement>,
}

impl Distributions {
    /// Adds the packages and the edges between them. `machine` is as Python calls it: `x86_64`.
    /// Returns the packages by the folder of their metadata.
    pub(crate) fn settle(
        self,
        draft: &mut Draft,
        machine: Option<&str>,
        problems: &mut Problems,
    ) -> Vec<(String, Purl)> {
        let mut known = Vec::new();
        for mut one in self.found {
            let folder = one.file.rsplit_once('/').map_or("", |(folder, _)| folder);
            if let Some(more) = self.requires.get(folder) {
                one.metadata.requires.extend(more.iter().cloned());
            }
            let (name, version) = (&one.metadata.name, &one.metadata.version);
            if !is_name(name) || !is_version(version) {
                let what = format!("`{}` `{}` is no package", shown(name), shown(version));
                problems.add(&one.file, ProblemKind::BadName, what);
                continue;
            }
            contradiction(&one, problems);
            let purl = Purl::pypi(name, version);
            draft.add(package(&one, purl.clone()));
            known.push((one, purl));
        }
        link(draft, &known, &self.asked, machine);
        let folder = |file: &str| {
            file.rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned()
        };
        known
            .into_iter()
            .map(|(one, purl)| (folder(&one.file), purl))
            .collect()
    }
}

fn package(one: &Distribution, purl: Purl) -> Package {
    let metadata = &one.metadata;
    Package {
        licence: metadata.licence.clone(),
        maintainer: metadata.author.clone(),
        homepage: metadata.homepage.clone(),
        found_in: vec![one.file.clone()],
        ..Package::new(
            purl,
            Ecosystem::Pypi,
            metadata.name.as_str(),
            metadata.version.clone(),
        )
    }
}

/// A folder's name that tells of another package than its metadata does. Installers believe the
/// metadata, and so does the inventory.
fn contradiction(one: &Distribution, problems: &mut Problems) {
    let mut parts = one.folder.splitn(3, '-');
    let name = parts.next().unwrap_or_default();
    let version = parts.next();
    let (said, is) = (&one.metadata.name, &one.metadata.version);
    let same_name = pep503(name) == pep503(said);
    let same_version = version.is_none_or(|version| same_version(version, is));
    if !same_name || !same_version {
        let what = format!(
            "the folder is of `{}`, its metadata of `{said}` `{is}`",
            one.folder
        );
        problems.add(&one.file, ProblemKind::Contradiction, what);
    }
}

/// Folders' names write some letters of versions otherwise: `1.0_local` is `1.0+local`, `1!2` may
/// be `1_2`.
fn same_version(folder: &str, version: &str) -> bool {
    let plain = |text: &str| {
        let letters = text
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '.');
        letters.collect::<String>().to_ascii_lowercase()
    };
    plain(folder) == plain(version)
}

/// Source: Python packaging, "Names and normalization".
fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    name.len() <= 200 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(fits)
}

/// Edges by `Requires-Dist`. Those of an extra count when somebody asks for that extra.
fn link(
    draft: &mut Draft,
    known: &[(Distribution, Purl)],
    asked: &[Requirement],
    machine: Option<&str>,
) {
    let index = Index::new(known);
    let mut extras: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for requirement in asked {
        for &at in index
            .by_name
            .get(&pep503(&requirement.name))
            .into_iter()
            .flatten()
        {
            let wanted = requirement.extras.iter().map(|extra| pep503(extra));
            extras.entry(at).or_default().extend(wanted);
        }
    }
    // An extra may ask for extras of others: again for all of whom more is asked than before.
    let mut waiting: BTreeSet<usize> = (0..known.len()).collect();
    while let Some(at) = waiting.pop_first() {
        let (one, purl) = &known[at];
        let environment = Environment::of(&one.site, machine);
        let own = extras.get(&at).cloned().unwrap_or_default();
        for requirement in &one.metadata.requires {
            if !requirement.applies(&environment, &own) {
                continue;
            }
            let Some(to) = index.find(&one.site, &requirement.name) else {
                continue;
            };
            draft.link(purl, &known[to].1);
            let there = extras.entry(to).or_default();
            let before = there.len();
            there.extend(requirement.extras.iter().map(|extra| pep503(extra)));
            if there.len() > before {
                waiting.insert(to);
            }
        }
    }
}

/// Whether others import from that folder: what a package carries in a folder of its own is for
/// itself.
fn is_shared(site: &str) -> bool {
    site.ends_with("site-packages") || site.ends_with("dist-packages")
}

struct Index {
    by_site: HashMap<(String, String), usize>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Index {
    fn new(known: &[(Distribution, Purl)]) -> Self {
        let mut index = Self {
            by_site: HashMap::new(),
            by_name: HashMap::new(),
        };
        for (at, (one, _)) in known.iter().enumerate() {
            let name = pep503(&one.metadata.name);
            index.by_site.insert((one.site.clone(), name.clone()), at);
            if is_shared(&one.site) {
                index.by_name.entry(name).or_default().push(at);
            }
        }
        index
    }

    /// In the same folder; elsewhere only when there is no choice.
    fn find(&self, site: &str, name: &str) -> Option<usize> {
        let name = pep503(name);
        if let Some(&at) = self.by_site.get(&(site.to_owned(), name.clone())) {
            return Some(at);
        }
        match self.by_name.get(&name)?[..] {
            [only] => Some(only),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "opt/venv/lib/python3.13/site-packages";

    fn distribution(folder: &str, text: &str) -> Distribution {
        Distribution {
            site: SITE.into(),
            file: format!("{SITE}/{folder}.dist-info/METADATA"),
            folder: folder.into(),
            metadata: metadata(text).expect("metadata"),
        }
    }

    fn settled(found: Vec<Distribution>, asked: &[&str]) -> crate::Inventory {
        let (mut draft, mut problems) = (Draft::default(), Problems::default());
        let all = Distributions {
            found,
            requires: HashMap::new(),
            asked: asked.iter().filter_map(|text| requirement(text)).collect(),
        };
        all.settle(&mut draft, Some("x86_64"), &mut problems);
        draft.settle(problems)
    }

    fn needs(inventory: &crate::Inventory, purl: &str) -> Vec<String> {
        let package = inventory
            .packages()
            .iter()
            .find(|one| one.purl.as_str() == purl);
        let needed = &package.expect(purl).depends_on;
        needed.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn edges_follow_markers_and_the_extras_that_are_asked_for() {
        let found = || {
            vec![
                distribution(
                    "Web_App-1.0",
                    "Name: Web.App\nVersion: 1.0\nRequires-Dist: lib[fast]>=1\nRequires-Dist: old; python_version < \"3\"\nRequires-Dist: win; sys_platform == 'win32'\nRequires-Dist: async-lib; extra == 'async'\n",
                ),
                distribution(
                    "lib-2",
                    "Name: lib\nVersion: 2\nRequires-Dist: speed ; extra == \"fast\"\n",
                ),
                distribution("speed-1", "Name: speed\nVersion: 1\n"),
                distribution("old-1", "Name: old\nVersion: 1\n"),
                distribution("win-1", "Name: win\nVersion: 1\n"),
                distribution("async_lib-1", "Name: async-lib\nVersion: 1\n"),
            ]
        };
        let plain = settled(found(), &[]);
        assert_eq!(needs(&plain, "pkg:pypi/web-app@1.0"), ["pkg:pypi/lib@2"]);
        assert_eq!(needs(&plain, "pkg:pypi/lib@2"), ["pkg:pypi/speed@1"]);
        assert_eq!(plain.problems(), []);
        let asked = settled(found(), &["web-app[async]"]);
        assert_eq!(
            needs(&asked, "pkg:pypi/web-app@1.0"),
            ["pkg:pypi/async-lib@1", "pkg:pypi/lib@2"]
        );
    }

    #[test]
    fn a_lying_wheel_is_a_problem() {
        for (folder, lies) in [
            ("flask-3.0.0", false),
            ("Flask-3.0.0", false),
            ("flask", false),
            ("flask-3.0.1", true),
            ("requests-3.0.0", true),
        ] {
            let found = vec![distribution(folder, "Name: flask\nVersion: 3.0.0\n")];
            let inventory = settled(found, &[]);
            let told = inventory.problems().first().map(|problem| problem.kind);
            assert_eq!(told, lies.then_some(ProblemKind::Contradiction), "{folder}");
            assert_eq!(inventory.packages().len(), 1);
        }
        let odd = settled(
            vec![distribution("x-1", "Name: x\u{1b}y\nVersion: 1\n")],
            &[],
        );
        assert_eq!(odd.problems()[0].kind, ProblemKind::BadName);
    }
}
