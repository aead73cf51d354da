//! The packages of a pylock.toml, as the gate is asked about them.

use std::collections::BTreeSet;

use model::inventory::{Ecosystem, Purl};
use ports::{Origin, Requested};
use toml::{Table, Value};

use crate::detect::canonical;
use crate::recipe::admission::{asked, without_credentials};
use crate::recipe::kit::Order;
use crate::recipe::{PythonPackages, PythonRecipe};

/// What an app's lock names. Direct are those that the app lists or that its code imports.
pub(super) fn of_app(order: &Order<'_>, recipe: &PythonRecipe, lock: &str) -> Vec<Requested> {
    let (listed, file) = listed(order, recipe);
    of_lock(lock, &|name| {
        let direct = listed.contains(name);
        let place = direct.then(|| asked(order, &file, Ecosystem::Pypi, name));
        (direct, place.flatten())
    })
}

/// What a package's build is made with.
pub(super) fn of_tools(lock: &str) -> Vec<Requested> {
    of_lock(lock, &|_| (false, None))
}

/// A package whose source archive is built.
pub(super) fn of_source(name: &str, version: &str) -> Requested {
    Requested {
        ecosystem: Ecosystem::Pypi,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: Purl::pypi(name, version),
        origin: Origin::Registry,
        direct: false,
        asked: None,
    }
}

/// Every package of a lock. `place` says whether the app asks for it itself, and where.
pub(super) fn of_lock(
    text: &str,
    place: &dyn Fn(&str) -> (bool, Option<ports::Asked>),
) -> Vec<Requested> {
    let lock: Table = toml::from_str(text).unwrap_or_default();
    let packages = lock.get("packages").and_then(Value::as_array);
    let requested = packages.into_iter().flatten().filter_map(|package| {
        let name = canonical(package.get("name")?.as_str()?);
        let version = package.get("version").and_then(Value::as_str);
        let (direct, asked) = place(&name);
        Some(Requested {
            origin: origin(package),
            direct,
            asked,
            ..of_source(&name, version.unwrap_or_default())
        })
    });
    requested.collect()
}

/// Source: PEP 751, `packages.vcs`, `packages.archive`, `packages.directory`.
fn origin(package: &Value) -> Origin {
    let of = |table: &str, key: &str| Some(package.get(table)?.get(key)?.as_str()?.to_owned());
    if let Some(url) = of("vcs", "url").or_else(|| of("vcs", "path")) {
        return Origin::Git {
            url: without_credentials(&url),
        };
    }
    if let Some(url) = of("archive", "url") {
        return Origin::Url {
            url: without_credentials(&url),
        };
    }
    let local = of("directory", "path").or_else(|| of("archive", "path"));
    local.map_or(Origin::Registry, |path| Origin::Folder { path })
}

/// The canonical names that the app itself asks for, and the file that has them.
fn listed(order: &Order<'_>, recipe: &PythonRecipe) -> (BTreeSet<String>, String) {
    let own = |file: &str| match recipe.folder.as_str() {
        "" => file.to_owned(),
        folder => format!("{folder}/{file}"),
    };
    match &recipe.packages {
        PythonPackages::None => (BTreeSet::new(), String::new()),
        PythonPackages::Listed { lines, file } => (names(lines), file.clone().unwrap_or_default()),
        PythonPackages::UvLock { added } => {
            let file = own("pyproject.toml");
            let text = std::fs::read_to_string(order.source.root.join(&file));
            let mut all = project_names(&text.unwrap_or_default());
            all.extend(names(added));
            (all, file)
        }
    }
}

fn names(lines: &[String]) -> BTreeSet<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name = |line: &String| {
        let end = line.find(|c| !fits(c)).unwrap_or(line.len());
        canonical(&line[..end])
    };
    lines.iter().map(name).collect()
}

fn project_names(text: &str) -> BTreeSet<String> {
    let table: Table = toml::from_str(text).unwrap_or_default();
    let project = table.get("project");
    let lines = project.and_then(|project| project.get("dependencies")?.as_array());
    let lines = lines.into_iter().flatten().filter_map(Value::as_str);
    names(&lines.map(str::to_owned).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_tells_where_each_package_comes_from() {
        let lock = r#"
            lock-version = "1.0"
            [[packages]]
            name = "Flask"
            version = "3.0.0"
            wheels = [{ url = "https://files.example/flask.whl" }]
            [[packages]]
            name = "tool"
            vcs = { type = "git", url = "https://me:secret@git.example/tool.git", commit-id = "abc" }
            [[packages]]
            name = "other"
            version = "1"
            archive = { url = "https://x.example/other.zip" }
            [[packages]]
            name = "own"
            directory = { path = "./own" }
        "#;
        let place = |name: &str| (name == "flask", None);
        let seen: Vec<(String, bool, String)> = of_lock(lock, &place)
            .into_iter()
            .map(|it| (it.purl.to_string(), it.direct, it.origin.to_string()))
            .collect();
        let expected = [
            ("pkg:pypi/flask@3.0.0", true, "the registry"),
            ("pkg:pypi/tool", false, "https://git.example/tool.git"),
            ("pkg:pypi/other@1", false, "https://x.example/other.zip"),
            ("pkg:pypi/own", false, "./own"),
        ];
        let expected: Vec<(String, bool, String)> = expected
            .map(|(purl, direct, origin)| (purl.to_owned(), direct, origin.to_owned()))
            .into();
        assert_eq!(seen, expected);
    }
}
