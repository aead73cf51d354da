//! `cargo xtask try`: from source to an app at a URL.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::command::{self, as_root, command};
use crate::place;
use crate::setup;
use crate::step::step;

/// Installs what a build needs, builds mayfly and brings the app in `folder` up.
pub fn run(folder: &Path) -> Result<()> {
    step("setup", setup::for_building)?;
    let program = step("build", release_build)?;
    step("up", || {
        let mut up = as_root(&program.to_string_lossy(), ["up"]);
        command::run(up.arg(folder))
    })
}

/// Builds mayfly as users run it and returns the program.
pub fn release_build() -> Result<PathBuf> {
    let build = ["build", "--locked", "--release", "--package", "mayfly"];
    command::run(&mut command("cargo", build))?;
    Ok(place::target().join("release/mayfly"))
}
