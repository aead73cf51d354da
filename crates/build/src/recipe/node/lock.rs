//! The lock that is kept for a Node app: the text of a bun.lock, headed by what it was made from.

use std::sync::LazyLock;

use model::Digest;
use regex::Regex;
use serde_json::{Map, Value};

use crate::recipe::NodePackages;

/// The name of the pin.
pub(super) const PIN: &str = "node.lock";
const HEAD: &str = "// mayfly: ";

/// Versions and hashes of all packages of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// Of what was asked for.
    pub(super) input: Digest,
    /// The bun.lock.
    pub(super) text: String,
}

/// One package that a lock names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Locked {
    /// Where it lies: `bindings`, or `a/b` for the `b` that only `a` sees.
    pub(super) place: String,
    /// Its version, after its name: `better-sqlite3@12.11.1`.
    pub(super) version: String,
    /// The hash of its archive; empty for what comes from no registry.
    pub(super) integrity: String,
    /// Whether it has a script that wants to run when it is installed.
    pub(super) has_script: bool,
    /// Names of packages that it depends on.
    pub(super) dependencies: Vec<String>,
}

static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^    "([^"]+)": \["([^"]+)",.*?(?:, "(sha512-[^"]+)")?\],?$"#)
        .expect("a fixed pattern")
});
static DEPENDENCIES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""dependencies": \{([^}]*)\}"#).expect("a fixed pattern"));

impl Lock {
    /// Reads a pin; `None` when it is none.
    pub(super) fn from_pin(pin: &[u8]) -> Option<Self> {
        let pin = std::str::from_utf8(pin).ok()?;
        let (input, text) = pin.strip_prefix(HEAD)?.split_once('\n')?;
        Some(Self {
            input: input.parse().ok()?,
            text: text.to_owned(),
        })
    }

    /// Writes it as a pin.
    pub(super) fn to_pin(&self) -> Vec<u8> {
        format!("{HEAD}{}\n{}", self.input, self.text).into_bytes()
    }

    /// All packages that it names.
    pub(super) fn packages(&self) -> Vec<Locked> {
        let start = self
            .text
            .find("\n  \"packages\"")
            .unwrap_or(self.text.len());
        let entries = ENTRY.captures_iter(&self.text[start..]);
        let entries = entries.map(|entry| Locked {
            place: entry[1].to_owned(),
            version: entry[2].to_owned(),
            integrity: entry.get(3).map_or("", |m| m.as_str()).to_owned(),
            has_script: entry[0].contains("\"hasInstallScript\": true"),
            dependencies: dependencies(&entry[0]),
        });
        entries.collect()
    }
}

fn dependencies(entry: &str) -> Vec<String> {
    let Some(found) = DEPENDENCIES.captures(entry) else {
        return vec![];
    };
    let pairs = found[1]
        .split(", \"")
        .map(|pair| pair.trim_matches([' ', '"']));
    let names = pairs.filter_map(|pair| pair.split_once('"').map(|(name, _)| name.to_owned()));
    names.collect()
}

impl Locked {
    /// Its name alone.
    pub(super) fn name(&self) -> &str {
        let at = self.version.rfind('@').filter(|at| *at > 0);
        at.map_or(&self.version, |at| &self.version[..at])
    }
}

/// Keys of package.json that decide what is installed.
const DECISIVE: [&str; 7] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "overrides",
    "resolutions",
    "engines",
];

/// The files that packages are installed by, with their paths: each package.json with what decides
/// about packages alone, so that an edit of a script installs nothing anew.
pub(super) fn manifests_of(packages: &NodePackages) -> Vec<(String, String)> {
    let mut root = part_of(&packages.manifest, packages);
    root.insert("name".into(), Value::String("app".into()));
    root.insert("private".into(), Value::Bool(true));
    if !packages.members.is_empty() {
        let members = packages.members.keys().cloned().map(Value::String);
        root.insert("workspaces".into(), Value::Array(members.collect()));
    }
    let text = |part: &Map<String, Value>| serde_json::to_string_pretty(part).unwrap_or_default();
    let mut manifests = vec![("package.json".to_owned(), text(&root))];
    for (path, manifest) in &packages.members {
        let mut member = part_of(manifest, packages);
        let whole: Map<String, Value> = serde_json::from_str(manifest).unwrap_or_default();
        for key in ["name", "version"] {
            member.extend(whole.get(key).map(|value| (key.to_owned(), value.clone())));
        }
        manifests.push((format!("{path}/package.json"), text(&member)));
    }
    manifests
}

/// What decides about packages. Those for development that run-time code imports are listed with
/// the others, which stay when the build is done.
fn part_of(manifest: &str, packages: &NodePackages) -> Map<String, Value> {
    let whole: Map<String, Value> = serde_json::from_str(manifest).unwrap_or_default();
    let mut part = Map::new();
    for key in DECISIVE {
        if let Some(value) = whole.get(key) {
            part.insert(key.into(), value.clone());
        }
    }
    let Some(Value::Object(dev)) = part.get_mut("devDependencies") else {
        return part;
    };
    let mut moved = Map::new();
    for name in &packages.at_run_time {
        moved.extend(dev.remove(name).map(|version| (name.clone(), version)));
    }
    let listed = part
        .entry("dependencies")
        .or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(listed) = listed {
        for (name, version) in moved {
            listed.entry(name).or_insert(version);
        }
    }
    part
}

