//! What is assigned to.

use ruff_python_ast::{Expr as Py, Pattern};

use super::Lowering;
use crate::ir::{Expr, Target};

impl Lowering<'_> {
    /// Lowers the left side of an assignment.
    pub(super) fn target(&mut self, py: &Py) -> Target {
        match py {
            Py::Name(name) => Target::Name(self.ir.name(&name.id)),
            Py::Attribute(field) => {
                let object = self.expr(&field.value);
                Target::Field(object, self.ir.name(&field.attr))
            }
            Py::Subscript(_) => {
                let place = self.expr(py);
                match self.ir.kind(place).clone() {
                    Expr::Field(object, name) => Target::Field(object, name),
                    Expr::Index(object, index) => Target::Index(object, index),
                    _ => Target::Ignored,
                }
            }
            Py::Tuple(tuple) => Target::List(self.targets(&tuple.elts)),
            Py::List(list) => Target::List(self.targets(&list.elts)),
            Py::Starred(starred) => self.target(&starred.value),
            _ => Target::Ignored,
        }
    }

    fn targets(&mut self, list: &[Py]) -> Vec<Target> {
        list.iter().map(|py| self.target(py)).collect()
    }

    /// The variables that a pattern of `match` binds; each may be any part of the subject.
    pub(super) fn bound(&mut self, pattern: &Pattern, names: &mut Vec<Target>) {
        if !self.ir.enter() {
            return;
        }
        match pattern {
            Pattern::MatchAs(matched) => {
                if let Some(name) = &matched.name {
                    names.push(Target::Name(self.ir.name(name)));
                }
                matched
                    .pattern
                    .iter()
                    .for_each(|inner| self.bound(inner, names));
            }
            Pattern::MatchStar(star) => {
                if let Some(name) = &star.name {
                    names.push(Target::Name(self.ir.name(name)));
                }
            }
            Pattern::MatchSequence(list) => {
                list.patterns
                    .iter()
                    .for_each(|inner| self.bound(inner, names));
            }
            Pattern::MatchMapping(map) => {
                map.patterns
                    .iter()
                    .for_each(|inner| self.bound(inner, names));
            }
            Pattern::MatchOr(either) => {
                either
                    .patterns
                    .iter()
                    .for_each(|inner| self.bound(inner, names));
            }
            Pattern::MatchClass(class) => {
                class
                    .arguments
                    .patterns
                    .iter()
                    .for_each(|inner| self.bound(inner, names));
                class
                    .arguments
                    .keywords
                    .iter()
                    .for_each(|k| self.bound(&k.pattern, names));
            }
            Pattern::MatchValue(_) | Pattern::MatchSingleton(_) => {}
        }
        self.ir.leave();
    }
}
