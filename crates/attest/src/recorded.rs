//! When a document was signed at the latest, as the transparency log proves it.

use model::attestation::Document;
use model::verification::Refusal;
use model::{Digest, Timestamp};
use ports::Recorded;
use serde_json::Value;

use crate::log::LogVerifier;

/// The time of the log's entry that names `document`, or the evidence that does.
pub(crate) fn proven_at(
    log: Option<&LogVerifier>,
    recorded: &Recorded,
    document: &Document,
) -> Result<Timestamp, Refusal> {
    let refused = |why: String| Refusal::Log(why);
    let log = log.ok_or_else(|| refused("no log is trusted".into()))?;
    let checked = log.check_inclusion(&recorded.inclusion);
    checked.map_err(|error| refused(error.to_string()))?;
    let entry = read(&recorded.inclusion.entry)?;
    let is_named = match &recorded.evidence {
        Some(evidence) => {
            names(&entry, &[&digest(evidence)]) && has(&read(evidence)?, &document.text)
        }
        None => has(&entry, &document.text),
    };
    if !is_named {
        return Err(refused("the entry is about something else".into()));
    }
    let at = entry["at"].as_str().unwrap_or_default();
    at.parse()
        .map_err(|_| refused("the entry has no time".into()))
}

fn read(text: &str) -> Result<Value, Refusal> {
    serde_json::from_str(text).map_err(|error| Refusal::Log(error.to_string()))
}

fn digest(text: &str) -> String {
    Digest::of(text.as_bytes()).to_string()
}

/// Whether a document, or its digest, is a string anywhere in `value`.
fn has(value: &Value, text: &str) -> bool {
    names(value, &[text, &digest(text)])
}

fn names(value: &Value, any_of: &[&str]) -> bool {
    match value {
        Value::String(text) => any_of.contains(&text.as_str()),
        Value::Array(values) => values.iter().any(|value| names(value, any_of)),
        Value::Object(fields) => fields.values().any(|value| names(value, any_of)),
        _ => false,
    }
}
