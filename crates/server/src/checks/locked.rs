//! The packages that lock files pin.

use serde_json::Value;

use super::declared::requirement_name;

/// A package at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pinned {
    /// Its package URL.
    pub(super) purl: String,
    /// From 1; 0 where it is not told.
    pub(super) line: u32,
}

/// Locks of other programs, which say what is pinned in ways that are not read here.
const UNREAD: [&str; 6] = [
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "Pipfile.lock",
    "pdm.lock",
];

/// Whether a file of that path pins packages in a way that is not read here.
pub(super) fn is_unread(path: &str) -> bool {
    UNREAD.contains(&name(path))
}

/// Whether a file of that path pins packages.
pub(super) fn pins(path: &str) -> bool {
    reader(path).is_some()
}

/// What a file pins.
pub(super) fn pinned(path: &str, text: &str) -> Vec<Pinned> {
    reader(path).map_or_else(Vec::new, |read| read(text))
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn reader(path: &str) -> Option<fn(&str) -> Vec<Pinned>> {
    match name(path) {
        "package-lock.json" | "npm-shrinkwrap.json" => Some(npm),
        "uv.lock" | "poetry.lock" => Some(python),
        name if name.starts_with("requirements") && name.ends_with(".txt") => Some(requirements),
        _ => None,
    }
}

/// package-lock.json of npm 7 and later; each key ends in the package's name.
fn npm(text: &str) -> Vec<Pinned> {
    let lock: Value = serde_json::from_str(text).unwrap_or_default();
    let packages = lock["packages"].as_object().into_iter().flatten();
    let pinned = packages.filter_map(|(key, package)| {
        let (_, installed) = key.rsplit_once("node_modules/")?;
        let name = package["name"].as_str().unwrap_or(installed);
        let version = package["version"].as_str()?;
        let name = name.replace('@', "%40");
        Some(Pinned {
            purl: format!("pkg:npm/{name}@{version}"),
            line: 0,
        })
    });
    pinned.collect()
}

fn python(text: &str) -> Vec<Pinned> {
    let lock = text.parse::<toml::Table>().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let pinned = packages.into_iter().flatten().filter_map(|package| {
        let (name, version) = (
            package.get("name")?.as_str()?,
            package.get("version")?.as_str()?,
        );
        Some(Pinned {
            purl: format!("pkg:pypi/{name}@{version}"),
            line: 0,
        })
    });
    pinned.collect()
}

fn requirements(text: &str) -> Vec<Pinned> {
    let pinned = text.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim();
        let name = requirement_name(line)?;
        let version = line.split_once("==")?.1.trim_start_matches('=');
        let version = version
            .split([';', ' ', ',', '#', '\\'])
            .find(|part| !part.is_empty())?;
        (!version.contains('*')).then(|| Pinned {
            purl: format!("pkg:pypi/{name}@{version}"),
            line: index as u32 + 1,
        })
    });
    pinned.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purls(path: &str, text: &str) -> Vec<String> {
        pinned(path, text).into_iter().map(|one| one.purl).collect()
    }

    #[test]
    fn each_kind_of_lock_is_read() {
        for (path, text, expected) in [
            (
                "web/package-lock.json",
                r#"{"packages": {"": {"version": "1.0.0"}, "node_modules/a": {"version": "1.2.3"},
                    "node_modules/a/node_modules/@b/c": {"version": "2.0.0"}}}"#,
                vec!["pkg:npm/a@1.2.3", "pkg:npm/%40b/c@2.0.0"],
            ),
            (
                "uv.lock",
                "[[package]]\nname = 'flask'\nversion = '3.0.0'\n[[package]]\nname = 'own'\n",
                vec!["pkg:pypi/flask@3.0.0"],
            ),
            (
                "requirements.txt",
                "flask[async]==2.0.1 ; x\njinja2>=3\npyyaml==6.*\n",
                vec!["pkg:pypi/flask@2.0.1"],
            ),
            ("package-lock.json", "{", vec![]),
        ] {
            assert_eq!(purls(path, text), expected, "{path}");
        }
    }
}
