//! What the frameworks and standard libraries do with values: where input enters, where it does
//! harm, and what makes it harmless. Tables, one a language; a row is a fact of a documentation.

mod javascript;
mod names;
mod python;

pub(crate) use names::{canonical, is_checker, is_cleaner};

use model::finding::Confidence;
use rustc_hash::FxHashMap as HashMap;

use crate::ir::Tongue;
use crate::taint::harm::{Harm, Harms};

/// Where input enters. A field that is read, or a call (its path ends with `()`).
pub(crate) struct Source {
    /// A dotted path; `*.` at its start stands for any object.
    pub(crate) path: &'static str,
    /// What the input can do.
    pub(crate) harms: Harms,
    /// What it is, in a trace.
    pub(crate) what: &'static str,
}

/// Which argument does harm.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Arg {
    /// By position.
    At(usize),
    /// By position, or by its name.
    Or(usize, &'static str),
    /// By its name alone.
    Named(&'static str),
    /// Any.
    Any,
    /// A field of an object by position.
    Field(usize, &'static str),
    /// The object whose method is called.
    Receiver,
}

/// Under which condition it does harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Under any.
    Always,
    /// The argument is a text, not a list: a shell reads it.
    Text,
    /// A shell was asked for, or the program itself is input.
    Shell,
    /// The text has words of SQL; without them it is less sure.
    Sql,
    /// The answer is HTML: no other content type was set, and it is no object.
    Page,
    /// No root folder is given that confines it.
    Unrooted,
    /// No safe loader is given.
    Unsafe,
    /// The keyword `unsafe_allow_html` is true.
    Allowed,
    /// The text was put together with input.
    Built,
    /// The text holds a tag.
    Tagged,
    /// The argument is an object with input in it.
    Query,
    /// The argument is the whole input.
    Whole,
}

/// Where a value does harm.
pub(crate) struct Sink {
    /// A dotted path; `*.` at its start stands for any object.
    pub(crate) path: &'static str,
    /// Which argument.
    pub(crate) arg: Arg,
    /// Which harm.
    pub(crate) harm: Harm,
    /// Under which condition.
    pub(crate) when: When,
    /// How sure it is when the condition holds.
    pub(crate) confidence: Confidence,
}

/// What a call does to its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Its result can no longer do these.
    Clears(Harms),
    /// Its result says nothing of its arguments.
    Fresh,
    /// Its result is a number.
    Number,
    /// Its result is a path without `..`.
    Resolves,
    /// Its result is JSON.
    Json,
    /// Its result is a part that says nothing of the whole.
    Piece,
    /// Its result is what it was given.
    Same,
}

/// A call whose effect is known.
pub(crate) struct Known {
    /// A dotted path; `*.` at its start stands for any object.
    pub(crate) path: &'static str,
    /// What it does.
    pub(crate) effect: Effect,
}

/// The tables of a language, found by the last name of a path.
pub(crate) struct Tables {
    sources: HashMap<&'static str, Vec<&'static Source>>,
    sinks: HashMap<&'static str, Vec<&'static Sink>>,
    known: HashMap<&'static str, Vec<&'static Known>>,
}

impl Tables {
    /// The tables of a language.
    pub(crate) fn of(tongue: Tongue) -> Self {
        let (sources, sinks, known) = match tongue {
            Tongue::Python => (python::SOURCES, python::SINKS, python::KNOWN),
            Tongue::JavaScript => (javascript::SOURCES, javascript::SINKS, javascript::KNOWN),
        };
        Self {
            sources: by_last(sources, |source| source.path),
            sinks: by_last(sinks, |sink| sink.path),
            known: by_last(known, |known| known.path),
        }
    }

    /// The source at a path, where `full` is `None` for objects that are not known.
    pub(crate) fn source(&self, last: &str, full: Option<&str>) -> Option<&'static Source> {
        let rows = self.sources.get(last)?;
        rows.iter()
            .copied()
            .find(|row| matches(row.path, last, full))
    }

    /// The sinks of a call.
    pub(crate) fn sinks(&self, last: &str, full: Option<&str>) -> Vec<&'static Sink> {
        let rows = self.sinks.get(last).map(Vec::as_slice).unwrap_or_default();
        rows.iter()
            .copied()
            .filter(|row| matches(row.path, last, full))
            .collect()
    }

    /// What is known of a call. A full path counts before a method's name alone.
    pub(crate) fn known(&self, last: &str, full: Option<&str>) -> Option<Effect> {
        let rows = self.known.get(last)?;
        let exact = rows
            .iter()
            .find(|row| !row.path.starts_with("*.") && matches(row.path, last, full));
        let any = || rows.iter().find(|row| row.path.starts_with("*."));
        exact.or_else(any).map(|row| row.effect)
    }
}

fn by_last<T>(
    rows: &'static [T],
    path: impl Fn(&T) -> &'static str,
) -> HashMap<&'static str, Vec<&'static T>> {
    let mut index: HashMap<&'static str, Vec<&'static T>> = HashMap::default();
    for row in rows {
        let path = path(row);
        let last = path.rsplit('.').next().unwrap_or(path);
        index.entry(last).or_default().push(row);
    }
    index
}

/// Whether a row is for a call of `last` at `full`.
fn matches(row: &str, last: &str, full: Option<&str>) -> bool {
    match (row.strip_prefix("*."), full) {
        (Some(rest), None) => rest == last,
        (Some(rest), Some(full)) => full
            .strip_suffix(rest)
            .is_some_and(|before| before.is_empty() || before.ends_with('.')),
        (None, Some(full)) => row == full,
        (None, None) => false,
    }
}
