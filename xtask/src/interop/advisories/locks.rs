//! Lock files that name pinned packages, as their ecosystems write them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::pins::{Ecosystem, Pin};

/// A file, and what it is written as.
pub(super) struct Lock {
    /// `Cargo.lock`; none for what its own name tells.
    pub(super) kind: Option<&'static str>,
    pub(super) path: PathBuf,
}

/// Whether a lock file of its ecosystem can name the package in this version.
pub(super) fn can_pin(pin: &Pin) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-+!~:_".contains(&byte);
    pin.version.bytes().all(fits)
        && match pin.ecosystem {
            Ecosystem::Go => is_module(&pin.name, &pin.version),
            _ => true,
        }
}

/// A module's major version is a part of its path from the second on (Go modules reference, "Module
/// paths").
fn is_module(path: &str, version: &str) -> bool {
    let numbers = version.split('-').next().unwrap_or_default();
    let numbers: Vec<&str> = numbers.split('.').collect();
    let is_number = |text: &&str| {
        text.bytes().all(|byte| byte.is_ascii_digit()) && (*text == "0" || !text.starts_with('0'))
    };
    let is_version = numbers.len() == 3 && numbers.iter().all(is_number) && !version.contains('+');
    let is_old = |numbers: &[&str]| matches!(numbers[0], "0" | "1");
    let last = path.rsplit('/').next().unwrap_or_default();
    let suffix = match path.starts_with("gopkg.in/") {
        true => path.rsplit_once(".v").map(|(_, major)| major),
        false => last.strip_prefix('v').filter(|major| is_number(major)),
    };
    is_version
        && match suffix {
            Some(major) => numbers[0] == major,
            None => is_old(&numbers) && !path.starts_with("gopkg.in/"),
        }
}

/// A lock file names a package once: the second version of each is in the second file.
pub(super) fn write(pins: &BTreeSet<Pin>, folder: &Path) -> Result<Vec<Lock>> {
    let mut packages: BTreeMap<_, Vec<&Pin>> = BTreeMap::new();
    for pin in pins {
        packages
            .entry((pin.ecosystem, &pin.release, &pin.name))
            .or_default()
            .push(pin);
    }
    let rounds = packages.values().map(Vec::len).max().unwrap_or_default();
    let mut locks = Vec::new();
    for round in 0..rounds {
        for ecosystem in Ecosystem::ALL {
            let of_round = packages
                .values()
                .filter_map(|pins| pins.get(round).copied());
            let of_round: Vec<&Pin> = of_round.filter(|pin| pin.ecosystem == ecosystem).collect();
            if !of_round.is_empty() {
                locks.push(lock(ecosystem, &of_round, &folder.join(round.to_string()))?);
            }
        }
    }
    Ok(locks)
}

fn lock(ecosystem: Ecosystem, pins: &[&Pin], folder: &Path) -> Result<Lock> {
    let (kind, name, text) = match ecosystem {
        Ecosystem::Pypi => (
            Some("requirements.txt"),
            "requirements.txt",
            requirements(pins),
        ),
        Ecosystem::Npm => (
            Some("package-lock.json"),
            "package-lock.json",
            package_lock(pins),
        ),
        Ecosystem::Go => (Some("go.mod"), "go.mod", go_mod(pins)),
        Ecosystem::Cargo => (Some("Cargo.lock"), "Cargo.lock", cargo_lock(pins)),
        Ecosystem::Debian => (None, "debian.spdx.json", spdx(pins)),
    };
    fs::create_dir_all(folder)?;
    let path = folder.join(name);
    fs::write(&path, text)?;
    Ok(Lock { kind, path })
}

fn requirements(pins: &[&Pin]) -> String {
    let lines = pins
        .iter()
        .map(|pin| format!("{}=={}\n", pin.name, pin.version));
    lines.collect()
}

fn package_lock(pins: &[&Pin]) -> String {
    let mut packages = Map::new();
    packages.insert(
        String::new(),
        json!({ "name": "pinned", "version": "0.0.0" }),
    );
    for pin in pins {
        let place = format!("node_modules/{}", pin.name);
        packages.insert(place, json!({ "version": pin.version }));
    }
    let lock = json!({
        "name": "pinned", "version": "0.0.0", "lockfileVersion": 3, "requires": true,
        "packages": packages,
    });
    lock.to_string()
}

fn go_mod(pins: &[&Pin]) -> String {
    let lines = pins
        .iter()
        .map(|pin| format!("\t{} v{}\n", pin.name, pin.version));
    format!(
        "module example.org/pinned\n\ngo 1.22.0\n\nrequire (\n{})\n",
        lines.collect::<String>()
    )
}

fn cargo_lock(pins: &[&Pin]) -> String {
    let tables = pins.iter().map(|Pin { name, version, .. }| {
        format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
        )
    });
    format!("version = 4\n{}", tables.collect::<String>())
}

/// Debian has no lock files; a bill of materials names what is installed.
fn spdx(pins: &[&Pin]) -> String {
    let packages = pins.iter().enumerate().map(|(number, pin)| {
        json!({
            "SPDXID": format!("SPDXRef-{number}"),
            "name": pin.name,
            "versionInfo": pin.version,
            "downloadLocation": "NOASSERTION",
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": pin.purl(),
            }],
        })
    });
    let document = json!({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": "pinned",
        "documentNamespace": "urn:mayfly:pinned",
        "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: mayfly"] },
        "packages": packages.collect::<Vec<Value>>(),
    });
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_modules_major_version_is_in_its_path() {
        for (path, version, fits) in [
            ("example.org/a", "1.2.3", true),
            ("example.org/a", "2.0.0", false),
            ("example.org/a/v2", "2.0.0-rc.1", true),
            ("example.org/a/v2", "1.0.0", false),
            ("gopkg.in/a.v3", "3.1.0", true),
            ("example.org/a", "1.2", false),
            ("example.org/a", "1.02.0", false),
        ] {
            assert_eq!(is_module(path, version), fits, "{path} {version}");
        }
    }
}
