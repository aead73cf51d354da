//! `cargo xtask`: what is done to mayfly's source: setting up a machine, checking, measuring.

#![expect(unreachable_pub, reason = "a program has no outside")]

mod advisories;
mod bench;
mod ci;
mod command;
mod fuzz;
mod guest;
mod http;
mod interop;
mod judges;
mod mayfly;
mod own_crates;
mod place;
mod process;
mod registry;
mod setup;
mod step;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Checks and measures mayfly.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install what building and testing need and this machine lacks
    Setup,
    /// Check everything: format, lints, licences and sources of dependencies, all tests
    Ci,
    /// Match our own crates against known vulnerabilities, as `ci` does
    Crates,
    /// Let parsers of foreign bytes meet bytes that nobody would write
    Fuzz(fuzz::Args),
    /// Measure, beside a peer
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Check on a plain Debian 12 with cgroup v2 and systemd, in an emulated machine
    Guest(guest::Args),
    /// Compile others' programs that judge mayfly, once for each version
    Judges(judges::Args),
    /// Let others' programs judge mayfly
    Interop {
        #[command(subcommand)]
        part: Option<interop::Interop>,
    },
    /// Build mayfly and bring an app up with it
    Try {
        /// The app's folder
        #[arg(default_value = "examples/guestbook")]
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match guest::Boot::of_this_machine() {
        Some(boot) => guest::inside(boot),
        None => run(Cli::parse().task),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            for cause in failure.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Setup => setup::run(),
        Task::Ci => ci::run(),
        Task::Crates => own_crates::check(),
        Task::Bench(bench) => bench::run(&bench),
        Task::Fuzz(args) => fuzz::run(&args),
        Task::Guest(args) => guest::run(&args),
        Task::Interop { part } => interop::run(part),
        Task::Judges(args) => judges::run(&args),
        Task::Try { folder } => trial::run(&folder),
    }
}
