//! What syft finds otherwise than we do, and why that is right.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// One package of syft's that is not ours, exactly.
pub struct Difference {
    /// The package, as syft names it.
    purl: String,
    /// Its version, as syft writes it.
    version: String,
    /// Where syft sees it.
    path: String,
    /// Why we do not say the same; none when nobody knows.
    pub reason: Option<&'static str>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            purl,
            version,
            path,
            reason,
        } = self;
        let reason = reason.unwrap_or("NO REASON");
        write!(f, "{purl} ({version}) in {path}: {reason}")
    }
}

/// A package of syft's, and what our inventory and the image say.
struct Case<'a> {
    kind: &'a str,
    name: &'a str,
    version: &'a str,
    purl: &'a str,
    path: &'a str,
    ours: &'a Ours,
    image: &'a Facts,
}

/// A difference that may be, and why.
struct Rule {
    reason: &'static str,
    fits: fn(&Case<'_>) -> bool,
}

/// Nothing else passes.
const RULES: [Rule; 8] = [
    Rule {
        reason: "a launcher for Windows that pip's distlib carries; no NuGet package is there",
        fits: |case| {
            let launcher = case.path.contains("/distlib/") && case.path.ends_with(".exe");
            case.kind == "dotnet" && launcher
        },
    },
    Rule {
        reason: "the same module: purls of Go are in small letters, and a major version is a part \
                 of its path, no path within it",
        fits: |case| case.kind == "go-module" && case.ours.has("go", case.name, Some(case.version)),
    },
    Rule {
        reason: "the same program: `(devel)` stands for no version",
        fits: |case| {
            let devel = case.version == "(devel)" || case.version.is_empty();
            case.kind == "go-module" && devel && case.ours.has("go", case.name, None)
        },
    },
    Rule {
        reason: "the same library: its version is 1.2.3, `go1.2.3` is the compiler's",
        fits: |case| {
            let number = case.version.strip_prefix("go");
            case.name == "stdlib"
                && number.is_some_and(|number| case.ours.has("go", case.name, Some(number)))
        },
    },
    Rule {
        reason: "the program of a Debian package, which both list",
        fits: |case| case.kind == "binary" && case.image.of_debian.contains(case.path),
    },
    Rule {
        reason: "the note of a library that a Debian package brought; it names the source package, \
                 which is no package of the image, and both list the package itself",
        fits: |case| {
            let source = (case.name.to_owned(), case.version.to_owned());
            let of_debian = case.image.of_debian.contains(case.path);
            case.kind == "deb" && of_debian && case.ours.sources.contains(&source)
        },
    },
    Rule {
        reason: "an app's own manifest: it is the image, not a package in it",
        fits: |case| {
            let modules = case.path.contains("/node_modules/");
            case.kind == "npm" && case.path.ends_with("/package.json") && !modules
        },
    },
    Rule {
        reason: "a manifest within a package, where Node finds no package",
        fits: |case| case.kind == "npm" && is_within_a_package(case.path),
    },
];

/// Whether a `package.json` lies deeper than `node_modules/name` and `node_modules/@scope/name`.
fn is_within_a_package(path: &str) -> bool {
    let Some((_, inside)) = path.rsplit_once("/node_modules/") else {
        return false;
    };
    let depth = if inside.starts_with('@') { 3 } else { 2 };
    inside.ends_with("/package.json") && inside.split('/').count() > depth
}

/// The packages of ours that are installed.
struct Ours {
    /// Versions by URL.
    by_purl: HashMap<String, Option<String>>,
    by_name: HashSet<(String, String, Option<String>)>,
    /// Names and versions of Debian's source packages.
    sources: HashSet<(String, String)>,
}

impl Ours {
    fn read(inventory: &Value) -> Result<Self> {
        let packages = inventory["packages"].as_array().context("no packages")?;
        let mut ours = Self {
            by_purl: HashMap::new(),
            by_name: HashSet::new(),
            sources: HashSet::new(),
        };
        for package in packages.iter().filter(|one| one["presence"] == "installed") {
            let text = |key: &str| package[key].as_str().map(str::to_owned);
            let (purl, version) = (text("purl").context("no URL")?, text("version"));
            let ecosystem = text("ecosystem").context("no ecosystem")?;
            let name = text("name").context("no name")?;
            let source = &package["source"];
            if let (Some(name), Some(version)) =
                (source["name"].as_str(), source["version"].as_str())
            {
                ours.sources.insert((name.to_owned(), version.to_owned()));
            }
            ours.by_purl.insert(purl, version.clone());
            ours.by_name.insert((ecosystem, name, version));
        }
        Ok(ours)
    }

    fn has(&self, ecosystem: &str, name: &str, version: Option<&str>) -> bool {
        let version = version.map(str::to_owned);
        self.by_name
            .contains(&(ecosystem.to_owned(), name.to_owned(), version))
    }
}

/// What the image's own files say.
struct Facts {
    /// Paths of files that Debian packages list.
    of_debian: HashSet<String>,
}

impl Facts {
    fn read(root: &Path) -> Result<Self> {
        let mut of_debian = HashSet::new();
        let folder = root.join("var/lib/dpkg/info");
        for entry in fs::read_dir(&folder).context("the base has no lists of files")? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "list") {
                let text = fs::read_to_string(path)?;
                of_debian.extend(text.lines().map(str::to_owned));
            }
        }
        Ok(Self { of_debian })
    }
}

