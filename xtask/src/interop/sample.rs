//! An image that nobody unpacks: it is there to be signed.

use anyhow::Result;
use serde_json::json;

use super::door::Door;
use super::laid_out::digest;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A configuration and a layer.
const BLOBS: [&str; 2] = [r#"{"architecture":"amd64","os":"linux"}"#, "a layer"];

/// An image's manifest; another name makes another image.
pub fn manifest(name: &str) -> String {
    let described = |media_type: &str, blob: &str| {
        json!({
            "mediaType": media_type,
            "digest": digest(blob),
            "size": blob.len(),
        })
    };
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", BLOBS[0]),
        "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", BLOBS[1])],
        "annotations": { "name": name },
    })
    .to_string()
}

/// Puts an image into a repository.
pub fn put(door: &Door, repository: &str, manifest: &str) -> Result<()> {
    for blob in BLOBS {
        door.put_blob(repository, &digest(blob), blob.as_bytes())?;
    }
    let bytes = manifest.as_bytes();
    door.put_manifest(repository, &digest(manifest), MANIFEST, bytes)
}
