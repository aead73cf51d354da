//! What a document says, for those who have verified it.

use model::attestation::Document;
use serde_json::Value;

use crate::bundle::Bundle;
use crate::dsse::Envelope;
use crate::media_type::{BUNDLE, ENVELOPE};

/// The predicate of a document, `null` for a plain signature that has none. Says nothing about
/// whether the document holds: ask [`crate::Trust`] first.
pub fn predicate(document: &Document) -> Value {
    let envelope = match document.media_type.as_str() {
        BUNDLE => Bundle::read(&document.text).map(|bundle| bundle.dsse_envelope),
        ENVELOPE => Envelope::read(&document.text),
        _ => return Value::Null,
    };
    let opened = envelope.and_then(|envelope| envelope.open());
    let statement = opened
        .ok()
        .and_then(|opened| serde_json::from_slice::<Value>(&opened.statement).ok());
    statement
        .and_then(|mut statement| Some(statement.get_mut("predicate")?.take()))
        .unwrap_or_default()
}
