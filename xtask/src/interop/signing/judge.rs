//! The programs that judge, built from their Go modules into the cache: once for each version.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::command::{self, command};
use crate::place;

/// A program in a Go module, at a pinned version.
pub struct Judge {
    /// What its file is called.
    pub program: &'static str,
    /// Its package.
    pub package: &'static str,
    /// Its version.
    pub version: &'static str,
}

/// Reads what this version of mayfly writes.
pub const COSIGN_3: Judge = Judge {
    program: "cosign",
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
    version: "3.1.3",
};

/// What many have installed.
pub const COSIGN_2: Judge = Judge {
    program: "cosign",
    package: "github.com/sigstore/cosign/v2/cmd/cosign",
    version: "2.6.5",
};

impl Judge {
    /// The program, built when it is not there yet; that takes minutes.
    pub fn built(&self) -> Result<PathBuf> {
        let folder = format!("{}-{}", self.program, self.version);
        let folder = place::cache().join("judges").join(folder);
        let program = folder.join(self.program);
        if program.is_file() {
            return Ok(program);
        }
        if command::find("go").is_none() {
            bail!("Go is not installed: run `cargo xtask setup`");
        }
        eprintln!("building {} {}, once", self.program, self.version);
        let package = format!("{}@v{}", self.package, self.version);
        let mut install = command("go", ["install", "-trimpath", "-ldflags=-s", &package]);
        install.env("GOBIN", &folder).env("CGO_ENABLED", "0");
        command::run(&mut install)?;
        Ok(program)
    }
}