/// Every package of syft's whose URL or version is not ours.
pub fn between(ours: &Value, theirs: &Value, root: &Path) -> Result<Vec<Difference>> {
    let (ours, image) = (Ours::read(ours)?, Facts::read(root)?);
    let artifacts = theirs["artifacts"]
        .as_array()
        .context("syft lists nothing")?;
    let mut differences = Vec::new();
    for artifact in artifacts {
        let text = |value: &'static str| artifact[value].as_str().unwrap_or_default();
        let (purl, version) = (text("purl"), text("version"));
        let same = ours.by_purl.get(purl);
        if same.is_some_and(|ours| ours.as_deref().unwrap_or_default() == version) {
            continue;
        }
        let case = Case {
            kind: text("type"),
            name: text("name"),
            version,
            purl,
            path: artifact["locations"][0]["path"]
                .as_str()
                .unwrap_or_default(),
            ours: &ours,
            image: &image,
        };
        let rule = RULES.iter().find(|rule| (rule.fits)(&case));
        differences.push(Difference {
            purl: case.purl.to_owned(),
            version: version.to_owned(),
            path: case.path.to_owned(),
            reason: rule.map(|rule| rule.reason),
        });
    }
    Ok(differences)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        let info = root.path().join("var/lib/dpkg/info");
        fs::create_dir_all(&info).expect("folders");
        fs::write(info.join("python3.list"), "/usr/bin/python3\n").expect("a list");
        root
    }

    fn compare(artifact: Value) -> Vec<Difference> {
        let ours = json!({"packages": [
            {"purl": "pkg:deb/debian/python3@3", "name": "python3", "version": "3", "ecosystem": "debian", "presence": "installed", "source": {"name": "python3-defaults", "version": "3.0"}},
            {"purl": "pkg:npm/a@1", "name": "a", "version": "1", "ecosystem": "npm", "presence": "installed"},
            {"purl": "pkg:npm/b@1", "name": "b", "version": "1", "ecosystem": "npm", "presence": "declared"},
            {"purl": "pkg:golang/x.org/y/v2@v2.0.0", "name": "X.org/y/v2", "version": "v2.0.0", "ecosystem": "go", "presence": "installed"}]});
        let theirs = json!({"artifacts": [artifact]});
        between(&ours, &theirs, root().path()).expect("compared")
    }

    fn artifact(kind: &str, name: &str, version: &str, purl: &str, path: &str) -> Value {
        json!({"type": kind, "name": name, "version": version, "purl": purl,
            "locations": [{"path": path}]})
    }

    #[test]
    fn what_is_equal_is_no_difference() {
        assert!(compare(artifact("npm", "a", "1", "pkg:npm/a@1", "/x")).is_empty());
    }

    #[test]
    fn only_what_a_rule_allows_has_a_reason() {
        let go = "pkg:golang/X.org/y@v2.0.0#v2";
        for (artifact, explained) in [
            (
                artifact("go-module", "X.org/y/v2", "v2.0.0", go, "/x"),
                true,
            ),
            (
                artifact("go-module", "X.org/y/v2", "v2.0.1", go, "/x"),
                false,
            ),
            (
                artifact(
                    "npm",
                    "a",
                    "2",
                    "pkg:npm/a@2",
                    "/node_modules/a/package.json",
                ),
                false,
            ),
            (
                artifact(
                    "npm",
                    "b",
                    "1",
                    "pkg:npm/b@1",
                    "/node_modules/b/package.json",
                ),
                false,
            ),
            (
                artifact(
                    "npm",
                    "c",
                    "1",
                    "pkg:npm/c@1",
                    "/node_modules/a/dist/package.json",
                ),
                true,
            ),
            (
                artifact(
                    "npm",
                    "c",
                    "1",
                    "pkg:npm/c@1",
                    "/node_modules/@s/a/package.json",
                ),
                false,
            ),
            (
                artifact("npm", "c", "1", "pkg:npm/c@1", "/app/package.json"),
                true,
            ),
            (
                artifact(
                    "binary",
                    "python",
                    "3",
                    "pkg:generic/python@3",
                    "/usr/bin/python3",
                ),
                true,
            ),
            (
                artifact(
                    "binary",
                    "python",
                    "3",
                    "pkg:generic/python@3",
                    "/opt/python3",
                ),
                false,
            ),
            (
                artifact(
                    "deb",
                    "python3-defaults",
                    "3.0",
                    "pkg:deb/python3-defaults@3.0",
                    "/usr/bin/python3",
                ),
                true,
            ),
            (
                artifact(
                    "deb",
                    "python3-defaults",
                    "3.1",
                    "pkg:deb/python3-defaults@3.1",
                    "/usr/bin/python3",
                ),
                false,
            ),
            (
                artifact(
                    "deb",
                    "python3-defaults",
                    "3.0",
                    "pkg:deb/python3-defaults@3.0",
                    "/opt/python3",
                ),
                false,
            ),
        ] {
            let differences = compare(artifact);
            assert_eq!(differences.len(), 1);
            assert_eq!(
                differences[0].reason.is_some(),
                explained,
                "{}",
                differences[0]
            );
        }
    }
}
