//! Mirrors' lists of packages, and the packages that some of them need.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::{Digest, debian_version};

use super::control::field;
use super::kind::SKIPPED;
use super::pin::{Archive, PinnedPackage};

/// Several lists, searched as one.
#[derive(Debug, Default)]
pub(super) struct Index {
    lists: Vec<(Archive, String)>,
    by_name: HashMap<String, Place>,
    providers: HashMap<String, Vec<String>>,
}

/// Where a package's paragraph is.
#[derive(Debug, Clone, Copy)]
struct Place {
    list: usize,
    start: usize,
    end: usize,
}

/// A package that is in no list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no Debian package `{name}` in {suite}")]
pub struct NoPackage {
    /// What was asked for.
    pub name: String,
    /// The suite.
    pub suite: String,
    /// The nearest name that exists.
    pub nearest: Option<String>,
}

impl Index {
    /// Adds a list. Of a package in several lists the newest version counts.
    pub(super) fn add(&mut self, archive: Archive, text: String) {
        let list = self.lists.len();
        self.lists.push((archive, text));
        let text = &self.lists[list].1;
        let mut found = Vec::new();
        let mut start = 0;
        for paragraph in text.split("\n\n") {
            let end = start + paragraph.len();
            if let Some(rest) = paragraph.trim_start_matches('\n').strip_prefix("Package: ") {
                let name = rest.lines().next().unwrap_or_default().trim();
                let provides = paragraph
                    .contains("\nProvides:")
                    .then(|| field(paragraph, "Provides"));
                let provides = names(provides.flatten().unwrap_or_default());
                found.push((name.to_owned(), Place { list, start, end }, provides));
            }
            start = end + 2;
        }
        for (name, place, provides) in found {
            self.insert(name, place, provides);
        }
    }

    fn insert(&mut self, name: String, place: Place, provides: Vec<String>) {
        for provided in provides {
            let providers = self.providers.entry(provided).or_default();
            if !providers.contains(&name) {
                providers.push(name.clone());
            }
        }
        let newer = match self.by_name.get(&name) {
            Some(known) => {
                debian_version::compare(self.version(*known), self.version(place)).is_lt()
            }
            None => true,
        };
        if newer {
            self.by_name.insert(name, place);
        }
    }

    /// The packages called `wanted` and all that they depend on, each once.
    ///
    /// Of alternatives the first that exists is taken, unless another is chosen already; a virtual
    /// package becomes the first that provides it. Versions are not compared: within one suite they
    /// fit (Debian policy 7 is the archive's own promise).
    pub(super) fn resolve(
        &self,
        suite: &str,
        wanted: &[String],
    ) -> Result<Vec<PinnedPackage>, NoPackage> {
        let mut chosen = BTreeMap::new();
        let mut given: HashSet<String> = HashSet::new();
        let mut waiting: Vec<String> = Vec::new();
        for name in wanted {
            let package = self
                .real_name(name)
                .ok_or_else(|| self.no_package(suite, name))?;
            waiting.push(package);
        }
        waiting.reverse();
        while let Some(name) = waiting.pop() {
            if chosen.contains_key(&name) {
                continue;
            }
            let Some(paragraph) = self.by_name.get(&name).map(|place| self.paragraph(*place))
            else {
                return Err(self.no_package(suite, &name));
            };
            given.extend(names(field(paragraph, "Provides").unwrap_or_default()));
            given.insert(name.clone());
            let mut next = Vec::new();
            for dependency in ["Pre-Depends", "Depends"] {
                let list = field(paragraph, dependency).unwrap_or_default();
                next.extend(list.split(',').filter_map(|one| self.choose(one, &given)));
            }
            waiting.extend(next.into_iter().rev());
            chosen.insert(name.clone(), self.pinned(&name));
        }
        chosen
            .into_iter()
            .map(|(name, pinned)| pinned.ok_or_else(|| self.no_package(suite, &name)))
            .collect()
    }

    /// The package that fulfils one dependency, or none when it is there or left out.
    fn choose(&self, alternatives: &str, given: &HashSet<String>) -> Option<String> {
        let options: Vec<String> = alternatives.split('|').map(bare_name).collect();
        let met = |name: &String| given.contains(name) || SKIPPED.contains(&name.as_str());
        if options.iter().any(met) {
            return None;
        }
        options.iter().find_map(|name| self.real_name(name))
    }

