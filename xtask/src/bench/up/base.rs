//! Base images for docker: the root filesystems that mayfly's apps have, and its installers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::app::Kind;
use crate::command::{self, command};

/// A root filesystem, and what docker is to call it.
pub struct Base {
    /// Where it lies.
    pub folder: PathBuf,
    /// As the Dockerfiles name it.
    pub tag: String,
}

/// What of a sandbox's plan is read here: its layers, the lowest first.
#[derive(Deserialize)]
struct Plan {
    layers: Vec<PathBuf>,
}

/// Where Debian and mayfly's bases keep certificate authorities.
pub const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// The bases of Python and Node apps that run in `home`, put together below `to`.
pub fn all(home: &Path, to: &Path) -> Result<[Base; 2]> {
    Ok([
        assemble(home, to, Kind::Flask, ("python", "uv"))?,
        assemble(home, to, Kind::Express, ("node", "bun"))?,
    ])
}

fn assemble(home: &Path, to: &Path, kind: Kind, (name, installer): (&str, &str)) -> Result<Base> {
    let folder = to.join(name);
    fs::create_dir_all(&folder)?;
    let layers = layers(home, kind)?;
    // Above the base lie the app's dependencies and the app.
    for layer in &layers[..layers.len() - 2] {
        command::run(command("cp", ["-a"]).arg(layer.join(".")).arg(&folder))?;
    }
    let programs = folder.join("usr/local/bin");
    fs::create_dir_all(&programs)?;
    fs::copy(
        find(&home.join("cache/tools"), installer)?,
        programs.join(installer),
    )?;
    let authorities = folder.join(AUTHORITIES);
    fs::create_dir_all(authorities.parent().context("a folder")?)?;
    fs::copy(Path::new("/").join(AUTHORITIES), authorities)?;
    Ok(Base {
        folder,
        tag: format!("mayfly-bench/{name}"),
    })
}

fn layers(home: &Path, kind: Kind) -> Result<Vec<PathBuf>> {
    let name = format!("{}.r1.", kind.to_string().to_lowercase());
    let sandboxes = fs::read_dir(home.join("sandboxes"))?.flatten();
    let sandbox = sandboxes.map(|entry| entry.path()).find(|path| {
        path.file_name()
            .is_some_and(|file| file.to_string_lossy().starts_with(&name))
    });
    let sandbox = sandbox.with_context(|| format!("the {kind} app does not run"))?;
    let plan: Plan = serde_json::from_slice(&fs::read(sandbox.join("plan.json"))?)?;
    anyhow::ensure!(plan.layers.len() > 2, "the {kind} app has no base");
    Ok(plan.layers)
}

/// The file of that name below `folder`.
fn find(folder: &Path, name: &str) -> Result<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)?.flatten() {
            let path = entry.path();
            match entry.file_type()?.is_dir() {
                true => folders.push(path),
                false if entry.file_name() == name => return Ok(path),
                false => {}
            }
        }
    }
    anyhow::bail!("`{name}` is not below {}", folder.display())
}
