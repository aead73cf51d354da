//! Packages of Python and Node, each set in a folder of the cache of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::apt;
use crate::command::{self, command};
use crate::place;

/// A Python environment with exactly these packages, made again when they are others than before.
pub fn python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = place::cache().join(format!("python-{name}"));
    if is_noted(&folder, packages) {
        return Ok(folder);
    }
    apt::install(&["python3-venv"])?;
    eprintln!("installing {}, once", packages.join(", "));
    command::run(command("python3", ["-m", "venv", "--clear"]).arg(&folder))?;
    let pip = folder.join("bin/pip");
    let mut install = command(&pip.to_string_lossy(), ["install", "--quiet"]);
    command::run(install.arg("--disable-pip-version-check").args(packages))?;
    note(&folder, packages)?;
    Ok(folder)
}

/// A folder with `node_modules` of exactly these packages. Their scripts are not run.
pub fn node(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let folder = place::cache().join(format!("node-{name}"));
    if is_noted(&folder, packages) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    eprintln!("installing {}, once", packages.join(", "));
    fs::create_dir_all(&folder)?;
    command::run(npm()?.arg("--prefix").arg(&folder).args(packages))?;
    note(&folder, packages)?;
    Ok(folder)
}

/// `npm install`, itself installed when it is not there yet. It runs no scripts.
pub fn npm() -> Result<std::process::Command> {
    if command::find("npm").is_none() {
        apt::install(&["npm"])?;
    }
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
    let mut install = command("npm", ["install"]);
    install.args(quiet);
    Ok(install)
}

const NOTE: &str = "installed";

fn is_noted(folder: &Path, packages: &[&str]) -> bool {
    let noted = fs::read_to_string(folder.join(NOTE));
    noted.is_ok_and(|noted| noted == packages.join("\n"))
}

fn note(folder: &Path, packages: &[&str]) -> Result<()> {
    Ok(fs::write(folder.join(NOTE), packages.join("\n"))?)
}
