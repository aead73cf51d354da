//! JavaScript and TypeScript, lowered from oxc's syntax tree.

mod class;
mod expression;
mod function;
mod jsx;
mod module;
mod statement;
mod target;

use oxc::allocator::Allocator;
use oxc::parser::{ParseOptions, Parser};
use oxc::span::{GetSpan, SourceType};

use crate::ir::{Builder, Module, Span, Tongue};

/// The variable that stands for `module.exports`.
pub(crate) const EXPORTS: &str = "*exports*";
/// The variable that stands for the default export.
pub(crate) const DEFAULT: &str = "*default*";

/// Which of the family a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// JavaScript, JSX included.
    JavaScript,
    /// TypeScript without JSX.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
}

/// Lowers a file; `None` where it is no JavaScript.
pub(crate) fn lower(source: &str, dialect: Dialect) -> Option<Module> {
    let kind = match dialect {
        Dialect::JavaScript => SourceType::unambiguous().with_jsx(true),
        Dialect::TypeScript => SourceType::ts(),
        Dialect::Tsx => SourceType::tsx(),
    };
    let allocator = Allocator::default();
    let options = ParseOptions {
        parse_regular_expression: false,
        allow_return_outside_function: true,
        preserve_parens: false,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, source, kind)
        .with_options(options)
        .parse();
    if parsed.panicked {
        return None;
    }
    let mut lowering = Lowering {
        ir: Builder::new(Tongue::JavaScript),
        source,
    };
    let mut body = lowering.directives(&parsed.program.directives);
    body.extend(lowering.statements(&parsed.program.body));
    Some(lowering.ir.finish(body))
}

/// The state of lowering one file.
struct Lowering<'s> {
    ir: Builder,
    source: &'s str,
}

fn span(node: &impl GetSpan) -> Span {
    let span = node.span();
    Span {
        start: span.start,
        end: span.end,
    }
}
