//! Popular packages, pinned, as their registries give them to everybody.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::command::{self, command};
use crate::place;

/// Where a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registry {
    /// Python's.
    PyPi,
    /// Node's.
    Npm,
}

/// Twenty packages that many apps are made of.
pub const PACKAGES: [(Registry, &str, &str); 20] = [
    (Registry::PyPi, "flask", "3.1.1"),
    (Registry::PyPi, "django", "5.2.4"),
    (Registry::PyPi, "requests", "2.32.4"),
    (Registry::PyPi, "fastapi", "0.116.1"),
    (Registry::PyPi, "jinja2", "3.1.6"),
    (Registry::PyPi, "sqlalchemy", "2.0.41"),
    (Registry::PyPi, "celery", "5.5.3"),
    (Registry::PyPi, "werkzeug", "3.1.3"),
    (Registry::PyPi, "aiohttp", "3.12.14"),
    (Registry::PyPi, "streamlit", "1.46.1"),
    (Registry::Npm, "express", "5.1.0"),
    (Registry::Npm, "lodash", "4.17.21"),
    (Registry::Npm, "axios", "1.10.0"),
    (Registry::Npm, "react-dom", "19.1.0"),
    (Registry::Npm, "socket.io", "4.8.1"),
    (Registry::Npm, "webpack", "5.100.2"),
    (Registry::Npm, "koa", "3.0.0"),
    (Registry::Npm, "handlebars", "4.7.8"),
    (Registry::Npm, "mongoose", "8.16.4"),
    (Registry::Npm, "ejs", "3.1.10"),
];

/// A package's files.
pub struct Source {
    /// Its name and version.
    pub name: String,
    /// Where its files are.
    pub folder: PathBuf,
}

/// The files of all packages; what is not there yet is downloaded. No code of theirs runs.
pub fn fetch() -> Result<Vec<Source>> {
    let home = place::cache().join("gates-packages");
    fs::create_dir_all(&home)?;
    let sources = PACKAGES.iter().map(|(registry, name, version)| {
        let folder = home.join(format!("{name}-{version}"));
        if !folder.is_dir() {
            let scratch = tempfile::Builder::new().prefix("new-").tempdir_in(&home)?;
            let files = scratch.path().join("files");
            fs::create_dir(&files)?;
            match registry {
                Registry::PyPi => wheel(name, version, scratch.path(), &files)?,
                Registry::Npm => tarball(name, version, scratch.path(), &files)?,
            }
            // Whole or not at all.
            fs::rename(&files, &folder)?;
        }
        let name = format!("{name} {version}");
        Ok(Source { name, folder })
    });
    sources.collect()
}

fn wheel(name: &str, version: &str, scratch: &Path, to: &Path) -> Result<()> {
    let options = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let mut download = command("python3", options);
    download.args(["--no-deps", "--only-binary", ":all:", "--dest"]);
    command::run(download.arg(scratch).arg(format!("{name}=={version}")))?;
    let wheel = only(scratch, "whl")?;
    command::run(
        command("python3", ["-m", "zipfile", "-e"])
            .arg(wheel)
            .arg(to),
    )
}

fn tarball(name: &str, version: &str, scratch: &Path, to: &Path) -> Result<()> {
    let mut pack = command(
        "npm",
        ["pack", "--silent", "--ignore-scripts", "--pack-destination"],
    );
    command::capture(pack.arg(scratch).arg(format!("{name}@{version}")))?;
    let packed = only(scratch, "tgz")?;
    let mut unpack = command("tar", ["--extract", "--gzip", "--no-same-owner", "--file"]);
    command::run(unpack.arg(packed).arg("--directory").arg(to))
}

/// The one file with this ending.
fn only(folder: &Path, ending: &str) -> Result<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|found| found == ending));
    ensure!(
        files.len() == 1,
        "{} files end with `{ending}`",
        files.len()
    );
    files.pop().context("one file")
}
