//! Python, lowered from ruff's syntax tree.

mod definition;
mod expression;
mod statement;
mod target;

use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use ruff_text_size::Ranged;
use std::collections::HashSet;

use crate::ir::{Builder, Module, Span, Tongue};

/// Lowers a file; `None` where it is no Python.
///
/// `path` is relative to the app's folder: relative imports are resolved by it.
pub(crate) fn lower(path: &str, source: &str) -> Option<Module> {
    let options = ParseOptions::from(Mode::Module);
    let parsed = parse_unchecked(source, options).try_into_module()?;
    if !parsed.errors().is_empty() && is_hopeless(source, parsed.errors().len()) {
        return None;
    }
    let mut lowering = Lowering {
        ir: Builder::new(Tongue::Python),
        source,
        package: package_of(path),
        globals: HashSet::new(),
        this: None,
    };
    let body = lowering.suite(&parsed.syntax().body);
    Some(lowering.ir.finish(body))
}

/// Whether a file is another language (Python 2 has hundreds of errors, a typo has one).
fn is_hopeless(source: &str, errors: usize) -> bool {
    errors * 10 > source.lines().count()
}

/// The dotted package of a file, for relative imports.
fn package_of(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    parts.pop();
    parts
}

/// The state of lowering one file.
struct Lowering<'a> {
    ir: Builder,
    source: &'a str,
    package: Vec<String>,
    /// Names that the present function declares `global` or `nonlocal`.
    globals: HashSet<String>,
    /// The name of the present method's first parameter.
    this: Option<String>,
}

fn span(node: &impl Ranged) -> Span {
    let range = node.range();
    Span {
        start: range.start().to_u32(),
        end: range.end().to_u32(),
    }
}
