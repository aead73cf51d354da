//! `cargo xtask interop`: what others' real programs make of mayfly.

mod go;
mod registry;

use anyhow::Result;
use clap::Subcommand;

use crate::step::step;

/// What is judged.
#[derive(Debug, Subcommand)]
pub enum Interop {
    /// The registry, by the conformance program, crane, skopeo and docker
    Registry,
}

/// Judges one part, or everything.
pub fn run(interop: Option<&Interop>) -> Result<()> {
    match interop {
        Some(Interop::Registry) => registry::run(),
        None => step("registry", registry::run),
    }
}
