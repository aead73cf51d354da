//! What the analysis hands back.

use model::finding::Confidence;

use super::harm::Harm;
use crate::ir::{Span, Tongue};

/// One place on a value's way.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// The file, by its place in the list of units.
    pub(crate) unit: u32,
    /// The place.
    pub(crate) span: Span,
    /// What happens.
    pub(crate) what: String,
}

/// Input that reaches where it does harm.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    /// Which harm.
    pub(crate) harm: Harm,
    /// Of which language.
    pub(crate) tongue: Tongue,
    /// How sure it is.
    pub(crate) confidence: Confidence,
    /// The file, by its place in the list of units.
    pub(crate) unit: u32,
    /// Where it does harm.
    pub(crate) span: Span,
    /// How it got there.
    pub(crate) ways: Vec<Way>,
}

/// Which routes something stands before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Covers {
    /// It is a route itself.
    Itself,
    /// Those that are registered below it, in its file.
    Below,
    /// Those of a file.
    Unit(u32),
    /// All.
    All,
}

/// A route, as it was registered, or what stands before some.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FoundRoute {
    /// In capital letters.
    pub(crate) method: String,
    /// As written.
    pub(crate) path: String,
    /// Decorators, dependencies and middleware, by name.
    pub(crate) guards: Vec<String>,
    /// The file of the handler, by its place in the list of units.
    pub(crate) unit: u32,
    /// The handler.
    pub(crate) span: Span,
    /// Where it is registered.
    pub(crate) at: Span,
    /// The file in which it is registered.
    pub(crate) at_unit: u32,
    /// Which routes it stands before.
    pub(crate) covers: Covers,
}

/// A value that a template is given.
#[derive(Debug, Clone)]
pub(crate) struct RenderedValue {
    /// Its name in the template.
    pub(crate) name: String,
    /// Whether it holds input that can do harm in HTML.
    pub(crate) ways: Option<Vec<Way>>,
}

/// A template that is rendered.
#[derive(Debug, Clone)]
pub(crate) struct Render {
    /// Its name, as written.
    pub(crate) template: String,
    /// What it is given.
    pub(crate) values: Vec<RenderedValue>,
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Input that reaches where it does harm.
    pub(crate) reaches: Vec<Reach>,
    /// Routes.
    pub(crate) routes: Vec<FoundRoute>,
    /// Templates that are rendered.
    pub(crate) renders: Vec<Render>,
    /// Files whose analysis was stopped, by their place in the list of units.
    pub(crate) stopped: Vec<u32>,
}
