//! The lock that is kept for an app: a pylock.toml (PEP 751), headed by what it was made from.

use model::Digest;
use toml::{Table, Value};

use crate::recipe::PythonPackages;
use crate::tools::Sdist;

/// The name of the pin.
pub(super) const PIN: &str = "python.lock";
const HEAD: &str = "# mayfly: ";

/// Versions and hashes of all packages of an app, for one version of Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    /// Of Python: `3.13`.
    pub(super) python: String,
    /// Of what was asked for.
    pub(super) input: Digest,
    /// The pylock.toml.
    pub(super) text: String,
}

/// A package that has no wheel: it is built here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) sdist: Sdist,
    /// The pylock.toml of what it is built with; none before its first build.
    pub(super) tools: Option<String>,
}

/// A wheel that was built here, as a lock names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Local {
    /// The package's name, in its canonical form.
    pub(super) package: String,
    /// Where the installer finds the wheel: `file:///…`.
    pub(super) url: String,
    /// The wheel's SHA-256, in hex.
    pub(super) sha256: String,
}

impl Lock {
    /// Reads a pin; `None` when it is none.
    pub(super) fn from_pin(pin: &[u8]) -> Option<Self> {
        let pin = std::str::from_utf8(pin).ok()?;
        let (head, text) = pin.strip_prefix(HEAD)?.split_once('\n')?;
        let (python, input) = head.split_once(' ')?;
        Some(Self {
            python: python.to_owned(),
            input: input.parse().ok()?,
            text: text.to_owned(),
        })
    }

    /// Writes it as a pin.
    pub(super) fn to_pin(&self) -> Vec<u8> {
        format!("{HEAD}{} {}\n{}", self.python, self.input, self.text).into_bytes()
    }

    /// How many packages it names.
    pub(super) fn packages(&self) -> usize {
        self.text.matches("[[packages]]").count()
    }
}

/// The packages of a pylock.toml that have a source archive and no wheel.
pub(super) fn sources(text: &str) -> Vec<Source> {
    let lock: Table = toml::from_str(text).unwrap_or_default();
    let packages = lock.get("packages").and_then(Value::as_array);
    packages
        .into_iter()
        .flatten()
        .filter(|package| package.get("wheels").is_none())
        .filter_map(source_of)
        .collect()
}

fn source_of(package: &Value) -> Option<Source> {
    let of = |value: &Value, key: &str| Some(value.get(key)?.as_str()?.to_owned());
    let archive = package.get("sdist")?;
    let url = of(archive, "url")?;
    let last = url.rsplit('/').next()?.to_owned();
    let tools = package.get("tool").and_then(|tool| tool.get("mayfly"));
    Some(Source {
        sdist: Sdist {
            package: of(package, "name")?,
            version: of(package, "version")?,
            file: of(archive, "name").unwrap_or(last),
            sha256: archive.get("hashes").and_then(|all| of(all, "sha256")),
            url,
        },
        tools: tools.and_then(|tools| of(tools, "built-with")),
    })
}

/// The packages that come from the folder `links`, with the name of their wheel in it.
pub(super) fn linked(text: &str, links: &str) -> Vec<(String, String)> {
    let lock: Table = toml::from_str(text).unwrap_or_default();
    let packages = lock.get("packages").and_then(Value::as_array);
    let linked = packages.into_iter().flatten().filter_map(|package| {
        let wheel = package.get("wheels")?.get(0)?.get("url")?.as_str()?;
        let wheel = wheel.strip_prefix(links)?.trim_start_matches('/');
        Some((package.get("name")?.as_str()?.to_owned(), wheel.to_owned()))
    });
    linked.collect()
}

/// A pylock.toml whose packages `sources` come from their source archives.
pub(super) fn with_sources(text: &str, sources: &[Source]) -> String {
    change(text, |name, package| {
        let Some(source) = sources.iter().find(|source| source.sdist.package == name) else {
            return;
        };
        let sdist = &source.sdist;
        let mut archive = table([("name", &sdist.file), ("url", &sdist.url)]);
        if let Some(sha256) = &sdist.sha256 {
            archive.insert("hashes".into(), table([("sha256", sha256)]).into());
        }
        package.remove("wheels");
        package.insert("sdist".into(), archive.into());
        if let Some(tools) = &source.tools {
            let own = Table::from_iter([("mayfly".into(), table([("built-with", tools)]).into())]);
            package.insert("tool".into(), own.into());
        }
    })
}

