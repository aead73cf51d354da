//! `cargo xtask bench supply`: what a supply chain costs.

pub mod registry;
