//! `cargo xtask bench supply`: what a supply chain costs.

pub mod registry;
mod sbom;

use anyhow::Result;
use clap::Subcommand;

/// What of the supply chain is measured.
#[derive(Debug, Subcommand)]
pub enum Supply {
    /// Push and pull of a large blob, beside docker-registry
    Registry(registry::Args),
    /// The bill of materials of a large root filesystem, beside syft
    Sbom(sbom::Args),
}

/// Measures and prints.
pub fn run(supply: &Supply) -> Result<()> {
    match supply {
        Supply::Registry(args) => registry::run(args),
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
