//! Lists what is in an image.

use std::path::PathBuf;

use async_trait::async_trait;
use model::Failure;
use model::inventory::{About, BillFormat, Inventory, Runtime};

/// Lists what is in images, from their own files.
#[async_trait]
pub trait Cataloguer: Send + Sync {
    /// What is in the image of these unpacked `layers`, lowest first, and the `runtime` that it
    /// needs besides. Nobody may write to the folders meanwhile. What cannot be read is a problem
    /// of the inventory; it fails only when a layer is not there.
    async fn catalogue(
        &self,
        layers: Vec<PathBuf>,
        runtime: Vec<Runtime>,
    ) -> Result<Inventory, Failure>;

    /// An inventory as a bill of materials that others read. Equal arguments make equal bytes.
    fn bill(&self, format: BillFormat, inventory: &Inventory, about: &About<'_>) -> Vec<u8>;
}
