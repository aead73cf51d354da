//! Python's lock files in TOML: uv's, Poetry's, and the standard one (PEP 751).

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Named;

#[derive(Deserialize)]
struct Lock {
    #[serde(default)]
    package: Vec<Entry>,
    /// The standard one's name of the same list.
    #[serde(default)]
    packages: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(default)]
    directory: Option<IgnoredAny>,
}

/// Where a package comes from, as far as it is on the machine that wrote the lock.
#[derive(Deserialize)]
struct Source {
    #[serde(default, rename = "virtual")]
    nowhere: Option<IgnoredAny>,
    #[serde(default)]
    editable: Option<IgnoredAny>,
    #[serde(default)]
    directory: Option<IgnoredAny>,
    #[serde(default)]
    path: Option<IgnoredAny>,
}

impl Entry {
    fn is_local(&self) -> bool {
        let local = |source: &Source| {
            let places = [
                &source.nowhere,
                &source.editable,
                &source.directory,
                &source.path,
            ];
            places.iter().any(|place| place.is_some())
        };
        self.directory.is_some() || self.source.as_ref().is_some_and(local)
    }
}

/// The packages that the lock names, without the app itself and its workspace.
pub(super) fn read(text: &str) -> Result<Vec<Named>, String> {
    let lock: Lock = toml::from_str(text).map_err(|cause| cause.message().to_owned())?;
    let all = lock.package.into_iter().chain(lock.packages);
    let named = all.filter(|one| !one.is_local());
    Ok(named
        .filter_map(|one| Some(Named::pypi(&one.name, &one.version?)))
        .collect())
}
