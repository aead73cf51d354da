//! Statements.

use oxc::ast::ast::{
    self, Declaration, Directive, Expression as Js, ForStatementInit, ForStatementLeft,
    FunctionBody, Statement as JsStmt,
};

use super::{Lowering, span};
use crate::ir::{BlockId, Comparison, Expr, ExprId, Stmt, Target};

impl Lowering<'_> {
    /// Lowers `'use server'` and the like to the texts that they are.
    pub(super) fn directives(&mut self, directives: &[Directive]) -> Vec<Stmt> {
        let mut lowered = Vec::new();
        for directive in directives {
            let text = self.ir.name(&directive.directive);
            let text = self.ir.expr(Expr::Text(text), span(directive));
            lowered.push(Stmt::Do(text));
        }
        lowered
    }

    /// Lowers what a function does.
    pub(super) fn body(&mut self, body: &FunctionBody) -> Vec<Stmt> {
        let mut lowered = self.directives(&body.directives);
        lowered.extend(self.statements(&body.statements));
        lowered
    }

    /// Lowers statements; functions that they declare come first, as they are known from the start.
    pub(super) fn statements(&mut self, statements: &[JsStmt]) -> Vec<Stmt> {
        let mut lowered = Vec::new();
        if !self.ir.enter() {
            return lowered;
        }
        for statement in statements {
            if let JsStmt::FunctionDeclaration(function) = statement {
                lowered.extend(self.declared_function(function));
            } else {
                self.hoist_export(statement, &mut lowered);
            }
        }
        for statement in statements {
            self.statement(statement, &mut lowered);
        }
        self.ir.leave();
        lowered
    }

    fn block(&mut self, statement: &JsStmt) -> BlockId {
        let lowered = match statement {
            JsStmt::BlockStatement(block) => self.statements(&block.body),
            other => self.statements(std::slice::from_ref(other)),
        };
        self.ir.block(lowered)
    }

    fn statement(&mut self, statement: &JsStmt, out: &mut Vec<Stmt>) {
        match statement {
            JsStmt::BlockStatement(block) => {
                let inner = self.statements(&block.body);
                out.push(Stmt::Block(self.ir.block(inner)));
            }
            JsStmt::BreakStatement(_) | JsStmt::ContinueStatement(_) => out.push(Stmt::Leave),
            JsStmt::ExpressionStatement(expression) => {
                let value = self.expr(&expression.expression);
                out.push(Stmt::Do(value));
            }
            JsStmt::IfStatement(choice) => {
                let test = self.expr(&choice.test);
                let yes = self.block(&choice.consequent);
                let no = choice.alternate.as_ref().map(|no| self.block(no));
                out.push(Stmt::If { test, yes, no });
            }
            JsStmt::WhileStatement(again) => {
                let test = Some(self.expr(&again.test));
                let body = self.block(&again.body);
                out.push(Stmt::Loop {
                    bind: None,
                    test,
                    body,
                });
            }
            JsStmt::DoWhileStatement(again) => {
                let body = self.block(&again.body);
                let test = Some(self.expr(&again.test));
                out.push(Stmt::Loop {
                    bind: None,
                    test,
                    body,
                });
            }
            JsStmt::ForStatement(each) => self.counted(each, out),
            JsStmt::ForOfStatement(each) => {
                let over = self.expr(&each.right);
                let target = self.loop_target(&each.left);
                let body = self.block(&each.body);
                out.push(Stmt::Loop {
                    bind: Some((target, over)),
                    test: None,
                    body,
                });
            }
            JsStmt::ForInStatement(each) => {
                let over = self.expr(&each.right);
                let target = self.loop_target(&each.left);
                let body = self.block(&each.body);
                out.push(Stmt::Loop {
                    bind: Some((target, over)),
                    test: None,
                    body,
                });
            }
            JsStmt::ReturnStatement(given) => {
                let value = given.argument.as_ref().map(|js| self.expr(js));
                out.push(Stmt::Return(value));
            }
            JsStmt::SwitchStatement(switch) => self.switch(switch, out),
            JsStmt::ThrowStatement(throw) => {
                let value = self.expr(&throw.argument);
                out.push(Stmt::Throw(Some(value)));
            }
            JsStmt::TryStatement(attempt) => self.attempt(attempt, out),
            JsStmt::LabeledStatement(labelled) => {
                let inner = self.block(&labelled.body);
                out.push(Stmt::Block(inner));
            }
            JsStmt::WithStatement(with) => {
                let value = self.expr(&with.object);
                out.push(Stmt::Do(value));
                let inner = self.block(&with.body);
                out.push(Stmt::Block(inner));
            }
            JsStmt::VariableDeclaration(declaration) => self.variables(declaration, out),
            JsStmt::ClassDeclaration(class) => out.extend(self.declared_class(class)),
            JsStmt::FunctionDeclaration(_)
            | JsStmt::DebuggerStatement(_)
            | JsStmt::EmptyStatement(_) => {}
            other => self.module_statement(other, out),
        }
    }

    /// Lowers a declaration that is exported or stands alone.
    pub(super) fn declaration(&mut self, declaration: &Declaration, out: &mut Vec<Stmt>) {
        match declaration {
            Declaration::VariableDeclaration(variables) => self.variables(variables, out),
            Declaration::ClassDeclaration(class) => out.extend(self.declared_class(class)),
            _ => {}
        }
    }

    fn declared_class(&mut self, class: &ast::Class) -> Option<Stmt> {
        let name = class.id.as_ref()?.name.to_string();
        let id = self.class(class);
        let value = self.ir.expr(Expr::Class(id), span(class));
        Some(self.ir.declare(&name, value))
    }

    fn variables(&mut self, declaration: &ast::VariableDeclaration, out: &mut Vec<Stmt>) {
        for declarator in &declaration.declarations {
            let Some(init) = &declarator.init else {
                continue;
            };
            let value = match (init, &declarator.id) {
                (
                    Js::ArrowFunctionExpression(arrow),
                    ast::BindingPattern::BindingIdentifier(id),
                ) => {
                    let function = self.arrow(arrow, &id.name);
                    self.ir.expr(Expr::Function(function), span(init))
                }
                _ => self.expr(init),
            };
            let target = self.binding(&declarator.id);
            out.push(Stmt::Let(target, value));
        }
    }

    fn counted(&mut self, each: &ast::ForStatement, out: &mut Vec<Stmt>) {
        match &each.init {
            Some(ForStatementInit::VariableDeclaration(variables)) => {
                self.variables(variables, out)
            }
            Some(other) => {
                if let Some(js) = other.as_expression() {
                    let value = self.expr(js);
                    out.push(Stmt::Do(value));
                }
            }
            None => {}
        }
        let test = each.test.as_ref().map(|js| self.expr(js));
        let body = self.block(&each.body);
        out.push(Stmt::Loop {
            bind: None,
            test,
            body,
        });
    }

    fn loop_target(&mut self, left: &ForStatementLeft) -> Target {
        match left {
            ForStatementLeft::VariableDeclaration(variables) => variables
                .declarations
                .first()
                .map_or(Target::Ignored, |declarator| self.binding(&declarator.id)),
            other => other
                .as_assignment_target()
                .map_or(Target::Ignored, |target| self.target(target)),
        }
    }

    /// A switch is a round of a loop (for its `break`) with a branch for each case.
    fn switch(&mut self, switch: &ast::SwitchStatement, out: &mut Vec<Stmt>) {
        let subject = self.expr(&switch.discriminant);
        let mut body = Vec::new();
        for case in &switch.cases {
            let inner = self.statements(&case.consequent);
            let yes = self.ir.block(inner);
            match &case.test {
                Some(test) => {
                    let value = self.expr(test);
                    let test = self.equal(subject, value);
                    body.push(Stmt::If {
                        test,
                        yes,
                        no: None,
                    });
                }
                None => body.push(Stmt::Block(yes)),
            }
        }
        let body = self.ir.block(body);
        out.push(Stmt::Loop {
            bind: None,
            test: None,
            body,
        });
    }

    fn equal(&mut self, left: ExprId, right: ExprId) -> ExprId {
        let at = crate::ir::Span::default();
        self.ir
            .expr(Expr::Compare(Comparison::Equal, left, right), at)
    }

    fn attempt(&mut self, attempt: &ast::TryStatement, out: &mut Vec<Stmt>) {
        let body = self.statements(&attempt.block.body);
        let body = self.ir.block(body);
        let mut handlers = Vec::new();
        if let Some(handler) = &attempt.handler {
            let statements = self.statements(&handler.body.body);
            handlers.push(self.ir.block(statements));
        }
        let finally = attempt.finalizer.as_ref().map(|finalizer| {
            let statements = self.statements(&finalizer.body);
            self.ir.block(statements)
        });
        out.push(Stmt::Try {
            body,
            handlers,
            finally,
        });
    }
}
