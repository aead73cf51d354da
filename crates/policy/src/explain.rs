//! Says which rules decided, and by what in the input.

use std::collections::{BTreeMap, BTreeSet};

use model::policy::{DecidingRule, Decision, EntryPoint, Message};
use serde::Serialize;
use serde_json::Value;

use crate::ast::Definition;
use crate::decide::made_by;
use crate::load::Policies;
use crate::place::{Place, Step, matching};

/// So many elements of lists are tried.
const TRIED: usize = 400;
/// Values longer than this are counted and not shown.
const SHOWN_BYTES: usize = 200;

/// One message, and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained {
    /// What the message speaks for.
    pub entry: EntryPoint,
    /// The message.
    pub message: Message,
    /// The rules that can have made it.
    pub rules: Vec<DecidingRule>,
    /// The places of the input that those rules looked at.
    pub seen: Vec<Seen>,
}

/// One place of the input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// Where: `vulnerabilities.list[3].severity`.
    pub place: String,
    /// What is there, or how much of it; none when nothing is.
    pub value: Option<Value>,
    /// Whether the message would not be there without it. A policy that demands what it needs
    /// does not fall silent when something goes, so only few places are decisive.
    pub is_decisive: bool,
}

impl Policies {
    /// Says for each message of the answer to `input` which rules made it, and what they looked at.
    pub fn explain(&self, input: &Value) -> Vec<Explained> {
        let decision = self.decide(input);
        let mut trial = Trial {
            policies: self,
            input,
            without: BTreeMap::new(),
        };
        messages(&decision)
            .into_iter()
            .map(|(entry, message)| trial.explain(entry, message))
            .collect()
    }
}

/// All messages. What was denied and let pass stands among the warnings.
fn messages(decision: &Decision) -> Vec<(EntryPoint, &Message)> {
    let deny = decision.deny.iter().map(|one| (EntryPoint::Deny, one));
    let warn = decision.warn.iter().map(|one| (EntryPoint::Warn, one));
    let exempt = decision.exempt.iter().map(|one| (EntryPoint::Exempt, one));
    deny.chain(warn).chain(exempt).collect()
}

/// Asks the policy again, each time without one place.
struct Trial<'a> {
    policies: &'a Policies,
    input: &'a Value,
    /// What is said when a place is taken out.
    without: BTreeMap<Place, BTreeSet<String>>,
}

impl Trial<'_> {
    fn explain(&mut self, entry: EntryPoint, message: &Message) -> Explained {
        let definitions = &self.policies.definitions;
        let made = |one: &&Definition| {
            let same =
                one.entry == entry || entry == EntryPoint::Warn && one.entry == EntryPoint::Deny;
            same && made_by(message, one, definitions)
        };
        let makers: Vec<&Definition> = definitions.iter().filter(made).collect();
        let patterns: BTreeSet<&String> = makers.iter().flat_map(|one| &one.looks_at).collect();
        let seen = patterns
            .into_iter()
            .flat_map(|pattern| self.seen(pattern, message));
        let seen = seen.collect();
        let rules = makers.into_iter().map(|one| DecidingRule {
            entry: one.entry,
            rule: one.rule.clone(),
            file: one.file.clone(),
            line: one.line,
            looks_at: one.looks_at.iter().cloned().collect(),
        });
        Explained {
            entry,
            message: message.clone(),
            rules: rules.collect(),
            seen,
        }
    }

    /// The places of a pattern. Of a list's elements only those that the message is about.
    fn seen(&mut self, pattern: &str, message: &Message) -> Vec<Seen> {
        let places = matching(pattern, self.input, TRIED);
        let mut seen = Vec::new();
        for place in places {
            let element = element(&place);
            let is_decisive = self.needs(element.as_ref().unwrap_or(&place), message);
            if element.is_none() || is_decisive {
                seen.push(Seen {
                    value: place.get(self.input).map(shown),
                    place: place.to_string(),
                    is_decisive,
                });
            }
        }
        seen
    }

    /// Whether the message is not there when `place` is taken out.
    fn needs(&mut self, place: &Place, message: &Message) -> bool {
        if !self.without.contains_key(place) && self.without.len() < TRIED {
            let Some(changed) = place.removed_from(self.input) else {
                return false;
            };
            let said = self.policies.decide(&changed);
            let said = messages(&said).into_iter().map(|(_, one)| key(one));
            self.without.insert(place.clone(), said.collect());
        }
        let said = self.without.get(place);
        said.is_some_and(|said| !said.contains(&key(message)))
    }
}

fn key(message: &Message) -> String {
    let fingerprint = message.fingerprint.as_deref().unwrap_or_default();
    format!("{}\0{fingerprint}\0{}", message.rule, message.msg)
}

/// The innermost list element that a place lies in.
fn element(place: &Place) -> Option<Place> {
    let is_index = |step: &Step| matches!(step, Step::Index(_));
    let last = place.0.iter().rposition(is_index)?;
    Some(Place(place.0[..=last].to_vec()))
}

fn shown(value: &Value) -> Value {
    match value {
        Value::Array(items) if value.to_string().len() > SHOWN_BYTES => {
            Value::String(format!("{} elements", items.len()))
        }
        Value::Object(fields) if value.to_string().len() > SHOWN_BYTES => {
            Value::String(format!("{} fields", fields.len()))
        }
        other => other.clone(),
    }
}
