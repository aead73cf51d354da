//! Two answers to one question.
//!
//! Ours is recorded after what is let pass was lifted: a denial that an exemption names stands among
//! the warnings. OPA knows the three sets alone, so its answer is settled by the same rule here,
//! written once more: a fault in ours would show.

use std::fmt;

use anyhow::{Context, Result};
use serde_json::Value;

/// The sets of an answer.
pub(super) const ENTRIES: [&str; 3] = ["deny", "warn", "exempt"];

/// What stands where we could not evaluate a policy.
const NOT_EVALUATED: &str = "policy.not_evaluated";

/// A set that is not the same.
#[derive(Debug)]
pub(super) struct Difference {
    question: usize,
    entry: &'static str,
    only_ours: Vec<String>,
    only_theirs: Vec<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            question,
            entry,
            only_ours,
            only_theirs,
        } = self;
        write!(
            f,
            "question {question}, `{entry}`: only we say {only_ours:?}, only OPA {only_theirs:?}"
        )
    }
}

/// Answers beside each other.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) differences: Vec<Difference>,
    /// Questions that we could not evaluate, and denied for that; OPA denies them for something else.
    pub(super) unanswered: usize,
}

impl Compared {
    /// Adds the sets in which an answer of ours and one of OPA's differ.
    pub(super) fn add(&mut self, question: usize, ours: &Value, theirs: Value) -> Result<()> {
        let theirs = settled(theirs)?;
        let has_failed = ours["deny"][0]["rule"] == NOT_EVALUATED;
        if has_failed && ours["verdict"] == "fail" && !theirs[0].is_empty() {
            self.unanswered += 1;
            return Ok(());
        }
        for (entry, theirs) in ENTRIES.into_iter().zip(theirs) {
            let ours = ours[entry].as_array();
            let ours = ours.with_context(|| format!("our answer has no `{entry}`"))?;
            let (ours, theirs) = (texts(ours), texts(&theirs));
            if ours != theirs {
                self.differences.push(Difference {
                    question,
                    entry,
                    only_ours: without(&ours, &theirs),
                    only_theirs: without(&theirs, &ours),
                });
            }
        }
        Ok(())
    }
}

/// Sorted; a message that is there twice is there twice.
fn texts(messages: &[Value]) -> Vec<String> {
    let mut texts: Vec<String> = messages.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

fn without(some: &[String], others: &[String]) -> Vec<String> {
    some.iter()
        .filter(|one| !others.contains(one))
        .cloned()
        .collect()
}

/// OPA's sets as a decision has them.
fn settled(mut said: Value) -> Result<[Vec<Value>; 3]> {
    let mut set = |entry: &str| -> Result<Vec<Value>> {
        let messages = said[entry].take();
        let messages = messages
            .as_array()
            .with_context(|| format!("OPA says no `{entry}`"))?;
        Ok(messages.iter().map(|one| message(entry, one)).collect())
    };
    let (deny, mut warn, exempt) = (set("deny")?, set("warn")?, set("exempt")?);
    let is_lifted = |one: &Value| exempt.iter().any(|exemption| lifts(exemption, one));
    let (lifted, standing) = deny.into_iter().partition(is_lifted);
    let lifted: Vec<Value> = lifted;
    warn.extend(lifted);
    Ok([standing, warn, exempt])
}

/// A message as a decision writes it: a text alone has the set's name for its rule, and what need
/// not be there is not there as `null`.
fn message(entry: &str, element: &Value) -> Value {
    let mut message = match element {
        Value::String(text) => serde_json::json!({ "rule": entry, "msg": text }),
        other => other.clone(),
    };
    if let Some(fields) = message.as_object_mut() {
        fields.retain(|name, value| {
            !(value.is_null() && matches!(name.as_str(), "next" | "fingerprint"))
        });
    }
    message
}

/// Whether an exemption names the message's rule, and its finding or none.
fn lifts(exemption: &Value, message: &Value) -> bool {
    let finding = exemption.get("fingerprint");
    let is_same = finding.is_none() || finding == message.get("fingerprint");
    message["rule"] != NOT_EVALUATED && message["rule"] == exemption["rule"] && is_same
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn compare(ours: &Value, theirs: &Value) -> Result<Compared> {
        let mut compared = Compared::default();
        compared.add(0, ours, theirs.clone())?;
        Ok(compared)
    }

    #[test]
    fn equal_answers_are_no_difference_whatever_their_order() {
        let a = json!({"rule": "a", "msg": "x"});
        let b = json!({"rule": "b", "msg": "y", "fingerprint": "f-1"});
        let granted = json!({"rule": "b", "msg": "granted", "fingerprint": "f-1"});
        let ours = json!({"deny": [a], "warn": [b], "exempt": [granted]});
        let bare = json!({"rule": "a", "msg": "x", "fingerprint": null});
        let theirs = json!({"deny": [b, bare], "warn": [], "exempt": [granted]});
        assert!(
            compare(&ours, &theirs)
                .expect("compared")
                .differences
                .is_empty()
        );
    }

    #[test]
    fn one_word_too_many_or_too_few_is_a_difference() {
        let a = json!({"rule": "a", "msg": "x"});
        let ours = json!({"deny": [a], "warn": [], "exempt": []});
        for theirs in [
            json!({"deny": [], "warn": [], "exempt": []}),
            json!({"deny": [a], "warn": ["x"], "exempt": []}),
            json!({"deny": [{"rule": "a", "msg": "y"}], "warn": [], "exempt": []}),
            json!({"deny": [a], "warn": [], "exempt": [{"rule": "a", "msg": "granted"}]}),
        ] {
            let compared = compare(&ours, &theirs).expect("compared");
            assert!(!compared.differences.is_empty(), "{theirs}");
        }
        assert!(compare(&ours, &json!({})).is_err());
    }

    #[test]
    fn what_we_could_not_evaluate_has_to_be_denied_by_both() {
        let failed = json!({"rule": NOT_EVALUATED, "msg": "x"});
        let ours = json!({"verdict": "fail", "deny": [failed], "warn": [], "exempt": []});
        let a = json!({"rule": "a", "msg": "x"});
        let denies = json!({"deny": [a], "warn": [], "exempt": []});
        let passes = json!({"deny": [], "warn": [a], "exempt": []});
        let (denied, passed) = (compare(&ours, &denies), compare(&ours, &passes));
        assert_eq!(denied.expect("compared").unanswered, 1);
        assert!(!passed.expect("compared").differences.is_empty());
    }
}
