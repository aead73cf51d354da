//! Pinned packages: a name and one version.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Whose package it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Ecosystem {
    Pypi,
    Npm,
    Go,
    Cargo,
    Debian,
}

impl Ecosystem {
    pub(super) const ALL: [Self; 5] = [Self::Pypi, Self::Npm, Self::Go, Self::Cargo, Self::Debian];

    /// As OSV names it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Pypi => "PyPI",
            Self::Npm => "npm",
            Self::Go => "Go",
            Self::Cargo => "crates.io",
            Self::Debian => "Debian",
        }
    }

    /// As package URLs name it.
    fn kind(self) -> &'static str {
        match self {
            Self::Pypi => "pypi",
            Self::Npm => "npm",
            Self::Go => "golang",
            Self::Cargo => "cargo",
            Self::Debian => "deb/debian",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A package in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pin {
    pub(super) ecosystem: Ecosystem,
    /// Debian's release: `13`.
    pub(super) release: Option<String>,
    /// As its ecosystem compares it.
    pub(super) name: String,
    /// Go's without their `v`.
    pub(super) version: String,
}

impl Pin {
    /// `PyPI name 1.2.3`, `Debian:13 name 1:2-3`.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (ecosystem, name, version) = (words.next()?, words.next()?, words.next()?);
        words.next().is_none().then_some(())?;
        Self::new(ecosystem, name, version)
    }

    /// With the ecosystem as OSV names it, its release behind a colon; none of an ecosystem that is
    /// not looked at.
    pub(super) fn new(ecosystem: &str, name: &str, version: &str) -> Option<Self> {
        let (ecosystem, release) = match ecosystem.split_once(':') {
            Some((ecosystem, release)) => (ecosystem, Some(release.to_owned())),
            None => (ecosystem, None),
        };
        let ecosystem = Ecosystem::of(ecosystem)?;
        let name = match ecosystem {
            Ecosystem::Pypi => normal(name),
            _ => name.to_owned(),
        };
        Some(Self {
            ecosystem,
            release,
            name,
            version: version.to_owned(),
        })
    }

    pub(super) fn purl(&self) -> String {
        let go = if self.ecosystem == Ecosystem::Go {
            "v"
        } else {
            ""
        };
        let release = self
            .release
            .as_ref()
            .map(|release| format!("?distro=debian-{release}"));
        format!(
            "pkg:{}/{}@{go}{}{}",
            self.ecosystem.kind(),
            encoded(&self.name),
            encoded(&self.version),
            release.unwrap_or_default()
        )
    }
}

/// One package has many spellings in Python (PEP 503).
fn normal(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}

fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b'/' | b':' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// For every package that a record is about, up to `most` of the versions at which something changes, some between
/// them, and some on each side of them.
pub(super) fn of(records: &[Value], most: usize) -> BTreeSet<Pin> {
    let mut packages: BTreeMap<(Ecosystem, Option<String>, String), BTreeSet<String>> =
        BTreeMap::new();
    for affected in records.iter().flat_map(|record| list(&record["affected"])) {
        let text = |field: &str| affected["package"][field].as_str().unwrap_or_default();
        let Some(pin) = Pin::new(text("ecosystem"), text("name"), "") else {
            continue;
        };
        // What Go's own releases are called is in no list of modules.
        if pin.ecosystem == Ecosystem::Go && !pin.name.contains('.') {
            continue;
        }
        let versions = versions(pin.ecosystem, affected);
        packages
            .entry((pin.ecosystem, pin.release, pin.name))
            .or_default()
            .extend(versions);
    }
    let pins = packages
        .into_iter()
        .flat_map(|((ecosystem, release, name), versions)| {
            let versions = some(versions, most);
            versions.into_iter().map(move |version| Pin {
                ecosystem,
                release: release.clone(),
                name: name.clone(),
                version,
            })
        });
    pins.filter(super::locks::can_pin).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn versions(ecosystem: Ecosystem, affected: &Value) -> BTreeSet<String> {
    let mut versions = BTreeSet::new();
    let listed = list(&affected["versions"]);
    let some = [
        0,
        listed.len() / 3,
        listed.len() / 2,
        listed.len().saturating_sub(1),
    ];
    let some = some.iter().filter_map(|at| listed.get(*at)?.as_str());
    versions.extend(some.map(str::to_owned));
    let ranges = list(&affected["ranges"])
        .iter()
        .filter(|range| range["type"] != "GIT");
    for event in ranges.flat_map(|range| list(&range["events"])) {
        for kind in ["introduced", "fixed", "last_affected", "limit"] {
            let Some(version) = event[kind].as_str().filter(|version| *version != "0") else {
                continue;
            };
            versions.extend([
                version.to_owned(),
                before(ecosystem, version),
                after(ecosystem, version),
            ]);
        }
    }
    versions.extend(extremes(ecosystem).map(str::to_owned));
    versions
}

/// A prerelease of a version.
fn before(ecosystem: Ecosystem, version: &str) -> String {
    match ecosystem {
        Ecosystem::Pypi => format!("{version}rc1"),
        Ecosystem::Debian => format!("{version}~rc1"),
        _ if version.contains('-') => version.to_owned(),
        _ => format!("{version}-rc.1"),
    }
}

/// A version a little newer.
fn after(ecosystem: Ecosystem, version: &str) -> String {
    match ecosystem {
        Ecosystem::Pypi => format!("{version}.post1"),
        Ecosystem::Debian => format!("{version}+b1"),
        _ => match version
            .rsplit_once('.')
            .map(|(head, last)| (head, last.parse::<u64>()))
        {
            Some((head, Ok(last))) => format!("{head}.{}", last + 1),
            _ => version.to_owned(),
        },
    }
}

fn extremes(ecosystem: Ecosystem) -> [&'static str; 2] {
    match ecosystem {
        Ecosystem::Debian => ["0~", "9999:1-1"],
        _ => ["0.0.1", "9999.0.0"],
    }
}

/// `most` of them, evenly chosen.
fn some(versions: BTreeSet<String>, most: usize) -> Vec<String> {
    let every = versions.len().div_ceil(most).max(1);
    versions.into_iter().step_by(every).collect()
}
