//! Lock files: what an app asks for, whether it is there or not.

mod bun;
mod npm;
mod pnpm;
mod requirements;
mod uv;
mod yarn;

use crate::problem::{ProblemKind, Problems};
use crate::python::Requirement;
use crate::text::{is_version, shown};
use model::inventory::Purl;
use model::inventory::{Ecosystem, Package, Presence};

/// A kind of lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockKind {
    Npm,
    Pnpm,
    Yarn,
    Bun,
    Uv,
    Requirements,
}

/// What a lock file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) ecosystem: Ecosystem,
    pub(crate) name: String,
    pub(crate) version: String,
}

impl Named {
    fn npm(name: &str, version: &str) -> Self {
        Self {
            ecosystem: Ecosystem::Npm,
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }

    fn pypi(name: &str, version: &str) -> Self {
        Self {
            ecosystem: Ecosystem::Pypi,
            name: name.to_owned(),
            version: version.to_owned(),
        }
    }
}

/// A lock file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lock {
    pub(crate) named: Vec<Named>,
    /// Requirements with their extras, of files that have them.
    pub(crate) asked: Vec<Requirement>,
}

impl LockKind {
    /// The kind of a file of that name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "package-lock.json" | "npm-shrinkwrap.json" => Some(Self::Npm),
            "pnpm-lock.yaml" => Some(Self::Pnpm),
            "yarn.lock" => Some(Self::Yarn),
            "bun.lock" => Some(Self::Bun),
            "uv.lock" | "pylock.toml" | "poetry.lock" => Some(Self::Uv),
            _ => {
                let text = name.strip_suffix(".txt")?;
                let named = text == "requirements"
                    || text.starts_with("requirements-")
                    || text.ends_with("-requirements");
                named.then_some(Self::Requirements)
            }
        }
    }

    /// Reads a lock file. The error is what is wrong with it.
    pub(crate) fn read(self, text: &str) -> Result<Lock, String> {
        let named = match self {
            Self::Npm => npm::read(text)?,
            Self::Pnpm => pnpm::read(text),
            Self::Yarn => yarn::read(text),
            Self::Bun => bun::read(text)?,
            Self::Uv => uv::read(text)?,
            Self::Requirements => return Ok(requirements::read(text)),
        };
        Ok(Lock {
            named,
            asked: Vec::new(),
        })
    }
}

/// The packages that a lock file names, as declared ones.
pub(crate) fn packages(
    path: &str,
    named: Vec<Named>,
    most: usize,
    problems: &mut Problems,
) -> Vec<Package> {
    if named.len() > most {
        problems.add(
            path,
            ProblemKind::TooMany,
            format!("it names more than {most} packages"),
        );
    }
    let mut packages = Vec::new();
    for one in named.into_iter().take(most) {
        let purl = match one.ecosystem {
            Ecosystem::Npm if crate::node::is_name(&one.name) => Purl::npm(&one.name, &one.version),
            Ecosystem::Pypi if is_python_name(&one.name) => Purl::pypi(&one.name, &one.version),
            _ => {
                let what = format!("`{}` is no package's name", shown(&one.name));
                problems.add(path, ProblemKind::BadName, what);
                continue;
            }
        };
        // A folder, a URL or a repository stands where a version would.
        if !is_version(&one.version) {
            continue;
        }
        packages.push(Package {
            presence: Presence::Declared,
            declared_in: vec![path.to_owned()],
            ..Package::new(purl, one.ecosystem, one.name, one.version)
        });
    }
    packages
}

fn is_python_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty() && name.len() <= 200 && name.bytes().all(fits)
}

