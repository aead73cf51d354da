//! `cargo xtask bench up`: from folder to URL, beside `docker build` and `docker run` of the same
//! apps on the same base, in turns.

mod app;
mod base;
mod crowd;
pub mod docker;
mod edits;
mod first;
mod memory;
mod report;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::mayfly::Mayfly;
use crate::setup;
use crate::step::step;
use crate::trial;
use app::{App, Kind};
use docker::Docker;
use report::Report;

/// What `bench up` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// First `up`s with empty caches, for each app
    #[arg(long, default_value_t = 1)]
    first_runs: usize,
    /// Edits, and unchanged `up`s, for each app
    #[arg(long, default_value_t = 12)]
    runs: usize,
    /// How many apps idle while memory is measured
    #[arg(long, value_delimiter = ',', default_values_t = [1, 50, 200])]
    apps: Vec<usize>,
    /// How many apps are started and torn down at once
    #[arg(long, default_value_t = 100)]
    crowd: usize,
    /// Measure a mayfly that is built already
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Leave docker out
    #[arg(long)]
    no_peer: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Measures everything and prints tables, or JSON.
pub fn run(args: &Args) -> Result<()> {
    anyhow::ensure!(
        crate::command::is_root(),
        "mayfly's daemon and docker's need root: run `sudo --preserve-env cargo xtask bench up`"
    );
    let program = match &args.program {
        Some(program) => program.canonicalize().context("there is no such program")?,
        None => step("build", trial::release_build)?,
    };
    let scratch = tempfile::Builder::new().prefix("mayfly-bench-").tempdir()?;
    let mut report = Report::default();
    let mayfly = Mayfly::new(&program, &scratch.path().join("mayfly"))?;
    for kind in Kind::ALL {
        let name = format!("first `up` of the {kind} app");
        let first = step(&name, || {
            first::measure(&program, scratch.path(), kind, args.first_runs)
        })?;
        report.first.insert(kind, first);
    }
    mayfly.serve()?;
    let apps = Kind::ALL.map(|kind| App::copy(kind, scratch.path()));
    let apps = apps.into_iter().collect::<Result<Vec<_>>>()?;
    let docker = match args.no_peer {
        true => None,
        false => Some(step("docker", || {
            prepare_docker(&mayfly, &apps, scratch.path())
        })?),
    };
    for app in apps {
        let name = format!("edits of the {} app", app.kind());
        let edits = step(&name, || {
            edits::measure(&mayfly, docker.as_ref(), app, args.runs)
        })?;
        report.edits.push(edits);
    }
    drop(docker);
    mayfly.stop()?;
    report.memory = step("memory", || {
        crowd::memory(&program, scratch.path(), &args.apps)
    })?;
    report.crowd = Some(step("crowd", || {
        crowd::lives(&program, scratch.path(), args.crowd)
    })?);
    report.print(args.json)
}

/// A docker that has the bases of this mayfly.
fn prepare_docker(mayfly: &Mayfly, apps: &[App], scratch: &std::path::Path) -> Result<Docker> {
    setup::want_packages(&["docker.io", "iptables"])?;
    for app in apps {
        mayfly.up(app.folder(), app.name())?.promoted()?;
    }
    let docker = Docker::start(&scratch.join("docker"))?;
    for base in base::all(mayfly.home(), &scratch.join("bases"))? {
        docker.import(&base.folder, &base.tag)?;
    }
    Ok(docker)
}