/// A pylock.toml whose packages `locals` come from wheels that were built here.
pub(super) fn with_wheels(text: &str, locals: &[Local]) -> String {
    change(text, |name, package| {
        let Some(local) = locals.iter().find(|local| local.package == name) else {
            return;
        };
        let mut wheel = table([("url", &local.url)]);
        wheel.insert("hashes".into(), table([("sha256", &local.sha256)]).into());
        package.remove("sdist");
        package.remove("tool");
        package.insert("wheels".into(), Value::Array(vec![wheel.into()]));
    })
}

fn change(text: &str, mut each: impl FnMut(&str, &mut Table)) -> String {
    let mut lock: Table = toml::from_str(text).unwrap_or_default();
    let packages = lock.get_mut("packages").and_then(Value::as_array_mut);
    for package in packages.into_iter().flatten() {
        let name = package.get("name").and_then(Value::as_str);
        let name = name.map(str::to_owned);
        if let (Some(name), Some(package)) = (name, package.as_table_mut()) {
            each(&name, package);
        }
    }
    toml::to_string(&lock).unwrap_or_default()
}

fn table<const N: usize>(pairs: [(&str, &str); N]) -> Table {
    let pairs = pairs.map(|(key, value)| (key.to_owned(), Value::String(value.to_owned())));
    Table::from_iter(pairs)
}

/// The identity of what an app asks for.
pub(super) fn input_of(packages: &PythonPackages, uv_lock: Option<&[u8]>) -> Digest {
    let asked = match packages {
        PythonPackages::None => String::new(),
        PythonPackages::Listed { lines, .. } => lines.join("\n"),
        PythonPackages::UvLock { added } => {
            let lock = Digest::of(uv_lock.unwrap_or_default());
            format!("uv.lock {lock}\n{}", added.join("\n"))
        }
    };
    Digest::of(asked.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_back_as_it_was_written() {
        let lock = Lock {
            python: "3.13".into(),
            input: Digest::of(b"flask"),
            text: "lock-version = \"1.0\"\n[[packages]]\nname = \"flask\"\n".into(),
        };
        assert_eq!(Lock::from_pin(&lock.to_pin()), Some(lock.clone()));
        assert_eq!(lock.packages(), 1);
        for bad in [
            "",
            "# mayfly: 3.13\nx",
            "# other\n",
            "# mayfly: 3.13 sha256:0\nx",
        ] {
            assert_eq!(Lock::from_pin(bad.as_bytes()), None, "{bad}");
        }
    }

    const RESOLVED: &str = r#"lock-version = "1.0"
[[packages]]
name = "docopt"
version = "0.6.2"
wheels = [{ url = "file:///links/docopt-0.6.2-py3-none-any.whl", hashes = { sha256 = "aa" } }]
[[packages]]
name = "flask"
version = "3.1"
wheels = [{ url = "https://a.example/flask.whl", hashes = { sha256 = "bb" } }]
"#;

    #[test]
    fn a_package_without_a_wheel_is_locked_by_its_source_and_installed_from_what_was_built() {
        let source = Source {
            sdist: Sdist {
                package: "docopt".into(),
                version: "0.6.2".into(),
                file: "docopt-0.6.2.tar.gz".into(),
                url: "https://a.example/docopt-0.6.2.tar.gz".into(),
                sha256: Some("cc".into()),
            },
            tools: Some("lock-version = \"1.0\"\n".into()),
        };
        let wheel = (
            "docopt".to_owned(),
            "docopt-0.6.2-py3-none-any.whl".to_owned(),
        );
        assert_eq!(linked(RESOLVED, "file:///links"), [wheel]);
        assert_eq!(sources(RESOLVED), []);
        let locked = with_sources(RESOLVED, std::slice::from_ref(&source));
        assert_eq!(sources(&locked), [source]);
        assert!(
            !locked.contains("file:"),
            "nothing of this machine is locked"
        );
        let local = Local {
            package: "docopt".into(),
            url: "file:///links/built.whl".into(),
            sha256: "dd".into(),
        };
        let installed = with_wheels(&locked, &[local]);
        let names: Vec<_> = linked(&installed, "file:///links").into_iter().collect();
        assert_eq!(names, [("docopt".to_owned(), "built.whl".to_owned())]);
        assert!(installed.contains("https://a.example/flask.whl"));
        assert_eq!(sources(&installed), []);
    }
}
