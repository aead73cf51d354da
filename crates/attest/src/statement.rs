//! In-toto statements: what is said about which image.
//!
//! Source: in-toto Attestation Framework, spec/v1/statement.md.

use std::collections::BTreeMap;

use model::Digest;
use model::attestation::{PredicateType, Subject};
use model::verification::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const TYPES: [&str; 2] = [
    "https://in-toto.io/Statement/v1",
    "https://in-toto.io/Statement/v0.1",
];

#[derive(Serialize)]
struct Made<'a> {
    _type: &'static str,
    subject: [Named<'a>; 1],
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    predicate: &'a RawValue,
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    digest: BTreeMap<&'static str, String>,
}

/// The text of a statement; `predicate` stays as it was written.
pub(crate) fn make(
    subject: &Subject,
    kind: &PredicateType,
    predicate: &RawValue,
) -> Result<Vec<u8>, serde_json::Error> {
    let name = subject.name.as_str();
    let digest = BTreeMap::from([("sha256", subject.digest.hex())]);
    serde_json::to_vec(&Made {
        _type: TYPES[0],
        subject: [Named { name, digest }],
        predicate_type: kind.uri(),
        predicate,
    })
}

/// A statement, as anybody may have made it.
#[derive(Debug, Deserialize)]
pub(crate) struct Statement {
    _type: String,
    subject: Vec<Resource>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
}

#[derive(Debug, Deserialize)]
struct Resource {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// Reads a statement of a known version.
    pub(crate) fn read(text: &[u8]) -> Result<Self, Refusal> {
        let read: Self =
            serde_json::from_slice(text).map_err(|error| Refusal::Malformed(error.to_string()))?;
        match TYPES.contains(&read._type.as_str()) {
            true => Ok(read),
            false => Err(Refusal::Malformed(format!(
                "`{}` is no statement of a known version",
                read._type
            ))),
        }
    }

    /// What it says about `image`; refused when it is about something else.
    pub(crate) fn about(&self, image: &Digest) -> Result<PredicateType, Refusal> {
        let digests: Vec<String> = (self.subject.iter())
            .flat_map(|resource| &resource.digest)
            .map(|(algorithm, hex)| format!("{algorithm}:{hex}"))
            .collect();
        match digests.contains(&image.to_string()) {
            true => Ok(self.predicate_type.clone().into()),
            false => Err(Refusal::WrongSubject {
                expected: *image,
                found: digests,
            }),
        }
    }
}
