//! The cataloguer that the delivery of an app asks.

use std::path::PathBuf;

use async_trait::async_trait;
use model::Failure;
use model::inventory::{About, BillFormat, Inventory, Runtime};
use ports::Cataloguer;

use crate::{Image, Limits, bill, catalogue};

/// Looks at the unpacked layers of an image.
#[derive(Debug, Clone, Copy, Default)]
pub struct LayerCataloguer {
    limits: Limits,
}

impl LayerCataloguer {
    /// A cataloguer that reads no more than `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits }
    }
}

#[async_trait]
impl Cataloguer for LayerCataloguer {
    async fn catalogue(
        &self,
        layers: Vec<PathBuf>,
        runtime: Vec<Runtime>,
    ) -> Result<Inventory, Failure> {
        let limits = self.limits;
        let work = move || {
            let image = Image {
                layers: &layers,
                runtime: &runtime,
            };
            catalogue(&image, &limits)
        };
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|error| Failure::internal(error.to_string()))?;
        done.map_err(|error| Failure::of(&error))
    }

    fn bill(&self, format: BillFormat, inventory: &Inventory, about: &About<'_>) -> Vec<u8> {
        bill(format, inventory, about)
    }
}
