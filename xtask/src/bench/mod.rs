//! `cargo xtask bench`: figures, each beside its peer's in the same run.

mod build;
mod gates;
mod proxy;
mod stats;
mod supply;
mod table;
mod up;

pub use up::docker;

use anyhow::Result;
use clap::Subcommand;

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum Bench {
    /// CPU time a request of the edge, beside nginx's
    Proxy(proxy::Args),
    /// From folder to URL, beside docker: times, sizes, memory
    Up(up::Args),
    /// The supply chain: bills of materials, the registry
    #[command(subcommand)]
    Supply(supply::Supply),
    /// Faults found in small apps, beside others' tools; popular packages that are stopped; speed
    Gates(gates::Args),
    /// A clean release build, and a one-line change back under test
    Build(build::Args),
}

/// Measures and prints.
pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Proxy(args) => proxy::run(args),
        Bench::Build(args) => build::run(args),
        Bench::Gates(args) => gates::run(args),
        Bench::Up(args) => up::run(args),
        Bench::Supply(supply) => supply::run(supply),
    }
}
