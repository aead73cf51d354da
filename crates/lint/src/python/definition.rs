//! Functions and classes.

use ruff_python_ast::{self as ast, Expr as Py, Stmt as PyStmt};

use super::{Lowering, span};
use crate::ir::{Class, ClassId, Expr, Function, FunctionId, Param, Stmt, Target};

impl Lowering<'_> {
    /// Lowers a function to the declaration of its name.
    pub(super) fn function(&mut self, function: &ast::StmtFunctionDef) -> Stmt {
        let id = self.body_of(function, None);
        let value = self.ir.expr(Expr::Function(id), span(function));
        let target = Target::Name(self.ir.name(&function.name));
        self.store(target, value, span(function))
    }

    fn body_of(&mut self, function: &ast::StmtFunctionDef, class: Option<ClassId>) -> FunctionId {
        let decorators = function.decorator_list.iter();
        let decorators: Vec<_> = decorators.map(|d| self.expr(&d.expression)).collect();
        let mut params = self.params(&function.parameters);
        let outer_this = self.this.clone();
        let is_static = function
            .decorator_list
            .iter()
            .any(|d| is_named(&d.expression, "staticmethod"));
        if class.is_some() && !is_static && !params.is_empty() {
            let this = params.remove(0);
            self.this = this.name.map(|name| self.ir.text(name).to_owned());
        }
        let outer_globals = std::mem::take(&mut self.globals);
        let statements = self.suite(&function.body);
        self.globals = outer_globals;
        self.this = outer_this;
        let body = self.ir.block(statements);
        let name = self.ir.name(&function.name);
        let span = span(function);
        self.ir.function(Function {
            name,
            params,
            body,
            decorators,
            class,
            span,
        })
    }

    /// Lowers parameters, in the order in which arguments bind to them.
    pub(super) fn params(&mut self, parameters: &ast::Parameters) -> Vec<Param> {
        let mut lowered = Vec::new();
        for parameter in parameters.posonlyargs.iter().chain(&parameters.args) {
            lowered.push(self.param(&parameter.parameter, parameter.default.as_deref()));
        }
        if let Some(rest) = &parameters.vararg {
            lowered.push(self.rest(rest));
        }
        for parameter in &parameters.kwonlyargs {
            lowered.push(self.param(&parameter.parameter, parameter.default.as_deref()));
        }
        if let Some(rest) = &parameters.kwarg {
            lowered.push(self.rest(rest));
        }
        lowered
    }

    fn param(&mut self, parameter: &ast::Parameter, default: Option<&Py>) -> Param {
        let name = self.ir.name(&parameter.name);
        let annotation = parameter.annotation.as_deref().map(|py| self.text_of(py));
        let default = default.map(|py| self.expr(py));
        Param {
            name: Some(name),
            target: Target::Name(name),
            annotation,
            default,
            is_rest: false,
        }
    }

    fn rest(&mut self, parameter: &ast::Parameter) -> Param {
        Param {
            is_rest: true,
            ..self.param(parameter, None)
        }
    }

    /// Lowers a class to the declaration of its name.
    pub(super) fn class(&mut self, class: &ast::StmtClassDef) -> Stmt {
        let bases = class
            .arguments
            .as_deref()
            .map(|arguments| &*arguments.args)
            .unwrap_or(&[]);
        let bases = self.exprs(bases);
        let name = self.ir.name(&class.name);
        let id = self.ir.class(Class {
            name,
            bases,
            methods: vec![],
            fields: vec![],
        });
        for statement in &class.body {
            self.member(statement, id);
        }
        let value = self.ir.expr(Expr::Class(id), span(class));
        let target = Target::Name(name);
        self.store(target, value, span(class))
    }

    fn member(&mut self, statement: &PyStmt, class: ClassId) {
        match statement {
            PyStmt::FunctionDef(function) => {
                let name = self.ir.name(&function.name);
                let id = self.body_of(function, Some(class));
                self.ir.fill_class(class).methods.push((name, id));
            }
            PyStmt::Assign(assign) => {
                let value = self.expr(&assign.value);
                for target in &assign.targets {
                    if let Target::Name(name) = self.target(target) {
                        self.ir
                            .fill_class(class)
                            .fields
                            .push((name, Some(value), None));
                    }
                }
            }
            PyStmt::AnnAssign(assign) => {
                let value = assign.value.as_deref().map(|value| self.expr(value));
                let annotation = Some(self.text_of(&assign.annotation));
                if let Target::Name(name) = self.target(&assign.target) {
                    self.ir
                        .fill_class(class)
                        .fields
                        .push((name, value, annotation));
                }
            }
            _ => {}
        }
    }
}

fn is_named(py: &Py, name: &str) -> bool {
    py.as_name_expr().is_some_and(|found| found.id == name)
}
