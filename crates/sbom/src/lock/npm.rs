//! npm's lock files, of all three versions.

use serde_json::{Map, Value};

use super::Named;

/// The packages that the lock names.
pub(super) fn read(text: &str) -> Result<Vec<Named>, String> {
    let lock: Value = serde_json::from_str(text).map_err(|cause| cause.to_string())?;
    let mut named = Vec::new();
    if let Some(packages) = lock.get("packages").and_then(Value::as_object) {
        named.extend(
            packages
                .iter()
                .filter_map(|(path, about)| by_path(path, about)),
        );
    } else if let Some(dependencies) = lock.get("dependencies").and_then(Value::as_object) {
        by_name(dependencies, &mut named);
    }
    Ok(named)
}

/// `node_modules/a/node_modules/@s/b` is a package; the app and its workspaces lie elsewhere.
fn by_path(path: &str, about: &Value) -> Option<Named> {
    let (_, name) = path.rsplit_once("node_modules/")?;
    let name = about.get("name").and_then(Value::as_str).unwrap_or(name);
    Some(Named::npm(name, about.get("version")?.as_str()?))
}

/// The nesting of these objects is bounded by the reader of JSON.
fn by_name(dependencies: &Map<String, Value>, named: &mut Vec<Named>) {
    for (name, about) in dependencies {
        match about.get("version").and_then(Value::as_str) {
            Some(version) if version.starts_with("npm:") => {
                let real = super::at_version(&version["npm:".len()..]);
                named.extend(real.map(|(name, version)| Named::npm(name, version)));
            }
            Some(version) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                named.push(Named::npm(name, version));
            }
            _ => {}
        }
        if let Some(below) = about.get("dependencies").and_then(Value::as_object) {
            by_name(below, named);
        }
    }
}
