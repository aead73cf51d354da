//! Asks recorded questions again before a policy changes, and proves that it does not fail open.

use std::collections::BTreeSet;

use model::policy::{Decision, Message, NOT_EVALUATED, Verdict};
use serde::Serialize;
use serde_json::Value;

use crate::decide::Engine;
use crate::load::Policies;
use crate::mutate::{Mutation, mutations};

/// A question that was asked once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recorded {
    /// The run, or what else people know it by.
    pub name: String,
    /// The question.
    pub input: Value,
}

/// A question that the new policy answers otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// Which.
    pub name: String,
    /// What the old policy says.
    pub was: Decision,
    /// What the new one says.
    pub would_be: Decision,
}

/// A question with less in it that the new policy likes better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opening {
    /// Which question.
    pub name: String,
    /// What is not in it.
    pub mutation: Mutation,
    /// The rules that fell silent.
    pub silenced: Vec<String>,
    /// What is said then. `Pass`: the policy fails open. `Fail`: another rule still denies, and
    /// those that fell silent would not have.
    pub verdict: Verdict,
}

/// What would change, and what is wrong with the new policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rehearsal {
    /// How many questions were asked.
    pub questions: usize,
    /// How many changed questions were asked.
    pub mutations: usize,
    /// Every verdict that would flip.
    pub flips: Vec<Flip>,
    /// Every change that turned a denial into a pass, or made a denying rule fall silent.
    pub openings: Vec<Opening>,
    /// Evidence that can go without a word by the new policy.
    pub unneeded: BTreeSet<String>,
    /// Questions that the new policy cannot answer.
    pub unanswered: BTreeSet<String>,
}

impl Rehearsal {
    /// Whether the new policy never fails open on what was asked.
    pub fn is_closed(&self) -> bool {
        self.openings.is_empty()
    }
}

/// Asks `recorded` by both policies, and asks the new one everything again with less in it.
pub fn rehearse(old: &Policies, new: &Policies, recorded: &[Recorded]) -> Rehearsal {
    let mut rehearsal = Rehearsal::default();
    for question in recorded {
        rehearsal.questions += 1;
        rehearsal.compare(old, new, question);
        rehearsal.narrow(new, question);
    }
    rehearsal
}

impl Rehearsal {
    fn compare(&mut self, old: &Policies, new: &Policies, question: &Recorded) {
        let (was, would_be) = (old.decide(&question.input), new.decide(&question.input));
        if would_be.deny.iter().any(|one| one.rule == NOT_EVALUATED) {
            self.unanswered.insert(question.name.clone());
        }
        if was.verdict != would_be.verdict {
            let name = question.name.clone();
            self.flips.push(Flip {
                name,
                was,
                would_be,
            });
        }
    }

    fn narrow(&mut self, new: &Policies, question: &Recorded) {
        let whole = new.decide(&question.input);
        for (mutation, input) in mutations(&question.input) {
            self.mutations += 1;
            let mut less = new.decide_by(Engine::Bytecode, &input);
            if silenced(&whole, &less).is_some() {
                // The interpreter may still have something against it.
                less = new.decide(&input);
            }
            if mutation.kind.is_of_evidence() && same_words(&whole, &less) {
                self.unneeded.insert(mutation.place.clone());
            }
            if let Some(silenced) = silenced(&whole, &less) {
                self.openings.push(Opening {
                    name: question.name.clone(),
                    mutation,
                    silenced,
                    verdict: less.verdict,
                });
            }
        }
    }
}

fn same_words(one: &Decision, other: &Decision) -> bool {
    one.deny == other.deny && one.warn == other.warn && one.exempt == other.exempt
}

/// The denials that are gone without another one in their place.
fn silenced(whole: &Decision, less: &Decision) -> Option<Vec<String>> {
    let before: BTreeSet<_> = whole.deny.iter().map(identity).collect();
    let after: BTreeSet<_> = less.deny.iter().map(identity).collect();
    let gone: BTreeSet<_> = before.difference(&after).map(|(rule, _)| *rule).collect();
    let is_replaced = after.difference(&before).next().is_some();
    let is_open = !gone.is_empty() && !is_replaced;
    is_open.then(|| gone.into_iter().map(str::to_owned).collect())
}

fn identity(message: &Message) -> (&str, Option<&str>) {
    (&message.rule, message.fingerprint.as_deref())
}
