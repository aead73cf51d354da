//! npm's lock files, of all three versions.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Named, at_version};

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    packages: BTreeMap<String, Entry>,
    /// Of the first version.
    #[serde(default)]
    dependencies: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    version: Option<String>,
    /// Of the first version, packages of this one's own; later ones have ranges here.
    #[serde(default)]
    dependencies: BTreeMap<String, Below>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Below {
    Entry(Entry),
    Range(serde::de::IgnoredAny),
}

/// The packages that the lock names.
pub(super) fn read(text: &str) -> Result<Vec<Named>, String> {
    let lock: Lock = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
    if !lock.packages.is_empty() {
        let all = lock.packages.into_iter();
        return Ok(all
            .filter_map(|(path, entry)| by_path(&path, entry))
            .collect());
    }
    let mut named = Vec::new();
    for (name, entry) in &lock.dependencies {
        by_name(name, entry, &mut named);
    }
    Ok(named)
}

/// `node_modules/a/node_modules/@s/b` is a package; the app and its workspaces lie elsewhere.
fn by_path(path: &str, entry: Entry) -> Option<Named> {
    let (_, name) = path.rsplit_once("node_modules/")?;
    let name = entry.name.as_deref().unwrap_or(name);
    Some(Named::npm(name, &entry.version?))
}

/// The nesting of entries is bounded by the reader of JSON.
fn by_name(name: &str, entry: &Entry, named: &mut Vec<Named>) {
    match entry.version.as_deref() {
        Some(version) if version.starts_with("npm:") => {
            let real = at_version(&version["npm:".len()..]);
            named.extend(real.map(|(name, version)| Named::npm(name, version)));
        }
        Some(version) if version.starts_with(|c: char| c.is_ascii_digit()) => {
            named.push(Named::npm(name, version));
        }
        _ => {}
    }
    for (name, below) in &entry.dependencies {
        if let Below::Entry(entry) = below {
            by_name(name, entry, named);
        }
    }
}