/// `name@version` of a registry, `@scope/name` included; none for folders, URLs and repositories.
fn at_version(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    let (name, version) = (&text[..at], &text[at + 1..]);
    let version = version.strip_prefix("npm:").unwrap_or(version);
    let number = version.starts_with(|c: char| c.is_ascii_digit());
    (number && is_version(version)).then_some((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: LockKind, text: &str) -> Vec<String> {
        let mut named: Vec<String> = kind
            .read(text)
            .expect("a lock")
            .named
            .into_iter()
            .map(|one| format!("{}@{}", one.name, one.version))
            .collect();
        named.sort();
        named
    }

    #[test]
    fn every_kind_of_lock_names_its_packages() {
        let npm = r#"{"lockfileVersion": 3, "packages": {
            "": {"name": "app", "version": "1.0.0"},
            "node_modules/a": {"version": "1.0.0"},
            "node_modules/a/node_modules/@s/b": {"version": "2.0.0", "dev": true},
            "node_modules/alias": {"name": "real", "version": "3.0.0"},
            "node_modules/workspace": {"link": true, "resolved": "w"},
            "w": {"version": "9.0.0"}}}"#;
        let npm1 = r#"{"lockfileVersion": 1, "dependencies": {
            "a": {"version": "1.0.0", "dependencies": {"@s/b": {"version": "2.0.0"}}},
            "alias": {"version": "npm:real@3.0.0"}, "git": {"version": "git+ssh://x"}}}"#;
        let pnpm = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1\n        version: 1.0.0\n\npackages:\n\n  '@s/b@2.0.0':\n    resolution: {integrity: x}\n\n  a@1.0.0:\n    resolution: {integrity: x}\n    engines: {node: '>=1'}\n\n  real@3.0.0:\n    resolution: {integrity: x}\n\nsnapshots:\n\n  '@s/b@2.0.0': {}\n\n  x@4.0.0(a@1.0.0): {}\n";
        let pnpm6 = "lockfileVersion: '6.0'\n\npackages:\n\n  /@s/b@2.0.0:\n    dev: true\n\n  /a@1.0.0(react@18.0.0):\n    dev: false\n\n  /real@3.0.0:\n    dev: false\n";
        let yarn1 = "# yarn lockfile v1\n\n\"@s/b@^2\", \"@s/b@~2.0\":\n  version \"2.0.0\"\n  resolved \"x\"\n\na@^1:\n  version \"1.0.0\"\n  dependencies:\n    version \"9\"\n\n\"alias@npm:real@^3\":\n  version \"3.0.0\"\n";
        let yarn4 = "__metadata:\n  version: 8\n\n\"@s/b@npm:^2\":\n  version: 2.0.0\n  resolution: \"@s/b@npm:2.0.0\"\n\n\"a@npm:^1\":\n  version: 1.0.0\n  resolution: \"a@npm:1.0.0\"\n\n\"alias@npm:real@^3\":\n  version: 3.0.0\n  resolution: \"real@npm:3.0.0\"\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n";
        let bun = "// a head\n{\n  \"lockfileVersion\": 1,\n  \"packages\": {\n    \"a\": [\"a@1.0.0\", \"\", {\"dependencies\": {}}, \"sha512-x\"],\n    \"a/@s/b\": [\"@s/b@2.0.0\", \"\", {}, \"sha512-//x,]\"],\n    \"alias\": [\"real@3.0.0\", \"\", {}, \"x\"],\n    \"w\": [\"w@workspace:packages/w\"],\n  },\n}\n";
        for (kind, text) in [
            (LockKind::Npm, npm),
            (LockKind::Npm, npm1),
            (LockKind::Pnpm, pnpm),
            (LockKind::Pnpm, pnpm6),
            (LockKind::Yarn, yarn1),
            (LockKind::Yarn, yarn4),
            (LockKind::Bun, bun),
        ] {
            assert_eq!(
                read(kind, text),
                ["@s/b@2.0.0", "a@1.0.0", "real@3.0.0"],
                "{text}"
            );
        }
        let uv = "version = 1\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n[[package]]\nname = \"flask\"\nversion = \"3.0.0\"\nsource = { registry = \"https://x\" }\n";
        assert_eq!(read(LockKind::Uv, uv), ["flask@3.0.0"]);
        let pylock =
            "lock-version = \"1.0\"\n[[packages]]\nname = \"flask\"\nversion = \"3.0.0\"\n";
        assert_eq!(read(LockKind::Uv, pylock), ["flask@3.0.0"]);
    }

    #[test]
    fn requirements_with_exact_versions_are_declared_and_extras_are_kept() {
        let text = "# a comment\nflask==3.0.0 \\\n    --hash=sha256:x\nuvicorn[standard]>=0.1 # why\n-r other.txt\nwin==1; sys_platform == 'win32'\ngit+https://x\n";
        assert_eq!(read(LockKind::Requirements, text), ["flask@3.0.0"]);
        let lock = LockKind::Requirements.read(text).expect("read");
        assert!(lock.asked.iter().any(|one| one.extras == ["standard"]));
    }

    #[test]
    fn damage_is_told_and_odd_names_are_no_packages() {
        for kind in [LockKind::Npm, LockKind::Bun] {
            assert!(kind.read("{").is_err());
            assert!(kind.read(&"[".repeat(100_000)).is_err());
        }
        assert!(LockKind::Uv.read("[[package").is_err());
        let mut problems = Problems::default();
        let named = vec![Named::npm("a\u{1b}b", "1"), Named::npm("a", "file:../x y")];
        assert_eq!(packages("lock", named, 10, &mut problems), []);
        assert_eq!(problems.into_sorted().len(), 1);
    }
}
