//! Statements.

use ruff_python_ast::{self as ast, ExceptHandler, Expr as Py, Operator, Stmt as PyStmt};

use super::{Lowering, span};
use crate::ir::{BlockId, Expr, ExprId, Span, Stmt, Target};

impl Lowering<'_> {
    /// Lowers statements.
    pub(super) fn suite(&mut self, suite: &[PyStmt]) -> Vec<Stmt> {
        let mut lowered = Vec::new();
        if self.ir.enter() {
            suite
                .iter()
                .for_each(|statement| self.statement(statement, &mut lowered));
            self.ir.leave();
        }
        lowered
    }

    fn block(&mut self, suite: &[PyStmt]) -> BlockId {
        let statements = self.suite(suite);
        self.ir.block(statements)
    }

    fn statement(&mut self, statement: &PyStmt, out: &mut Vec<Stmt>) {
        match statement {
            PyStmt::FunctionDef(function) => out.push(self.function(function)),
            PyStmt::ClassDef(class) => out.push(self.class(class)),
            PyStmt::Return(given) => {
                let value = given.value.as_deref().map(|value| self.expr(value));
                out.push(Stmt::Return(value));
            }
            PyStmt::Assign(assign) => {
                let value = self.expr(&assign.value);
                for target in &assign.targets {
                    let target = self.target(target);
                    out.push(self.store(target, value, span(assign)));
                }
            }
            PyStmt::AnnAssign(assign) => {
                if let Some(value) = &assign.value {
                    let value = self.expr(value);
                    let target = self.target(&assign.target);
                    out.push(self.store(target, value, span(assign)));
                }
            }
            PyStmt::AugAssign(assign) => out.push(self.augment(assign)),
            PyStmt::For(each) => {
                let over = self.expr(&each.iter);
                let target = self.target(&each.target);
                let body = self.block(&each.body);
                out.push(Stmt::Loop {
                    bind: Some((target, over)),
                    test: None,
                    body,
                });
                out.extend(self.suite(&each.orelse));
            }
            PyStmt::While(again) => {
                let test = Some(self.expr(&again.test));
                let body = self.block(&again.body);
                out.push(Stmt::Loop {
                    bind: None,
                    test,
                    body,
                });
                out.extend(self.suite(&again.orelse));
            }
            PyStmt::If(choice) => out.push(self.choice(choice)),
            PyStmt::With(with) => {
                for item in &with.items {
                    let value = self.expr(&item.context_expr);
                    match &item.optional_vars {
                        Some(target) => {
                            let target = self.target(target);
                            out.push(self.store(target, value, span(&item.context_expr)));
                        }
                        None => out.push(Stmt::Do(value)),
                    }
                }
                out.extend(self.suite(&with.body));
            }
            PyStmt::Match(matching) => self.matching(matching, out),
            PyStmt::Raise(raise) => {
                let error = raise.exc.as_deref().map(|error| self.expr(error));
                out.push(Stmt::Throw(error));
            }
            PyStmt::Try(attempt) => self.attempt(attempt, out),
            PyStmt::Assert(assert) => {
                let test = self.expr(&assert.test);
                let yes = self.ir.block(vec![]);
                let no = Some(self.ir.block(vec![Stmt::Throw(None)]));
                out.push(Stmt::If { test, yes, no });
            }
            PyStmt::Import(import) => self.import(import, out),
            PyStmt::ImportFrom(import) => self.import_from(import, out),
            PyStmt::Global(global) => {
                self.globals
                    .extend(global.names.iter().map(|name| name.to_string()));
            }
            PyStmt::Nonlocal(outer) => {
                self.globals
                    .extend(outer.names.iter().map(|name| name.to_string()));
            }
            PyStmt::Expr(expression) => {
                let value = self.expr(&expression.value);
                out.push(Stmt::Do(value));
            }
            PyStmt::Break(_) | PyStmt::Continue(_) => out.push(Stmt::Leave),
            PyStmt::Delete(_)
            | PyStmt::TypeAlias(_)
            | PyStmt::Pass(_)
            | PyStmt::IpyEscapeCommand(_) => {}
        }
    }

    /// An assignment: to an outer variable where it was declared so, else to one of this function.
    pub(super) fn store(&mut self, target: Target, value: ExprId, at: Span) -> Stmt {
        if let Target::Name(name) = target
            && self.globals.contains(self.ir.text(name))
        {
            return Stmt::Do(self.ir.expr(Expr::Assign(Box::new(target), value), at));
        }
        Stmt::Let(target, value)
    }

    fn augment(&mut self, assign: &ast::StmtAugAssign) -> Stmt {
        let value = self.expr(&assign.value);
        let target = self.target(&assign.target);
        match assign.op {
            Operator::Add | Operator::Div | Operator::Mod | Operator::BitOr => {
                Stmt::Augment(target, value)
            }
            _ => Stmt::Do(value),
        }
    }

    fn choice(&mut self, choice: &ast::StmtIf) -> Stmt {
        let mut no: Option<BlockId> = None;
        for clause in choice.elif_else_clauses.iter().rev() {
            let block = self.block(&clause.body);
            no = Some(match &clause.test {
                None => block,
                Some(test) => {
                    let test = self.expr(test);
                    self.ir.block(vec![Stmt::If {
                        test,
                        yes: block,
                        no,
                    }])
                }
            });
        }
        let test = self.expr(&choice.test);
        let yes = self.block(&choice.body);
        Stmt::If { test, yes, no }
    }

    fn matching(&mut self, matching: &ast::StmtMatch, out: &mut Vec<Stmt>) {
        let subject = self.expr(&matching.subject);
        for case in &matching.cases {
            let mut names = Vec::new();
            self.bound(&case.pattern, &mut names);
            let mut body: Vec<Stmt> = names
                .into_iter()
                .map(|target| Stmt::Let(target, subject))
                .collect();
            body.extend(self.suite(&case.body));
            let yes = self.ir.block(body);
            let test = match (&case.pattern, &case.guard) {
                (ast::Pattern::MatchValue(value), None) => {
                    let value = self.expr(&value.value);
                    let equal = Expr::Compare(crate::ir::Comparison::Equal, subject, value);
                    self.ir.expr(equal, span(case))
                }
                (_, Some(guard)) => self.expr(guard),
                _ => self.ir.expr(Expr::Opaque(vec![]), span(case)),
            };
            out.push(Stmt::If {
                test,
                yes,
                no: None,
            });
        }
    }

    fn attempt(&mut self, attempt: &ast::StmtTry, out: &mut Vec<Stmt>) {
        let mut body = self.suite(&attempt.body);
        body.extend(self.suite(&attempt.orelse));
        let body = self.ir.block(body);
        let mut handlers = Vec::new();
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            handlers.push(self.block(&handler.body));
        }
        let finally = (!attempt.finalbody.is_empty()).then(|| self.block(&attempt.finalbody));
        out.push(Stmt::Try {
            body,
            handlers,
            finally,
        });
    }

    fn import(&mut self, import: &ast::StmtImport, out: &mut Vec<Stmt>) {
        for alias in &import.names {
            let full = alias.name.to_string();
            let top = full.split('.').next().unwrap_or_default().to_owned();
            // `import a.b` binds `a`; `import a.b as c` binds the whole.
            let (local, module) = match &alias.asname {
                Some(local) => (local.to_string(), full),
                None => (top.clone(), top),
            };
            let module = self.ir.name(&module);
            let value = self.ir.expr(
                Expr::Import {
                    module,
                    member: None,
                },
                span(alias),
            );
            let declared = self.ir.declare(&local, value);
            out.push(declared);
        }
    }

    fn import_from(&mut self, import: &ast::StmtImportFrom, out: &mut Vec<Stmt>) {
        let module = self.absolute(import);
        for alias in &import.names {
            let local = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
            let module = self.ir.name(&module);
            let member = Some(self.ir.name(&alias.name));
            let value = self.ir.expr(Expr::Import { module, member }, span(alias));
            let declared = self.ir.declare(&local, value);
            out.push(declared);
        }
    }

    fn absolute(&self, import: &ast::StmtImportFrom) -> String {
        let module = import
            .module
            .as_ref()
            .map(|module| module.to_string())
            .unwrap_or_default();
        if import.level == 0 {
            return module;
        }
        let kept = self.package.len().saturating_sub(import.level as usize - 1);
        let mut parts: Vec<&str> = self.package[..kept].iter().map(String::as_str).collect();
        if !module.is_empty() {
            parts.push(&module);
        }
        parts.join(".")
    }

    /// The text of a node, shortened: types are compared by it.
    pub(super) fn text_of(&mut self, py: &Py) -> crate::ir::Name {
        let at = span(py);
        let text = &self.source[at.start as usize..at.end as usize];
        let short: String = text.chars().take(80).collect();
        self.ir.name(&short)
    }
}
