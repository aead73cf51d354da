//! What would be done with a folder, without a daemon.

use std::fs;
use std::path::Path;

use model::manifest::{FILE_NAME, Manifest};
use model::plan::Plan;
use model::snapshot::Snapshot;
use model::{Failure, FailureCode};
use ports::builder::Source;

/// What would be done with a folder, found out without a daemon. `snapshot` says which of its files
/// count.
pub fn plan(folder: &Path, snapshot: Snapshot) -> Result<Plan, Failure> {
    let manifest = manifest(folder)?;
    let source = Source {
        snapshot,
        root: folder.to_owned(),
    };
    let seen = build::detect::Folder::of(&source);
    Ok(build::detect::detect(&seen, &manifest)?.plan)
}

fn manifest(folder: &Path) -> Result<Manifest, Failure> {
    match fs::read(folder.join(FILE_NAME)) {
        Ok(text) => delivery::stage::build::manifest(Some(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Manifest::default()),
        Err(error) => Err(
            Failure::new(FailureCode::BadManifest, "mayfly.toml cannot be read")
                .because(error.to_string()),
        ),
    }
}
