//! Node packages that are installed: what `require` would find.

mod manifest;

pub(crate) use manifest::{Manifest, is_name, manifest};

use std::collections::{BTreeMap, HashMap};

use crate::draft::Draft;
use crate::problem::{ProblemKind, Problems};
use crate::text::{is_version, shown};
use crate::tree::Links;
use model::inventory::Purl;
use model::inventory::{Ecosystem, Package};

/// What the walk found about Node packages.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    /// By the folder of the package.
    pub(crate) found: BTreeMap<String, Manifest>,
}

/// The folder of a package whose manifest lies at `path`, when it is one that Node can find:
/// `…/node_modules/name/package.json` or `…/node_modules/@scope/name/package.json`.
pub(crate) fn package_folder(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/package.json")?;
    let (above, name) = folder.rsplit_once('/')?;
    let (top, scope) = above.rsplit_once('/').unwrap_or(("", above));
    let modules = match scope.starts_with('@') {
        true => top.rsplit('/').next()?,
        false => scope,
    };
    (modules == MODULES && !name.starts_with(['.', '@'])).then_some(folder)
}

pub(crate) const MODULES: &str = "node_modules";

impl Modules {
    /// Adds the packages and the edges between them, as Node resolves names.
    pub(crate) fn settle(
        self,
        draft: &mut Draft,
        links: &Links,
        problems: &mut Problems,
    ) -> Owners {
        let mut purls: HashMap<&str, Purl> = HashMap::new();
        for (folder, manifest) in &self.found {
            let file = format!("{folder}/package.json");
            let name = &manifest.name;
            if !is_name(name) || !is_version(&manifest.version) {
                let what = format!(
                    "`{}` `{}` is no package",
                    shown(name),
                    shown(&manifest.version)
                );
                problems.add(&file, ProblemKind::BadName, what);
                continue;
            }
            let purl = Purl::npm(name, &manifest.version);
            draft.add(package(manifest, purl.clone(), file));
            purls.insert(folder, purl);
        }
        for (folder, purl) in &purls {
            for name in &self.found[*folder].needs {
                let found = resolve(folder, name, &purls, links);
                if let Some(needed) = found {
                    draft.link(purl, needed);
                }
            }
        }
        let owners = purls.iter();
        Owners(
            owners
                .map(|(folder, purl)| ((*folder).to_owned(), purl.clone()))
                .collect(),
        )
    }
}

fn package(manifest: &Manifest, purl: Purl, file: String) -> Package {
    Package {
        licence: manifest.licence.clone(),
        maintainer: manifest.author.clone(),
        homepage: manifest.homepage.clone(),
        found_in: vec![file],
        ..Package::new(
            purl,
            Ecosystem::Npm,
            manifest.name.as_str(),
            manifest.version.clone(),
        )
    }
}

/// Looks for `name` beside the package, and beside each folder above it.
///
/// Source: Node, "Modules: loading from node_modules folders".
fn resolve<'a>(
    folder: &str,
    name: &str,
    purls: &'a HashMap<&str, Purl>,
    links: &Links,
) -> Option<&'a Purl> {
    let mut above = Some(folder);
    while let Some(from) = above {
        let parent = from.rsplit_once('/').map(|(parent, _)| parent);
        let inside_modules = from.rsplit('/').next() == Some(MODULES);
        if !inside_modules {
            let candidate = match from {
                "" => format!("{MODULES}/{name}"),
                from => format!("{from}/{MODULES}/{name}"),
            };
            if let Some(found) = links
                .real(&candidate)
                .and_then(|real| purls.get(real.as_str()))
            {
                return Some(found);
            }
        }
        above = match (parent, from) {
            (Some(parent), _) => Some(parent),
            (None, "") => None,
            (None, _) => Some(""),
        };
    }
    None
}

/// The package that each folder of `node_modules` belongs to.
#[derive(Debug, Default)]
pub(crate) struct Owners(HashMap<String, Purl>);

impl Owners {
    /// The package that a file is part of.
    pub(crate) fn of(&self, file: &str) -> Option<&Purl> {
        let mut above = file.rsplit_once('/');
        while let Some((folder, _)) = above {
            if let Some(owner) = self.0.get(folder) {
                return Some(owner);
            }
            above = folder.rsplit_once('/');
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(all: &[(&str, &str, &[&str])]) -> Modules {
        let mut modules = Modules::default();
        for (folder, name_version, needs) in all {
            let (name, version) = name_version.rsplit_once('@').expect("a version");
            let needs = needs
                .iter()
                .map(|need| format!("\"{need}\": \"*\""))
                .collect::<Vec<_>>();
            let text = format!(
                "{{\"name\": \"{name}\", \"version\": \"{version}\", \"dependencies\": {{{}}}}}",
                needs.join(",")
            );
            let manifest = manifest(text.as_bytes()).expect("a manifest");
            modules
                .found
                .insert((*folder).to_owned(), manifest.expect("a package"));
        }
        modules
    }

    fn edges(modules: Modules, links: &Links) -> Vec<String> {
        let (mut draft, mut problems) = (Draft::default(), Problems::default());
        modules.settle(&mut draft, links, &mut problems);
        let inventory = draft.settle(problems);
        let all = inventory.packages().iter().flat_map(|one| {
            let strip = |purl: &Purl| purl.as_str().trim_start_matches("pkg:npm/").to_owned();
            one.depends_on
                .iter()
                .map(move |to| format!("{} -> {}", strip(&one.purl), strip(to)))
        });
        all.collect()
    }

    #[test]
    fn names_resolve_to_the_nearest_folder_above() {
        let modules = modules(&[
            ("app/node_modules/a", "a@1", &["b", "@s/c", "missing"]),
            ("app/node_modules/a/node_modules/b", "b@2", &["@s/c"]),
            ("app/node_modules/b", "b@1", &[]),
            ("app/node_modules/@s/c", "@s/c@1", &["b"]),
            ("other/node_modules/missing", "missing@1", &["b"]),
        ]);
        assert_eq!(
            edges(modules, &Links::default()),
            [
                "%40s/c@1 -> b@1",
                "a@1 -> %40s/c@1",
                "a@1 -> b@2",
                "b@2 -> %40s/c@1"
            ]
        );
    }

    #[test]
    fn links_of_isolated_installers_are_followed_even_in_circles() {
        let modules = modules(&[
            (
                "node_modules/.pnpm/a@1/node_modules/a",
                "a@1",
                &["b", "loop"],
            ),
            ("node_modules/.pnpm/b@1/node_modules/b", "b@1", &["a"]),
        ]);
        let mut links = Links::default();
        links.add(
            "node_modules/.pnpm/a@1/node_modules/b",
            "../../b@1/node_modules/b",
        );
        links.add(
            "node_modules/.pnpm/b@1/node_modules/a",
            "../../a@1/node_modules/a",
        );
        links.add("node_modules/.pnpm/a@1/node_modules/loop", "loop");
        assert_eq!(edges(modules, &links), ["a@1 -> b@1", "b@1 -> a@1"]);
    }

    #[test]
    fn only_what_node_can_find_is_installed() {
        for (path, folder) in [
            ("node_modules/a/package.json", Some("node_modules/a")),
            (
                "x/node_modules/@s/a/package.json",
                Some("x/node_modules/@s/a"),
            ),
            ("x/node_modules/a/dist/package.json", None),
            ("x/node_modules/package.json", None),
            ("x/node_modules/@s/package.json", None),
            ("x/node_modules/.bin/package.json", None),
            ("package.json", None),
            ("x/y/package.json", None),
        ] {
            assert_eq!(package_folder(path), folder, "{path}");
        }
    }
}