/// Whether there are packages that only development needs, so far as the files tell.
pub(super) fn has_development(manifests: &[(String, String)]) -> bool {
    manifests.iter().any(|(_, text)| {
        let manifest: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let dev = manifest.get("devDependencies").and_then(Value::as_object);
        dev.is_some_and(|dev| !dev.is_empty())
    })
}

/// The identity of what an app asks for.
pub(super) fn input_of(manifests: &[(String, String)], lock: Option<&[u8]>) -> Digest {
    let lock = Digest::of(lock.unwrap_or_default());
    let all = match manifests {
        [(_, only)] => only.clone(),
        all => serde_json::to_string(all).unwrap_or_default(),
    };
    Digest::of(format!("{all}\n{lock}").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const TEXT: &str = r#"{
  "lockfileVersion": 2,
  "workspaces": {
    "": {
      "name": "app",
    },
  },
  "packages": {
    "better-sqlite3": ["better-sqlite3@12.11.1", "", { "dependencies": { "bindings": "^1.5.0", "prebuild-install": "^7.1.1" }, "hasInstallScript": true }, "sha512-AA=="],

    "bindings": ["bindings@1.5.0", "", { "dependencies": { "file-uri-to-path": "1.0.0" } }, "sha512-BB=="],

    "express/ms": ["ms@2.0.0", "", {}, "sha512-CC=="],

    "@a/b": ["@a/b@git+ssh://x", {}, "deadbeef"],
  }
}
"#;

    #[test]
    fn a_lock_reads_back_and_names_its_packages() {
        let lock = Lock {
            input: Digest::of(b"x"),
            text: TEXT.into(),
        };
        assert_eq!(Lock::from_pin(&lock.to_pin()), Some(lock.clone()));
        let packages = lock.packages();
        let seen: Vec<_> = packages
            .iter()
            .map(|p| {
                (
                    p.place.as_str(),
                    p.name(),
                    p.integrity.as_str(),
                    p.has_script,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("better-sqlite3", "better-sqlite3", "sha512-AA==", true),
                ("bindings", "bindings", "sha512-BB==", false),
                ("express/ms", "ms", "sha512-CC==", false),
                ("@a/b", "@a/b", "", false),
            ]
        );
        assert_eq!(packages[0].dependencies, ["bindings", "prebuild-install"]);
    }

    #[test]
    fn an_edit_of_a_script_installs_nothing_anew() {
        let packages = |scripts: &str| NodePackages {
            manifest: format!(
                r#"{{"scripts":{{"start":"{scripts}"}},"dependencies":{{"a":"1"}}}}"#
            ),
            lock: None,
            root: String::new(),
            members: BTreeMap::new(),
            at_run_time: vec![],
        };
        let input = |scripts| input_of(&manifests_of(&packages(scripts)), None);
        assert_eq!(input("node a"), input("node b"));
    }

    #[test]
    fn workspaces_are_installed_by_their_own_names() {
        let packages = NodePackages {
            manifest: r#"{"name":"all","workspaces":["packages/*"]}"#.into(),
            lock: None,
            root: String::new(),
            members: [(
                "packages/a".to_owned(),
                r#"{"name":"@x/a","version":"1.2.0","main":"a.js"}"#.to_owned(),
            )]
            .into(),
            at_run_time: vec![],
        };
        let manifests = manifests_of(&packages);
        let of = |at: usize| serde_json::from_str::<Value>(&manifests[at].1).expect("JSON");
        assert_eq!(of(0)["workspaces"], serde_json::json!(["packages/a"]));
        assert_eq!(manifests[1].0, "packages/a/package.json");
        assert_eq!(of(1), serde_json::json!({"name":"@x/a","version":"1.2.0"}));
    }

    #[test]
    fn what_run_time_code_imports_is_no_development_package() {
        let packages = |imports: &[&str]| NodePackages {
            manifest: r#"{"dependencies":{"a":"1"},"devDependencies":{"b":"2","@types/b":"2"}}"#
                .into(),
            lock: None,
            root: String::new(),
            members: BTreeMap::new(),
            at_run_time: imports.iter().map(|name| (*name).to_owned()).collect(),
        };
        let manifests = manifests_of(&packages(&["a", "b"]));
        let root: Value = serde_json::from_str(&manifests[0].1).expect("JSON");
        assert_eq!(root["dependencies"], serde_json::json!({"a":"1","b":"2"}));
        assert_eq!(root["devDependencies"], serde_json::json!({"@types/b":"2"}));
        assert!(has_development(&manifests));
        let all = manifests_of(&packages(&["b", "@types/b"]));
        assert!(!has_development(&all));
    }
}
