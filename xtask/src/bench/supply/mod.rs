//! `cargo xtask bench supply`: what a supply chain costs.

mod log;
pub mod registry;
mod sbom;
mod sign;

use anyhow::Result;
use clap::Subcommand;

/// What of the supply chain is measured.
#[derive(Debug, Subcommand)]
pub enum Supply {
    /// Push and pull of a large blob, beside docker-registry
    Registry(registry::Args),
    /// The bill of materials of a large root filesystem, beside syft
    Sbom(sbom::Args),
    /// Signing and keeping one release with a key, beside cosign
    Sign(sign::Args),
    /// Many entries of the transparency log, and a verification of all
    Log(log::Args),
}

/// Measures and prints.
pub fn run(supply: &Supply) -> Result<()> {
    match supply {
        Supply::Registry(args) => registry::run(args),
        Supply::Sign(args) => sign::run(args),
        Supply::Log(args) => log::run(args),
        Supply::Sbom(args) => {
            let figures = sbom::run(args)?;
            match args.json {
                true => println!("{}", figures.json()),
                false => println!("{}\n{}", figures.table(), figures.summary()),
            }
            Ok(())
        }
    }
}
