//! Classes.

use oxc::ast::ast::{self, ClassElement, Expression as Js};

use super::Lowering;
use crate::ir::{Class, ClassId, Stmt};

impl Lowering<'_> {
    /// Lowers a class. Fields that hold a function are methods.
    pub(super) fn class(&mut self, class: &ast::Class) -> ClassId {
        let name = class
            .id
            .as_ref()
            .map(|id| id.name.to_string())
            .unwrap_or_default();
        let name = self.ir.name(&name);
        let bases = class
            .heritage
            .as_ref()
            .map(|base| self.expr(&base.expression));
        let bases = bases.into_iter().collect();
        let id = self.ir.class(Class {
            name,
            bases,
            methods: vec![],
            fields: vec![],
        });
        for element in &class.body.body {
            self.class_element(element, id);
        }
        id
    }

    fn class_element(&mut self, element: &ClassElement, class: ClassId) {
        match element {
            ClassElement::MethodDefinition(method) => {
                if let Some(name) = self.key(&method.key) {
                    let function = self.function(&method.value, Some(class));
                    self.ir.fill_class(class).methods.push((name, function));
                }
            }
            ClassElement::PropertyDefinition(property) => {
                let Some(name) = self.key(&property.key) else {
                    return;
                };
                if let Some(Js::ArrowFunctionExpression(arrow)) = &property.value {
                    let function = self.arrow(arrow, "");
                    self.ir.fill_class(class).methods.push((name, function));
                    return;
                }
                let value = property.value.as_ref().map(|js| self.expr(js));
                self.ir.fill_class(class).fields.push((name, value, None));
            }
            ClassElement::StaticBlock(block) => {
                let statements: Vec<Stmt> = self.statements(&block.body);
                self.ir.block(statements);
            }
            ClassElement::AccessorProperty(_) | ClassElement::TSIndexSignature(_) => {}
        }
    }
}
