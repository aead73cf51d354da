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

mod binary;
mod catalogue;
mod cataloguer;
mod cyclonedx;
mod debian;
mod draft;
pub mod fuzz;
mod licence;
mod limits;
mod lock;
mod node;
mod problem;
mod python;
mod spdx;
mod text;
mod tree;

pub use catalogue::{Image, SbomError, catalogue};
pub use cataloguer::LayerCataloguer;
pub use limits::Limits;

use model::inventory::{About, BillFormat, Inventory};

/// An inventory as a bill of materials that others read. Equal arguments make equal bytes.
pub fn bill(format: BillFormat, inventory: &Inventory, about: &About<'_>) -> Vec<u8> {
    match format {
        BillFormat::Spdx => spdx::document(inventory, about),
        BillFormat::CycloneDx => cyclonedx::document(inventory, about),
    }
}
