//! `cargo xtask interop`: what others' real programs make of mayfly.

mod advisories;
mod debian_registry;
pub mod door;
mod found;
mod keyless;
pub mod laid_out;
pub mod ours;
mod policies;
mod registry;
pub mod sample;
pub mod sbom;
mod signing;

use anyhow::Result;
use clap::Subcommand;

use crate::step::step;

/// What is judged.
#[derive(Debug, Clone, Subcommand)]
pub enum Interop {
    /// The registry, by the conformance program, crane, skopeo and docker
    Registry,
    /// Bills of materials, by schemas, validators, syft and osv-scanner
    Sbom,
    /// Signatures and attestations with a key, by cosign 3 and 2
    Signing,
    /// Signatures of an identity, by cosign 3, npm's verifier and PyPI's, with real services
    Keyless,
    /// The policy and our answers by it, by OPA
    Policies(policies::Args),
    /// What we find of known vulnerabilities, by osv-scanner
    Advisories(advisories::Args),
}

/// Judges one part, or everything.
pub fn run(interop: Option<Interop>) -> Result<()> {
    match interop {
        Some(Interop::Registry) => registry::run(),
        Some(Interop::Sbom) => sbom::run(),
        Some(Interop::Signing) => signing::run(),
        Some(Interop::Keyless) => keyless::run(),
        Some(Interop::Policies(args)) => policies::run(&args),
        Some(Interop::Advisories(args)) => advisories::run(&args),
        None => {
            step("registry", registry::run)?;
            step("signatures", signing::run)?;
            step("keyless signatures", keyless::run)?;
            step("bills of materials", sbom::run)?;
            step("policies", || policies::run(&policies::Args::default()))?;
            step("advisories", || {
                advisories::run(&advisories::Args::default())
            })
        }
    }
}
