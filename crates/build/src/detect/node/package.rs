//! package.json.

use std::collections::BTreeMap;

use model::failure::Failure;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::detect::bad_file::{Place, bad_file};
use crate::detect::folder::Folder;

/// What package.json says, as far as mayfly needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// `main`.
    pub(super) main: Option<String>,
    /// `scripts`.
    pub(super) scripts: BTreeMap<String, String>,
    /// `dependencies` and `optionalDependencies`.
    pub(super) dependencies: Vec<String>,
    /// `devDependencies`.
    pub(super) dev: Vec<String>,
    /// `engines.node`.
    pub(super) engine: Option<String>,
    /// `workspaces`: globs of folders.
    pub(super) workspaces: Vec<String>,
    /// The whole file.
    pub(super) json: Map<String, Value>,
}

/// The shape of the keys that mayfly reads; others may be anything.
#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    main: Option<Value>,
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
    #[serde(default, rename = "optionalDependencies")]
    optional: BTreeMap<String, String>,
    #[serde(default, rename = "devDependencies")]
    dev: BTreeMap<String, String>,
    #[serde(default)]
    engines: Option<Value>,
    #[serde(default)]
    workspaces: Option<Value>,
}

/// Reads the folder's package.json; `None` when there is none.
pub(super) fn read(folder: &Folder) -> Result<Option<Package>, Failure> {
    let Some(text) = folder.text("package.json") else {
        return Ok(None);
    };
    let broken = |cause: serde_json::Error| {
        let why = cause.to_string();
        let why = why.split(" at line ").next().unwrap_or(&why).to_owned();
        let place = Place {
            line: cause.line().max(1),
            column: cause.column().max(1),
        };
        let file = folder.name_of("package.json");
        bad_file(&file, place, &why, &hint(&file, &why))
    };
    let shape: Shape = serde_json::from_str(&text).map_err(broken)?;
    let json: Map<String, Value> = serde_json::from_str(&text).map_err(broken)?;
    let names = |map: BTreeMap<String, String>| map.into_keys().collect::<Vec<_>>();
    let mut dependencies = names(shape.dependencies);
    dependencies.extend(names(shape.optional));
    Ok(Some(Package {
        main: shape.main.and_then(|main| {
            main.as_str()
                .map(|path| path.trim_start_matches("./").to_owned())
        }),
        scripts: shape.scripts,
        dependencies,
        dev: names(shape.dev),
        engine: shape
            .engines
            .and_then(|engines| Some(engines.get("node")?.as_str()?.to_owned())),
        workspaces: shape.workspaces.map(globs).unwrap_or_default(),
        json,
    }))
}

/// A list, or an object with the list as its `packages`.
fn globs(workspaces: Value) -> Vec<String> {
    let list = match &workspaces {
        Value::Object(about) => about.get("packages").and_then(Value::as_array),
        other => other.as_array(),
    };
    let globs = list.into_iter().flatten().filter_map(Value::as_str);
    globs.map(str::to_owned).collect()
}

fn hint(file: &str, why: &str) -> String {
    if why.contains("trailing comma") {
        return format!("remove the comma before the closing bracket in {file}");
    }
    format!("mend {file}; `node -e 'require(\"./{file}\")'` shows the same place")
}

impl Package {
    /// `name`.
    pub(super) fn name(&self) -> Option<String> {
        Some(self.json.get("name")?.as_str()?.to_owned())
    }

    /// Whether `name` is among its packages, those for development included.
    pub(super) fn has(&self, name: &str) -> bool {
        let mut all = self.dependencies.iter().chain(&self.dev);
        all.any(|package| package == name)
    }

    /// The first of `names` that is among its packages.
    pub(super) fn has_any<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.has(name))
    }

    /// The file's text with `added` packages, at whatever version is newest.
    pub(super) fn with_added(&self, added: &[String]) -> String {
        let mut json = self.json.clone();
        let entry = json
            .entry("dependencies")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(dependencies) = entry {
            for package in added {
                dependencies.insert(package.clone(), Value::String("*".into()));
            }
        }
        serde_json::to_string_pretty(&json).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_package_json_names_its_place_and_a_remedy() {
        for (text, start) in [
            ("{\n  \"name\": \"x\",\n}", "package.json:3:"),
            ("{\n \"scripts\": [1]}", "package.json:2:"),
            ("", "package.json:1:"),
            ("[]", "package.json:1:"),
        ] {
            let folder = Folder::from_files([("package.json", text)]);
            let failure = read(&folder).expect_err("a broken file");
            assert!(failure.message.starts_with(start), "{failure} for {text:?}");
            assert!(failure.hint.is_some());
        }
    }

    #[test]
    fn added_packages_join_the_others() {
        let folder = Folder::from_files([("package.json", r#"{"dependencies":{"a":"^1"}}"#)]);
        let package = read(&folder).expect("a good file").expect("a file");
        let text = package.with_added(&["b".to_owned()]);
        assert!(text.contains(r#""a": "^1""#) && text.contains(r#""b": "*""#));
    }
}
