//! The parts of the registry that read what clients send.

#[path = "../../crates/store/src/registry/failure.rs"]
pub(crate) mod failure;
#[path = "../../crates/store/src/registry/manifest.rs"]
pub(crate) mod manifest;
#[path = "../../crates/store/src/registry/name.rs"]
pub(crate) mod name;