    fn real_name(&self, name: &str) -> Option<String> {
        if self.by_name.contains_key(name) {
            return Some(name.to_owned());
        }
        self.providers.get(name)?.iter().min().cloned()
    }

    fn no_package(&self, suite: &str, name: &str) -> NoPackage {
        let score = |known: &&String| strsim::jaro_winkler(name, known);
        let best = self
            .by_name
            .keys()
            .max_by(|a, b| score(a).total_cmp(&score(b)).then_with(|| b.cmp(a)));
        NoPackage {
            name: name.to_owned(),
            suite: suite.to_owned(),
            nearest: best.filter(|best| score(best) > 0.8).cloned(),
        }
    }

    fn pinned(&self, name: &str) -> Option<PinnedPackage> {
        let place = *self.by_name.get(name)?;
        let paragraph = self.paragraph(place);
        let of = |key| field(paragraph, key);
        Some(PinnedPackage {
            package: name.to_owned(),
            version: of("Version")?.to_owned(),
            architecture: of("Architecture")?.to_owned(),
            source: of("Source").map(str::to_owned),
            archive: self.lists[place.list].0,
            file: of("Filename")
                .filter(|file| model::snapshot::is_clean_path(file))?
                .to_owned(),
            sha256: format!("sha256:{}", of("SHA256")?).parse::<Digest>().ok()?,
            size_bytes: of("Size")?.parse().ok()?,
        })
    }

    fn version(&self, place: Place) -> &str {
        field(self.paragraph(place), "Version").unwrap_or_default()
    }

    fn paragraph(&self, place: Place) -> &str {
        &self.lists[place.list].1[place.start..place.end]
    }
}

/// `libc6 (>= 2.34), python3:any` without versions and architectures.
fn names(list: &str) -> Vec<String> {
    let all = list.split(',').map(bare_name);
    all.filter(|name| !name.is_empty()).collect()
}

fn bare_name(dependency: &str) -> String {
    let name = dependency.trim();
    let end = name.find([' ', '(', ':', '[', '\n']).unwrap_or(name.len());
    name[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(name: &str, version: &str, rest: &str) -> String {
        let sha256 = Digest::of(name.as_bytes()).hex();
        format!(
            "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{rest}Filename: \
             pool/{name}_{version}.deb\nSize: 7\nSHA256: {sha256}\n\n"
        )
    }

    fn index() -> Index {
        let mut index = Index::default();
        let main = [
            paragraph(
                "app",
                "1",
                "Depends: lib (>= 1), shell | other-shell,\n virtual, debconf\n",
            ),
            paragraph("lib", "1.0-1", "Pre-Depends: libc\n"),
            paragraph("libc", "2", ""),
            paragraph("other-shell", "1", ""),
            paragraph("really", "1", "Provides: virtual (= 1), more\n"),
            paragraph("evil", "1", "").replace("pool/evil_1.deb", "../../etc/passwd"),
        ];
        index.add(Archive::Main, main.concat());
        index.add(
            Archive::Security,
            paragraph("lib", "1.0-1+deb13u1", "Depends: libc\n"),
        );
        index
    }

    fn resolve(wanted: &[&str]) -> Result<Vec<PinnedPackage>, NoPackage> {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        index().resolve("trixie", &wanted)
    }

    #[test]
    fn dependencies_are_followed_with_alternatives_and_virtual_packages() {
        let chosen = resolve(&["app"]).expect("resolved");
        let names: Vec<_> = chosen
            .iter()
            .map(|pinned| pinned.package.as_str())
            .collect();
        assert_eq!(names, ["app", "lib", "libc", "other-shell", "really"]);
    }

    #[test]
    fn the_newest_version_of_all_archives_counts() {
        let chosen = resolve(&["lib"]).expect("resolved");
        assert_eq!(chosen[0].version, "1.0-1+deb13u1");
        assert_eq!(chosen[0].archive, Archive::Security);
    }

    #[test]
    fn a_package_that_does_not_exist_is_named_with_the_nearest_one() {
        let error = resolve(&["other-shel"]).expect_err("no such package");
        assert_eq!(error.nearest.as_deref(), Some("other-shell"));
        assert_eq!(resolve(&["zzzz"]).expect_err("none").nearest, None);
        assert!(resolve(&["evil"]).is_err(), "a file outside the archive");
    }
}
