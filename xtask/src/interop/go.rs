//! Judges that come as Go modules, compiled once into the cache.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::command::{self, command};
use crate::place;

/// A program of a Go module, at one version.
pub struct Judge {
    /// What it is called.
    pub program: &'static str,
    /// Where its source is.
    pub package: &'static str,
    /// Which version judges.
    pub version: &'static str,
}

/// The program, compiled when it is not there yet.
pub fn install(judge: &Judge) -> Result<PathBuf> {
    let folder = place::cache().join("go").join(judge.version);
    let program = folder.join(judge.program);
    if program.is_file() {
        return Ok(program);
    }
    if command::find("go").is_none() {
        bail!("`go` is missing: judges are Go programs; install Go 1.25 or newer");
    }
    eprintln!("compiling {} {}, once", judge.program, judge.version);
    let module = format!("{}@{}", judge.package, judge.version);
    let mut install = command("go", ["install", &module]);
    command::run(install.env("GOBIN", &folder))?;
    Ok(program)
}
