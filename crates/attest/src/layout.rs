//! Where signed documents lie in a registry, so that cosign 2, cosign 3 and all who read OCI 1.1
//! referrers find them.
//!
//! Pure: what comes out is bytes to put into a registry, parts first, then their manifest.

use base64::prelude::{BASE64_STANDARD, Engine};
use model::Digest;
use model::attestation::{Artifact, Document, Layout, Part, PredicateType, Signed, Subject};
use ports::SignerError;
use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::media_type::{BUNDLE, CONFIG, EMPTY, ENVELOPE, INDEX, MANIFEST, SIMPLE_SIGNING};

/// Every manifest for all that was signed about `subject`.
///
/// A layout of which nothing was signed is left out: keyless signatures make no tags of cosign 2,
/// which wants a promise that today's public logs do not give.
pub fn lay_out(subject: &Subject, signed: &[Signed]) -> Result<Vec<Artifact>, SignerError> {
    let mut referrers = Vec::new();
    for one in signed {
        referrers.extend(referrers_of(subject, one)?);
    }
    let list = referrers_tag(subject, &referrers);
    let tagged = [
        signature_tag(subject, signed),
        attestation_tag(subject, signed)?,
    ];
    let all = tagged.into_iter().flatten();
    Ok(all.chain(referrers).chain(list).collect())
}

/// The tag that cosign derives from an image's digest.
pub fn tag(image: &Digest, suffix: &str) -> String {
    format!("sha256-{}{suffix}", image.hex())
}

/// Reads a layer of a manifest that was found in a registry; the annotation holds the signature of
/// the kind that has none inside.
pub fn document(media_type: &str, text: String, annotations: &Value) -> Document {
    let signature = annotations[SIGNATURE].as_str().map(str::to_owned);
    let media_type = media_type.to_owned();
    let is_outside = media_type == SIMPLE_SIGNING;
    Document {
        signature: signature.filter(|_| is_outside),
        media_type,
        text,
    }
}

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

fn signature_tag(subject: &Subject, signed: &[Signed]) -> Option<Artifact> {
    let documents = signed.iter().flat_map(|one| &one.documents);
    let simple = documents.filter(|document| document.media_type == SIMPLE_SIGNING);
    let layers = simple.map(|document| {
        let annotations = json!({ SIGNATURE: document.signature });
        (
            part(SIMPLE_SIGNING, document.text.clone().into_bytes()),
            annotations,
        )
    });
    tagged(subject, Layout::SignatureTag, ".sig", layers.collect())
}

fn attestation_tag(subject: &Subject, signed: &[Signed]) -> Result<Option<Artifact>, SignerError> {
    let mut layers = Vec::new();
    for one in signed
        .iter()
        .filter(|one| one.kind != PredicateType::Signature)
    {
        for bundle in bundles(one)? {
            // Whoever reads tags knows keys only.
            if bundle.verification_material.public_key.is_some() {
                let envelope = serde_json::to_vec(&bundle.dsse_envelope).unwrap_or_default();
                let annotations = json!({ SIGNATURE: "", "predicateType": one.kind.uri() });
                layers.push((part(ENVELOPE, envelope), annotations));
            }
        }
    }
    Ok(tagged(subject, Layout::AttestationTag, ".att", layers))
}

/// A manifest with the shape of an image, as cosign 2 writes them.
fn tagged(
    subject: &Subject,
    layout: Layout,
    suffix: &str,
    layers: Vec<(Part, Value)>,
) -> Option<Artifact> {
    if layers.is_empty() {
        return None;
    }
    let diff_ids: Vec<_> = layers.iter().map(|(layer, _)| layer.digest).collect();
    let config = json!({
        "architecture": "", "os": "", "config": {},
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = part(CONFIG, config.to_string().into_bytes());
    let described = layers.iter().map(|(layer, annotations)| {
        let mut descriptor = descriptor(layer);
        descriptor["annotations"] = annotations.clone();
        descriptor
    });
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(&config),
        "layers": described.collect::<Vec<_>>(),
    });
    let layers = layers.into_iter().map(|(layer, _)| layer);
    Some(Artifact {
        layout,
        tag: Some(tag(&subject.digest, suffix)),
        manifest: part(MANIFEST, manifest.to_string().into_bytes()),
        parts: layers.chain([config]).collect(),
    })
}

fn referrers_of(subject: &Subject, signed: &Signed) -> Result<Vec<Artifact>, SignerError> {
    let bundles = signed
        .documents
        .iter()
        .filter(|one| one.media_type == BUNDLE);
    Ok(bundles
        .map(|bundle| referrer(subject, signed, bundle))
        .collect())
}

fn referrer(subject: &Subject, signed: &Signed, bundle: &Document) -> Artifact {
    let layer = part(BUNDLE, bundle.text.clone().into_bytes());
    let config = part(EMPTY, b"{}".to_vec());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": descriptor(&config),
        "layers": [descriptor(&layer)],
        "subject": subject_descriptor(subject),
        "annotations": referrer_annotations(signed),
    });
    Artifact {
        layout: Layout::Referrer,
        tag: None,
        manifest: part(MANIFEST, manifest.to_string().into_bytes()),
        parts: vec![layer, config],
    }
}

fn referrer_annotations(signed: &Signed) -> Value {
    json!({
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": signed.kind.uri(),
        "org.opencontainers.image.created": signed.at,
    })
}

/// For a registry without a referrers API (OCI distribution-spec 1.1, "Referrers Tag Schema").
fn referrers_tag(subject: &Subject, referrers: &[Artifact]) -> Option<Artifact> {
    if referrers.is_empty() {
        return None;
    }
    let listed = referrers.iter().map(|referrer| {
        let manifest: Value = serde_json::from_slice(&referrer.manifest.bytes).unwrap_or_default();
        let mut descriptor = descriptor(&referrer.manifest);
        descriptor["artifactType"] = BUNDLE.into();
        descriptor["annotations"] = manifest["annotations"].clone();
        descriptor
    });
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": listed.collect::<Vec<_>>(),
    });
    Some(Artifact {
        layout: Layout::ReferrersTag,
        tag: Some(tag(&subject.digest, "")),
        manifest: part(INDEX, index.to_string().into_bytes()),
        parts: Vec::new(),
    })
}

fn bundles(signed: &Signed) -> Result<Vec<Bundle>, SignerError> {
    let bundles = signed
        .documents
        .iter()
        .filter(|one| one.media_type == BUNDLE);
    let read = bundles.map(|document| {
        Bundle::read(&document.text).map_err(|why| SignerError::BadDocument {
            kind: signed.kind.clone(),
            why: why.to_string(),
        })
    });
    read.collect()
}

fn part(media_type: &str, bytes: Vec<u8>) -> Part {
    Part {
        media_type: media_type.into(),
        digest: Digest::of(&bytes),
        bytes,
    }
}

fn descriptor(part: &Part) -> Value {
    json!({
        "mediaType": part.media_type,
        "digest": part.digest,
        "size": part.bytes.len(),
    })
}

fn subject_descriptor(subject: &Subject) -> Value {
    json!({
        "mediaType": subject.media_type,
        "digest": subject.digest,
        "size": subject.size_bytes,
    })
}

/// The Base64 of a signature, as annotations have it.
pub(crate) fn written(signature: &[u8]) -> String {
    BASE64_STANDARD.encode(signature)
}
