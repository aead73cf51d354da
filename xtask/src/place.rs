//! Where things are: the repository, and what outlives a build outside of it.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root.
pub fn repository() -> &'static Path {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    room.parent().unwrap_or(room)
}

/// The folder for tools and downloads of these tasks: `$XDG_CACHE_HOME/mayfly-xtask`, by default
/// below `~/.cache`.
///
/// Source: XDG Base Directory Specification 0.8.
pub fn cache() -> PathBuf {
    let chosen = env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty());
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_else(|| "/root".into()));
    let base = chosen.map_or_else(|| home().join(".cache"), PathBuf::from);
    base.join("mayfly-xtask")
}

/// Where cargo puts what it builds: `$CARGO_TARGET_DIR`, by default `target` in the repository.
pub fn target() -> PathBuf {
    let chosen = env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    chosen.map_or_else(
        || repository().join("target"),
        |folder| repository().join(folder),
    )
}
