//! mayfly's own look-up of vulnerability records, as a program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::command::{self, command};
use crate::place;

/// The program.
pub struct Advisories {
    program: PathBuf,
}

/// What is found about packages.
#[derive(Debug, Default, Deserialize)]
pub struct Matches {
    /// Records that are about a package's version.
    pub hits: Vec<Hit>,
    /// Packages of which there is no data.
    pub uncovered: Vec<String>,
    /// Packages without a version that have records.
    pub unversioned: BTreeSet<String>,
}

/// One record about one package.
#[derive(Debug, Clone, Deserialize)]
pub struct Hit {
    /// The record.
    pub id: String,
    /// The package's URL, as it was asked for.
    pub purl: String,
    /// What the record is about.
    pub summary: String,
}

impl Advisories {
    /// Builds it.
    pub fn built() -> Result<Self> {
        let options = ["build", "--quiet", "--locked", "--package", "advisories"];
        command::run(command("cargo", options).args(["--example", "advisories"]))?;
        let program = place::target().join("debug/examples/advisories");
        Ok(Self { program })
    }

    /// Lays records out as exports are. `records` has one a line.
    pub fn pack(&self, records: &Path, archive: &Path) -> Result<()> {
        command::run(self.command("pack").args([archive, records]))
    }

    /// The records of an archive, one a line.
    pub fn unpack(&self, records: &Path, archive: &Path) -> Result<()> {
        command::run(self.command("unpack").args([records, archive]))
    }

    /// Makes an index of archives, one an ecosystem.
    pub fn import(&self, index: &Path, archives: &[PathBuf]) -> Result<()> {
        command::capture(self.command("import").arg(index).args(archives)).map(drop)
    }

    /// What an index says about the packages of these URLs.
    pub fn find(&self, index: &Path, purls: &[String]) -> Result<Matches> {
        let asked = tempfile::NamedTempFile::new()?;
        std::fs::write(asked.path(), purls.join("\n"))?;
        let told = command::capture(self.command("find").arg(index).arg(asked.path()))?;
        serde_json::from_str(&told).context("what is found cannot be read")
    }

    fn command(&self, action: &str) -> Command {
        command(&self.program.to_string_lossy(), [action])
    }
}
