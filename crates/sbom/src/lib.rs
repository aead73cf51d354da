//! What is in an image, as its own files say it: an inventory, and the bills of materials that
//! others read (SPDX 2.3, CycloneDX 1.6).
//!
//! [`catalogue`] looks at the unpacked layers and nothing else. It runs nothing, follows no link of
//! the file system, and reads each file up to a limit: an image is hostile input. What cannot be
//! read becomes a [`Problem`] and never silence.
//!
//! The documents are written from structs of our own. The crates that are made from the schemas
//! would bring three generations of `syn`, a schema compiler at build time and a second `thiserror`
//! for some forty fields; the schemas themselves judge the documents in `cargo xtask interop`.

mod about;
mod binary;
mod catalogue;
mod cyclonedx;
mod debian;
mod diff;
pub mod fuzz;
mod inventory;
mod licence;
mod limits;
mod lock;
mod node;
mod package;
mod problem;
mod purl;
mod python;
mod spdx;
mod text;
mod tree;

pub use about::About;
pub use catalogue::{Image, SbomError, catalogue};
pub use diff::{Change, Diff, Versioned, diff};
pub use inventory::{Distribution, Inventory};
pub use limits::Limits;
pub use package::{Ecosystem, Package, Presence, Runtime, Source};
pub use problem::{Problem, ProblemKind};
pub use purl::Purl;
