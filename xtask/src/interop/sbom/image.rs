//! Images to be judged: apps that mayfly built, and above them a layer of packages of every other
//! kind, put there by their own installers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::command::{self, command};
use crate::mayfly::Mayfly;
use crate::place;
use crate::setup;

/// An image as layers, and as the one tree that they make.
pub struct Image {
    /// What it is called.
    pub name: String,
    /// The lowest first.
    pub layers: Vec<PathBuf>,
    /// For those who read no layers.
    pub merged: PathBuf,
    /// What syft must find some of, in its own words.
    pub holds: Vec<&'static str>,
}

#[derive(Deserialize)]
struct Plan {
    layers: Vec<PathBuf>,
}

/// Makes a Python image and a Node image below `scratch`.
pub fn all(scratch: &Path) -> Result<Vec<Image>> {
    let build = ["build", "--locked", "--package", "mayfly"];
    command::run(&mut command("cargo", build))?;
    let mayfly = Mayfly::new(
        &place::target().join("debug/mayfly"),
        &scratch.join("mayfly"),
    )?;
    mayfly.serve()?;
    let mut images = Vec::new();
    for (app, holds) in [
        ("flask", vec!["deb", "python", "rust-crate"]),
        ("express", vec!["deb", "npm", "go-module", "binary"]),
    ] {
        let folder = scratch.join("apps").join(app);
        let source = place::repository().join("xtask/bench-apps").join(app);
        fs::create_dir_all(scratch.join("apps"))?;
        command::run(command("cp", ["-a"]).arg(source).arg(&folder))?;
        mayfly.begin_up(&folder, app)?.end()?.promoted()?;
        let mut layers = layers(mayfly.home(), app)?;
        let more = scratch.join("more").join(app);
        match app {
            "flask" => python_packages(&more)?,
            _ => node_packages(&more)?,
        }
        layers.push(more);
        let merged = scratch.join("merged").join(app);
        merge(&layers, &merged)?;
        images.push(Image {
            name: app.to_owned(),
            layers,
            merged,
            holds,
        });
    }
    Ok(images)
}

fn layers(home: &Path, app: &str) -> Result<Vec<PathBuf>> {
    let sandboxes = fs::read_dir(home.join("sandboxes"))?.flatten();
    let begins = format!("{app}.r1.");
    let mut ours = sandboxes.filter(|one| one.file_name().to_string_lossy().starts_with(&begins));
    let sandbox = ours
        .next()
        .with_context(|| format!("the {app} app does not run"))?;
    let plan = fs::read(sandbox.path().join("plan.json"))?;
    let plan: Plan = serde_json::from_slice(&plan)?;
    ensure!(plan.layers.len() > 2, "the {app} app has no base");
    Ok(plan.layers)
}

/// Extras, markers, namespaces, old names, native modules, and a Rust program that carries its
/// list of crates.
const PYTHON: [&str; 6] = [
    "uvicorn[standard]==0.34.0",
    "pydantic==2.10.6",
    "zope.interface==7.2",
    "cryptography==44.0.0",
    "uv==0.13.9",
    "pip==25.0.1",
];

fn python_packages(layer: &Path) -> Result<()> {
    let environment = layer.join("opt/extra");
    command::run(command("python3", ["-m", "venv"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    let mut install = command(&pip.to_string_lossy(), ["install", "--quiet"]);
    command::run(install.arg("--disable-pip-version-check").args(PYTHON))?;
    // The interpreter is the base's; these links lead out of the image.
    for name in ["python", "python3"] {
        fs::remove_file(environment.join("bin").join(name))?;
    }
    Ok(())
}

/// Scopes, capital letters, nesting, and Go programs within packages.
const NODE: [&str; 4] = [
    "vite@5.4.11",
    "@babel/core@7.26.0",
    "JSONStream@1.3.5",
    "request@2.88.2",
];

fn node_packages(layer: &Path) -> Result<()> {
    let folder = layer.join("srv/extra");
    fs::create_dir_all(&folder)?;
    fs::write(
        folder.join("package.json"),
        r#"{"name": "extra", "version": "1.0.0"}"#,
    )?;
    command::run(setup::npm()?.arg("--prefix").arg(&folder).args(NODE))
}

/// Copies each layer over those below it.
fn merge(layers: &[PathBuf], merged: &Path) -> Result<()> {
    fs::create_dir_all(merged)?;
    for layer in layers {
        // What an upper layer has as another kind of file goes first.
        let mut copy = command("cp", ["-a", "--remove-destination"]);
        command::run(copy.arg(layer.join(".")).arg(merged))?;
    }
    Ok(())
}
