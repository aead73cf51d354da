//! What a function does, in terms of its parameters.

use model::finding::Confidence;

use super::harm::{Harm, Harms};
use super::intern::{OriginId, Sym};
use super::value::{ClassKey, Value};
use crate::ir::{Span, Tongue};
use crate::tables::When;

/// More effects of one function are not kept.
pub(crate) const EFFECTS: usize = 48;

/// Where something does harm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// The file.
    pub(crate) module: u32,
    /// The place.
    pub(crate) span: Span,
}

/// A sink with all of its condition but what the value's shape says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Drain {
    /// Which harm.
    pub(crate) harm: Harm,
    /// What the value's shape must say.
    pub(crate) when: When,
    /// How sure it is.
    pub(crate) confidence: Confidence,
    /// Whether words of SQL must be seen: the method's name says too little.
    pub(crate) is_strict: bool,
    /// Of which language.
    pub(crate) tongue: Tongue,
    /// Where.
    pub(crate) at: Place,
}

/// What a function does besides its result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doing {
    /// A parameter does harm.
    Drains(Drain, Value),
    /// A field of all objects of a class gets a value.
    Field(ClassKey, Sym, Value),
    /// A file's variable gets a value.
    Global(u32, Sym, Value),
    /// A parameter is called.
    Calls(OriginId, Vec<Value>),
    /// Something is put into a parameter.
    Fills(OriginId, Value),
}

/// What a function does, in terms of its parameters.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Summary {
    /// Its result.
    pub(crate) result: Value,
    /// What else it does.
    pub(crate) doings: Vec<Doing>,
    /// What it has checked when it comes back.
    pub(crate) checks: Vec<(OriginId, Harms)>,
    /// What it has checked when it says yes.
    pub(crate) checks_if_true: Vec<(OriginId, Harms)>,
    /// Whether it never comes back.
    pub(crate) is_final: bool,
}
