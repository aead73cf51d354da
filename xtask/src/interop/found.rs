//! What somebody finds in a registry about an image, layout by layout: the layers of signed
//! documents, with their annotations.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::door::Door;

/// The documents of an image in one layout.
pub fn documents(door: &Door, repository: &str, image: &str, layout: &str) -> Result<Vec<Value>> {
    match layout {
        "signature_tag" => tagged(door, repository, &format!("{}.sig", dashed(image))),
        "attestation_tag" => tagged(door, repository, &format!("{}.att", dashed(image))),
        _ => referrers(door, repository, image),
    }
}

fn dashed(image: &str) -> String {
    image.replace(':', "-")
}

fn tagged(door: &Door, repository: &str, tag: &str) -> Result<Vec<Value>> {
    match door.find(repository, "manifests", tag)? {
        None => Ok(Vec::new()),
        Some(manifest) => layers(door, repository, &manifest),
    }
}

/// Those that the registry lists, or its list at the tag when it has no such door (OCI
/// distribution-spec 1.1, "Referrers Tag Schema").
fn referrers(door: &Door, repository: &str, image: &str) -> Result<Vec<Value>> {
    let list = match door.find(repository, "referrers", image)? {
        None => door.find(repository, "manifests", &dashed(image))?,
        listed => listed,
    };
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let list: Value = serde_json::from_slice(&list)?;
    let mut found = Vec::new();
    for referrer in list["manifests"].as_array().context("a list")? {
        let digest = referrer["digest"].as_str().context("a digest")?;
        let manifest = door.get(repository, "manifests", digest)?;
        found.extend(layers(door, repository, &manifest)?);
    }
    Ok(found)
}

fn layers(door: &Door, repository: &str, manifest: &[u8]) -> Result<Vec<Value>> {
    let manifest: Value = serde_json::from_slice(manifest)?;
    let layers = manifest["layers"].as_array().into_iter().flatten();
    let read = layers.map(|layer| {
        let digest = layer["digest"].as_str().context("a digest")?;
        let blob = door.get(repository, "blobs", digest)?;
        Ok(json!({
            "media_type": layer["mediaType"],
            "annotations": layer["annotations"],
            "text": String::from_utf8(blob)?,
        }))
    });
    read.collect()
}
