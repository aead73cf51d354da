//! One file a stage. Each records evidence; later stages see that only.

pub mod build;
pub mod rollout;
pub mod sbom;
pub mod sign;
pub mod verify;
