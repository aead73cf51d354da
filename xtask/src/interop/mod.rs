//! `cargo xtask interop`: what others' real programs make of mayfly.

mod go;
mod registry;
pub mod sbom;
mod signing;

use anyhow::Result;
use clap::Subcommand;

use crate::step::step;

/// What is judged.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum Interop {
    /// The registry, by the conformance program, crane, skopeo and docker
    Registry,
    /// Bills of materials, by schemas, validators and syft
    Sbom,
    /// Signatures and attestations, by cosign 3 and 2
    Signing,
}

/// Judges one part, or everything.
pub fn run(interop: Option<Interop>) -> Result<()> {
    match interop {
        Some(Interop::Registry) => registry::run(),
        Some(Interop::Sbom) => sbom::run(),
        Some(Interop::Signing) => signing::run(),
        None => {
            step("registry", registry::run)?;
            step("bills of materials", sbom::run)?;
            step("signatures", signing::run)
        }
    }
}
