//! Questions with less in them than there was: what a policy must not take for good news.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::place::{Place, Step};

/// So many elements of one list are changed; the others look the same.
const ELEMENTS: usize = 4;
/// So many changes of one question are tried.
const MOST: usize = 5_000;

/// What was done to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MutationKind {
    /// A field is not there.
    Dropped,
    /// A field is `null`.
    Nulled,
    /// A list has no elements.
    Emptied,
    /// A piece of evidence is missing, and what it found with it.
    EvidenceMissing,
    /// A piece of evidence says nothing, and so does what it found.
    EvidenceInconclusive,
}

impl MutationKind {
    /// As people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Nulled => "set to null",
            Self::Emptied => "emptied",
            Self::EvidenceMissing => "made missing",
            Self::EvidenceInconclusive => "made inconclusive",
        }
    }

    /// Whether a whole piece of evidence was taken.
    pub fn is_of_evidence(self) -> bool {
        matches!(self, Self::EvidenceMissing | Self::EvidenceInconclusive)
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mutation {
    /// What was done.
    pub kind: MutationKind,
    /// To what: `findings.list[0].severity`.
    pub place: String,
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.place, self.kind.as_str())
    }
}

/// All changes of `input`, each with the changed question.
pub(crate) fn mutations(input: &Value) -> impl Iterator<Item = (Mutation, Value)> + '_ {
    let mut found = Vec::new();
    collect(input, &Place::default(), &mut found);
    found.truncate(MOST);
    found.into_iter().filter_map(|(kind, place)| {
        let changed = changed(input, kind, &place)?;
        let place = place.to_string();
        Some((Mutation { kind, place }, changed))
    })
}

/// All changed questions of `input`: a field dropped or set to null, a list emptied, a piece of
/// evidence taken.
pub fn changes(input: &Value) -> impl Iterator<Item = Value> + '_ {
    mutations(input).map(|(_, changed)| changed)
}

fn collect(value: &Value, at: &Place, found: &mut Vec<(MutationKind, Place)>) {
    match value {
        Value::Object(fields) => {
            if fields.get("state").is_some_and(Value::is_string) {
                found.push((MutationKind::EvidenceMissing, at.clone()));
                found.push((MutationKind::EvidenceInconclusive, at.clone()));
            }
            for (name, inner) in fields {
                let place = at.then(Step::Field(name.clone()));
                found.push((MutationKind::Dropped, place.clone()));
                if !inner.is_null() {
                    found.push((MutationKind::Nulled, place.clone()));
                }
                collect(inner, &place, found);
            }
        }
        Value::Array(items) => {
            if !items.is_empty() {
                found.push((MutationKind::Emptied, at.clone()));
            }
            for (index, inner) in items.iter().enumerate().take(ELEMENTS) {
                collect(inner, &at.then(Step::Index(index)), found);
            }
        }
        _ => {}
    }
}

fn changed(input: &Value, kind: MutationKind, place: &Place) -> Option<Value> {
    if kind == MutationKind::Dropped {
        return place.removed_from(input);
    }
    let mut changed = input.clone();
    let target = place.get_mut(&mut changed)?;
    match kind {
        MutationKind::Dropped | MutationKind::Nulled => *target = Value::Null,
        MutationKind::Emptied => *target = Value::Array(Vec::new()),
        MutationKind::EvidenceMissing => hollow(target.as_object_mut()?, "missing"),
        MutationKind::EvidenceInconclusive => hollow(target.as_object_mut()?, "inconclusive"),
    }
    Some(changed)
}

/// Leaves of evidence nothing but that there is none.
fn hollow(evidence: &mut Map<String, Value>, state: &str) {
    for (name, value) in evidence.iter_mut() {
        *value = match (name.as_str(), &*value) {
            ("state", _) => Value::from(state),
            (_, Value::Array(_)) => Value::Array(Vec::new()),
            (_, Value::Object(_)) => Value::Object(Map::new()),
            (_, Value::Number(_)) => Value::from(0),
            (_, Value::Bool(_)) => Value::Bool(false),
            (_, Value::String(_) | Value::Null) => Value::Null,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_field_goes_each_list_empties_and_each_piece_of_evidence_says_nothing() {
        let input = json!({"a": {"state": "done", "list": [{"b": 1}], "total": 1}});
        let all: Vec<_> = mutations(&input).collect();
        let told: Vec<_> = all.iter().map(|(one, _)| one.to_string()).collect();
        for expected in [
            "`a` dropped",
            "`a` set to null",
            "`a` made missing",
            "`a` made inconclusive",
            "`a.list` emptied",
            "`a.list` dropped",
            "`a.list[0].b` dropped",
            "`a.state` set to null",
        ] {
            assert!(
                told.iter().any(|one| one == expected),
                "{expected}: {told:?}"
            );
        }
        let hollow = all
            .iter()
            .find(|(one, _)| one.to_string() == "`a` made missing");
        let hollow = hollow.map(|(_, changed)| changed);
        let expected = json!({"a": {"state": "missing", "list": [], "total": 0}});
        assert_eq!(hollow, Some(&expected));
        assert!(all.iter().all(|(_, changed)| *changed != input));
    }
}
