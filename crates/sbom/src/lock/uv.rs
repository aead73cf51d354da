//! Python's lock files in TOML: uv's, Poetry's, and the standard one (PEP 751).

use toml::{Table, Value};

use super::Named;

/// The packages that the lock names, without the app itself and its workspace.
pub(super) fn read(text: &str) -> Result<Vec<Named>, String> {
    let lock: Table = toml::from_str(text).map_err(|cause| cause.message().to_owned())?;
    let lists = ["package", "packages"].into_iter();
    let all = lists
        .filter_map(|list| lock.get(list)?.as_array())
        .flatten();
    let named = all.filter(|one| !is_local(one)).filter_map(|one| {
        let text = |key: &str| one.get(key).and_then(Value::as_str);
        Some(Named::pypi(text("name")?, text("version")?))
    });
    Ok(named.collect())
}

fn is_local(package: &Value) -> bool {
    let local = ["virtual", "editable", "directory", "path"];
    let source = package.get("source").and_then(Value::as_table);
    source.is_some_and(|source| local.iter().any(|kind| source.contains_key(*kind)))
        || package.get("directory").is_some()
}
