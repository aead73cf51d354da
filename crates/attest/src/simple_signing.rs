//! cosign's first form of a signature: a payload that names the image.
//!
//! Source: cosign, specs/SIGNATURE_SPEC.md.

use model::Digest;
use model::attestation::Subject;
use model::verification::Refusal;
use serde::{Deserialize, Serialize};

const KIND: &str = "cosign container image signature";

#[derive(Debug, Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    optional: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// The text that is signed.
pub(crate) fn make(subject: &Subject) -> Result<String, serde_json::Error> {
    let identity = Identity {
        docker_reference: subject.name.clone(),
    };
    let image = Image {
        docker_manifest_digest: subject.digest.to_string(),
    };
    let kind = KIND.into();
    serde_json::to_string(&Payload {
        critical: Critical {
            identity,
            image,
            kind,
        },
        optional: None,
    })
}

/// Whether a payload names `image`. Its name is not looked at: a copy in another registry is the
/// same image.
pub(crate) fn about(text: &str, image: &Digest) -> Result<(), Refusal> {
    let payload: Payload =
        serde_json::from_str(text).map_err(|error| Refusal::Malformed(error.to_string()))?;
    if payload.critical.kind != KIND {
        let why = format!("`{}` is no signature of an image", payload.critical.kind);
        return Err(Refusal::Malformed(why));
    }
    let found = payload.critical.image.docker_manifest_digest;
    match found == image.to_string() {
        true => Ok(()),
        false => Err(Refusal::WrongSubject {
            expected: *image,
            found: vec![found],
        }),
    }
}
