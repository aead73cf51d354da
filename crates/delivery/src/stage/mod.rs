//! One file a stage. Each records evidence; later stages see that only.

pub mod build;
pub mod checks;
pub mod policy;
pub mod rollout;
pub mod sbom;
pub mod scan;
pub mod sign;
pub mod tests;
pub mod verify;
