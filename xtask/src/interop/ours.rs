//! What mayfly's own room of signatures does, as a program.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{self, command};
use crate::place;
use crate::registry::Profile;

/// The program that signs and verifies as the server does.
pub fn signer() -> Result<PathBuf> {
    build("interop-sign", Profile::Debug)
}

/// The program that signs people in, and that sees certificates.
pub fn issuer() -> Result<PathBuf> {
    build("interop-issuer", Profile::Debug)
}

/// One of the programs of `interop`.
pub fn build(program: &str, profile: Profile) -> Result<PathBuf> {
    let options = ["build", "--locked", "--package", "xtask", "--features"];
    let mut build = command("cargo", options);
    build.args(["interop", "--bin", program]);
    let folder = match profile {
        Profile::Debug => "debug",
        Profile::Release => {
            build.arg("--release");
            "release"
        }
    };
    command::run(&mut build)?;
    Ok(place::target().join(folder).join(program))
}

/// Runs a command that has to fail, and by itself: one that crashed, or that called a flag unknown,
/// has refused nothing. Returns its words.
pub fn refused(command: &mut Command) -> Result<String> {
    let line = command::line(command);
    let output = command
        .output()
        .with_context(|| format!("`{line}` cannot be started"))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let is_confused = [
        "unknown flag",
        "unknown command",
        "panicked at",
        "goroutine ",
    ];
    match output.status.code() {
        Some(code) if code != 0 && !is_confused.iter().any(|word| said.contains(word)) => Ok(said),
        Some(0) => bail!("`{line}` accepted it"),
        _ => bail!("`{line}` did not run: {said}"),
    }
}
