//! Imports and exports.

use oxc::ast::ast::{
    self, BindingPattern, Declaration, ExportDefaultDeclarationKind, ImportDeclarationSpecifier,
    ModuleExportName, Statement as JsStmt,
};

use super::{DEFAULT, EXPORTS, Lowering, span};
use crate::ir::{Expr, Stmt, Target};

impl Lowering<'_> {
    /// Lowers the exported functions of a file, which are known from its start.
    pub(super) fn hoist_export(&mut self, statement: &JsStmt, out: &mut Vec<Stmt>) {
        match statement {
            JsStmt::ExportDeclaration(export) => {
                if let Declaration::FunctionDeclaration(function) = &export.declaration {
                    out.extend(self.declared_function(function));
                    if let Some(id) = &function.id {
                        self.ir.export(&id.name, &id.name);
                    }
                }
            }
            JsStmt::ExportDefaultDeclaration(export) => {
                if let ExportDefaultDeclarationKind::FunctionDeclaration(function) =
                    &export.declaration
                {
                    let id = self.function(function, None);
                    let value = self.ir.expr(Expr::Function(id), span(&**function));
                    if let Some(id) = &function.id {
                        out.push(self.ir.declare(&id.name, value));
                    }
                    out.push(self.ir.declare(DEFAULT, value));
                }
            }
            _ => {}
        }
    }

    /// Lowers an import or export.
    pub(super) fn module_statement(&mut self, statement: &JsStmt, out: &mut Vec<Stmt>) {
        match statement {
            JsStmt::ImportDeclaration(import) => self.import(import, out),
            JsStmt::ExportDeclaration(export) => {
                self.declaration(&export.declaration, out);
                self.export_declared(&export.declaration);
            }
            JsStmt::ExportNamedDeclaration(export) => {
                for specifier in &export.specifiers {
                    self.ir
                        .export(name_of(&specifier.exported), name_of(&specifier.local));
                }
            }
            JsStmt::ExportFromDeclaration(export) => {
                for specifier in &export.specifiers {
                    let local = format!("*from*{}", name_of(&specifier.exported));
                    let module = self.ir.name(&export.source.value);
                    let member = Some(self.ir.name(name_of(&specifier.local)));
                    let value = self
                        .ir
                        .expr(Expr::Import { module, member }, span(&**export));
                    out.push(self.ir.declare(&local, value));
                    self.ir.export(name_of(&specifier.exported), &local);
                }
            }
            JsStmt::ExportAllDeclaration(export) => {
                let module = self.ir.name(&export.source.value);
                let value = self.ir.expr(
                    Expr::Import {
                        module,
                        member: None,
                    },
                    span(&**export),
                );
                out.push(self.ir.declare(EXPORTS, value));
            }
            JsStmt::ExportDefaultDeclaration(export) => self.export_default(export, out),
            JsStmt::TSExportAssignment(export) => {
                let value = self.expr(&export.expression);
                out.push(self.ir.declare(EXPORTS, value));
            }
            _ => {}
        }
    }

    fn import(&mut self, import: &ast::ImportDeclaration, out: &mut Vec<Stmt>) {
        let source = import.source.value.as_str();
        let source = source.strip_prefix("node:").unwrap_or(source).to_owned();
        for specifier in import.specifiers.iter().flatten() {
            let (local, member) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(named) => (
                    named.local.name.to_string(),
                    Some(name_of(&named.imported).to_owned()),
                ),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(whole) => {
                    (whole.local.name.to_string(), Some("default".to_owned()))
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(whole) => {
                    (whole.local.name.to_string(), None)
                }
            };
            let module = self.ir.name(&source);
            let member = member.map(|member| self.ir.name(&member));
            let value = self
                .ir
                .expr(Expr::Import { module, member }, span(specifier));
            out.push(self.ir.declare(&local, value));
        }
    }

    fn export_declared(&mut self, declaration: &Declaration) {
        match declaration {
            Declaration::VariableDeclaration(variables) => {
                for declarator in &variables.declarations {
                    if let BindingPattern::BindingIdentifier(id) = &declarator.id {
                        self.ir.export(&id.name, &id.name);
                    }
                }
            }
            Declaration::ClassDeclaration(class) => {
                if let Some(id) = &class.id {
                    self.ir.export(&id.name, &id.name);
                }
            }
            _ => {}
        }
    }

    fn export_default(&mut self, export: &ast::ExportDefaultDeclaration, out: &mut Vec<Stmt>) {
        let value = match &export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(_)
            | ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => return,
            ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                let id = self.class(class);
                let value = self.ir.expr(Expr::Class(id), span(&**class));
                if let Some(name) = &class.id {
                    out.push(self.ir.declare(&name.name, value));
                }
                value
            }
            other => match other.as_expression() {
                Some(js) => self.expr(js),
                None => return,
            },
        };
        let target = Target::Name(self.ir.name(DEFAULT));
        out.push(Stmt::Let(target, value));
    }
}

fn name_of<'a>(name: &'a ModuleExportName) -> &'a str {
    match name {
        ModuleExportName::IdentifierName(name) => &name.name,
        ModuleExportName::IdentifierReference(name) => &name.name,
        ModuleExportName::StringLiteral(text) => &text.value,
    }
}
