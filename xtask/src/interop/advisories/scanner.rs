//! osv-scanner, offline, over lock files.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::data::Data;
use super::pins::Pin;
use super::{Found, locks};
use crate::command::{self, command};

/// The program.
pub(super) struct Scanner {
    program: PathBuf,
}

impl Scanner {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// The pins that it reads, and what it finds about them.
    pub(super) fn find(&self, data: &Data) -> Result<(BTreeSet<Pin>, Found)> {
        let said = self.scan(data)?;
        let results = said["results"].as_array().into_iter().flatten();
        let packages =
            results.flat_map(|result| result["packages"].as_array().into_iter().flatten());
        let (mut read, mut found) = (BTreeSet::new(), Found::new());
        for package in packages {
            let text = |field: &str| package["package"][field].as_str().unwrap_or_default();
            let Some(pin) = Pin::new(text("ecosystem"), text("name"), text("version")) else {
                continue;
            };
            // It has its own opinion of what a lock file names; only what was asked is compared.
            if !data.pins.contains(&pin) {
                continue;
            }
            for one in package["vulnerabilities"].as_array().into_iter().flatten() {
                let id = one["id"].as_str().context("a finding has no id")?;
                found.insert((pin.clone(), id.to_owned()));
            }
            read.insert(pin);
        }
        Ok((read, found))
    }

    /// It ends with 1 when it finds something, which it has to.
    fn scan(&self, data: &Data) -> Result<Value> {
        let mut scan = command(&self.program.to_string_lossy(), ["scan", "source"]);
        scan.args([
            "--offline-vulnerabilities",
            "--no-resolve",
            "--all-packages",
        ])
        .args(["--format", "json"])
        .env("OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY", &data.folder)
        .env("HOME", &data.folder);
        for lock in locks::write(&data.pins, &data.folder.join("locks"))? {
            let kind = lock.kind.map_or(String::new(), |kind| format!("{kind}:"));
            scan.arg("--lockfile")
                .arg(format!("{kind}{}", lock.path.display()));
        }
        let line = command::line(&scan);
        let output = scan
            .output()
            .with_context(|| format!("`{line}` cannot be started"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(1),
            "`{line}` found nothing: {said}"
        );
        serde_json::from_slice(&output.stdout).with_context(|| format!("`{line}`: {said}"))
    }
}
