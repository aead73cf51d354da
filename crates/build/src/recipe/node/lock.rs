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

/// The package.json that packages are installed by: what decides about them alone, so that an edit
/// of a script installs nothing anew.
pub(super) fn manifest_of(packages: &NodePackages) -> String {
    let whole: Map<String, Value> = serde_json::from_str(&packages.manifest).unwrap_or_default();
    let mut part = Map::new();
    part.insert("name".into(), Value::String("app".into()));
    part.insert("private".into(), Value::Bool(true));
    for key in DECISIVE {
        if let Some(value) = whole.get(key) {
            part.insert(key.into(), value.clone());
        }
    }
    serde_json::to_string_pretty(&part).unwrap_or_default()
}

/// The identity of what an app asks for.
pub(super) fn input_of(manifest: &str, lock: Option<&[u8]>) -> Digest {
    let lock = Digest::of(lock.unwrap_or_default());
    Digest::of(format!("{manifest}\n{lock}").as_bytes())
}

#[cfg(test)]
mod tests {
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
        };
        let input = |scripts| input_of(&manifest_of(&packages(scripts)), None);
        assert_eq!(input("node a"), input("node b"));
    }
}
