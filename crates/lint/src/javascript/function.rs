//! Functions.

use oxc::ast::ast::{self, ArrowFunctionBody};

use super::{Lowering, span};
use crate::ir::{ClassId, Expr, Function, FunctionId, Name, Param, Stmt, Target};

impl Lowering<'_> {
    /// Lowers a function or method.
    pub(super) fn function(
        &mut self,
        function: &ast::Function,
        class: Option<ClassId>,
    ) -> FunctionId {
        let name = function
            .id
            .as_ref()
            .map(|id| id.name.to_string())
            .unwrap_or_default();
        let name = self.ir.name(&name);
        let params = self.params(&function.params);
        let statements = match &function.body {
            Some(body) => self.body(body),
            None => vec![],
        };
        let body = self.ir.block(statements);
        let span = span(function);
        self.ir.function(Function {
            name,
            params,
            body,
            decorators: vec![],
            class,
            span,
        })
    }

    /// Lowers an arrow function that is known as `name`.
    pub(super) fn arrow(&mut self, arrow: &ast::ArrowFunctionExpression, name: &str) -> FunctionId {
        let name = self.ir.name(name);
        let params = self.params(&arrow.params);
        let statements = match &arrow.body {
            ArrowFunctionBody::FunctionBody(body) => self.body(body),
            other => {
                let value = other.as_expression().map(|js| self.expr(js));
                vec![Stmt::Return(value)]
            }
        };
        let body = self.ir.block(statements);
        let span = span(arrow);
        self.ir.function(Function {
            name,
            params,
            body,
            decorators: vec![],
            class: None,
            span,
        })
    }

    fn params(&mut self, params: &ast::FormalParameters) -> Vec<Param> {
        let mut lowered = Vec::new();
        for param in &params.items {
            let target = self.binding(&param.pattern);
            let annotation = param
                .type_annotation
                .as_ref()
                .map(|of| self.text_of(&of.type_annotation));
            let default = param.initializer.as_deref().map(|js| self.expr(js));
            lowered.push(Param {
                name: name_of(&target),
                target,
                annotation,
                default,
                is_rest: false,
            });
        }
        if let Some(rest) = &params.rest {
            let target = self.binding(&rest.rest.argument);
            lowered.push(Param {
                name: name_of(&target),
                target,
                annotation: None,
                default: None,
                is_rest: true,
            });
        }
        lowered
    }

    /// The text of a node, shortened: types are compared by it.
    pub(super) fn text_of(&mut self, node: &impl oxc::span::GetSpan) -> Name {
        let at = span(node);
        let text = &self.source[at.start as usize..at.end as usize];
        let short: String = text.chars().take(80).collect();
        self.ir.name(&short)
    }

    /// The declaration of a function by its name.
    pub(super) fn declared_function(&mut self, function: &ast::Function) -> Option<Stmt> {
        let name = function.id.as_ref()?.name.to_string();
        let id = self.function(function, None);
        let value = self.ir.expr(Expr::Function(id), span(function));
        Some(self.ir.declare(&name, value))
    }
}

fn name_of(target: &Target) -> Option<Name> {
    match target {
        Target::Name(name) => Some(*name),
        Target::Default(inner, _) => name_of(inner),
        _ => None,
    }
}
