//! `cargo xtask guest`: what depends on cgroups, namespaces and systemd, checked on a plain Debian 12
//! with pure cgroup v2, in an emulated machine.
//!
//! The machine has no network: caches are filled here and copied in. It is some ten times slower
//! than this one, so nothing is measured there.

mod apps;
mod disk;
mod inside;
mod machine;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::command;
use crate::setup;
use crate::step::step;
use crate::trial;
use machine::Ending;

pub use inside::Boot;

/// What `guest` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Check a mayfly that is built already
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Show all that the machine prints
    #[arg(short, long)]
    verbose: bool,
}

/// Boots the machine twice and prints what passed. Fails when a check did, or did not come.
pub fn run(args: &Args) -> Result<()> {
    ensure!(
        command::is_root(),
        "making a disk takes root: run `sudo --preserve-env cargo xtask guest`"
    );
    step("setup", || {
        setup::want_packages(&["qemu-system-x86", "mmdebstrap", "e2fsprogs"])
    })?;
    let program = match &args.program {
        Some(program) => program.canonicalize().context("there is no such program")?,
        None => step("build", trial::release_build)?,
    };
    let scratch = tempfile::Builder::new()
        .prefix("mayfly-guest-")
        .tempdir_in("/var/tmp")?;
    step("apps", || apps::prepare(&program, scratch.path()))?;
    let disk = step("disk", || disk::make(&program, scratch.path()))?;
    let first = step("first boot", || machine::boot(&disk, args.verbose))?;
    let second = step("second boot", || machine::boot(&disk, args.verbose))?;
    conclude(&[first, second])
}

/// Runs the checks of one boot, inside the machine.
pub fn inside(boot: Boot) -> Result<()> {
    inside::run(boot)
}

fn conclude(boots: &[Ending]) -> Result<()> {
    let passed: usize = boots.iter().map(|boot| boot.passed).sum();
    let failed: usize = boots.iter().map(|boot| boot.failed).sum();
    println!("{passed} checks passed, {failed} failed");
    ensure!(
        boots.iter().all(|boot| boot.complete),
        "a boot ended before its last check"
    );
    ensure!(failed == 0, "{failed} checks failed in the guest");
    Ok(())
}
