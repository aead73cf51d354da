//! What a document says about the image that it is of.

use crate::{AppName, Digest, ReleaseNumber, Timestamp};

/// What a document is about; the inventory itself knows no names.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The app.
    pub app: &'a AppName,
    /// Its release, once it has a number.
    pub release: Option<ReleaseNumber>,
    /// The image's manifest.
    pub image: Digest,
    /// When the image was built: documents of one image are equal, whenever they are written.
    pub created_at: Timestamp,
}

impl About<'_> {
    /// The version that documents give the image: `r3`, or its digest.
    pub fn version(&self) -> String {
        match self.release {
            Some(number) => format!("r{number}"),
            None => self.image.to_string(),
        }
    }

    /// The image as a package URL.
    pub fn purl(&self) -> String {
        format!(
            "pkg:oci/{}@{}",
            self.app,
            super::purl::encode(&self.image.to_string())
        )
    }

    /// To the second, as both formats want it.
    pub fn time(&self) -> String {
        self.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}
