//! How a source archive says that it is built (PEP 518).

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use toml::{Table, Value};

/// No list of build tools is longer.
const LIMIT: u64 = 1 << 20;
/// Tools that need a compiler that there is no base with.
const RUST: [&str; 2] = ["maturin", "setuptools-rust"];

/// What builds a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BuildSystem {
    /// Requirements (PEP 508), each on a line of its own, sorted.
    pub(super) requires: Vec<String>,
    /// The object that builds: `module:attribute`.
    pub(super) backend: String,
    /// Folders of the source that the backend lies in.
    pub(super) backend_path: Vec<String>,
}

impl BuildSystem {
    /// Reads pyproject.toml in the unpacked source; fails with the reason why there is no way.
    pub(super) fn read(folder: &Path) -> Result<Self, String> {
        match text_of(&folder.join("pyproject.toml")) {
            Some(text) => Self::parse(&text),
            None => Ok(Self::before_pep_518()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table =
            toml::from_str(text).map_err(|_| "its pyproject.toml cannot be read".to_owned())?;
        let Some(system) = table.get("build-system").and_then(Value::as_table) else {
            return Ok(Self::before_pep_518());
        };
        let list = |key: &str| {
            let values = system.get(key).and_then(Value::as_array);
            let texts = values.into_iter().flatten().filter_map(Value::as_str);
            texts.map(str::to_owned).collect::<Vec<_>>()
        };
        let requires = checked(list("requires"))?;
        let backend = system.get("build-backend").and_then(Value::as_str);
        Ok(Self {
            requires,
            backend: backend.map_or_else(|| Self::before_pep_518().backend, str::to_owned),
            backend_path: list("backend-path"),
        })
    }

    /// What held before packages could say it, and still holds for those that do not.
    fn before_pep_518() -> Self {
        Self {
            requires: vec!["setuptools".into(), "wheel".into()],
            backend: "setuptools.build_meta:__legacy__".into(),
            backend_path: vec![],
        }
    }
}

/// Requirements that are lines of their own and come from a registry; sorted.
pub(super) fn checked(mut requires: Vec<String>) -> Result<Vec<String>, String> {
    for line in &requires {
        let begins = line.trim_start().chars().next();
        let is_name = begins.is_some_and(|letter| letter.is_ascii_alphanumeric());
        if !is_name || line.contains(['\n', '\r', '@', '\\']) || line.contains("://") {
            return Err(format!(
                "it is built with `{}`, which is in no registry",
                line.escape_debug()
            ));
        }
        let named = |tool: &&&str| {
            let rest = line.trim_start().strip_prefix(**tool);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        };
        if RUST.iter().find(named).is_some() {
            return Err("it is written in Rust, and there is no Rust compiler here".to_owned());
        }
    }
    requires.sort();
    requires.dedup();
    Ok(requires)
}

/// The text of a file of the source: not of what a link in it points to.
fn text_of(path: &Path) -> Option<String> {
    let flags = (rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits() as i32;
    let file = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_says_nothing_is_built_by_setuptools() {
        for text in ["", "[tool.black]\n"] {
            let system = BuildSystem::parse(text).expect("a way");
            assert_eq!(system, BuildSystem::before_pep_518());
        }
    }

    #[test]
    fn a_package_says_what_builds_it() {
        let text = "[build-system]\nrequires = ['hatchling>=1', 'cython']\nbuild-backend = 'b:c'\nbackend-path = ['.']\n";
        let system = BuildSystem::parse(text).expect("a way");
        assert_eq!(system.requires, ["cython", "hatchling>=1"]);
        assert_eq!(system.backend, "b:c");
        assert_eq!(system.backend_path, ["."]);
    }

    #[test]
    fn tools_come_from_a_registry_only() {
        for (line, fine) in [
            ("setuptools>=61", true),
            ("setuptools; python_version < '4'", true),
            ("-r /etc/passwd", false),
            ("a @ https://a.example/a.whl", false),
            ("../a", false),
            ("a\n--index-url https://a.example", false),
            ("maturin>=1", false),
            ("maturin-like", true),
            ("", false),
        ] {
            assert_eq!(checked(vec![line.into()]).is_ok(), fine, "{line:?}");
        }
    }
}
