//! JSX.

use oxc::ast::ast::{
    self, JSXAttributeItem, JSXAttributeName, JSXAttributeValue, JSXChild, JSXElementName,
};

use super::{Lowering, span};
use crate::ir::{Expr, ExprId, Name};

impl Lowering<'_> {
    /// Lowers an element with its attributes and children.
    pub(super) fn element(&mut self, element: &ast::JSXElement) -> Expr {
        let tag = match &element.opening_element.name {
            JSXElementName::Identifier(name) => name.name.to_string(),
            JSXElementName::IdentifierReference(name) => name.name.to_string(),
            _ => String::new(),
        };
        let tag = self.ir.name(&tag);
        let mut attributes = Vec::new();
        for attribute in &element.opening_element.attributes {
            attributes.extend(self.attribute(attribute));
        }
        let children = self.children(&element.children);
        Expr::Element {
            tag,
            attributes,
            children,
        }
    }

    fn attribute(&mut self, attribute: &JSXAttributeItem) -> Option<(Name, ExprId)> {
        match attribute {
            JSXAttributeItem::SpreadAttribute(spread) => {
                let value = self.expr(&spread.argument);
                Some((self.ir.name("..."), value))
            }
            JSXAttributeItem::Attribute(attribute) => {
                let JSXAttributeName::Identifier(name) = &attribute.name else {
                    return None;
                };
                let name = self.ir.name(&name.name);
                Some((name, self.attribute_value(attribute.value.as_ref()?)?))
            }
        }
    }

    fn attribute_value(&mut self, value: &JSXAttributeValue) -> Option<ExprId> {
        match value {
            JSXAttributeValue::StringLiteral(text) => {
                let at = span(&**text);
                let text = Expr::Text(self.ir.name(&text.value));
                Some(self.ir.expr(text, at))
            }
            JSXAttributeValue::ExpressionContainer(inner) => {
                inner.expression.as_expression().map(|js| self.expr(js))
            }
            JSXAttributeValue::Element(element) => {
                let kind = self.element(element);
                Some(self.ir.expr(kind, span(&**element)))
            }
            JSXAttributeValue::Fragment(fragment) => {
                let children = self.children(&fragment.children);
                Some(self.ir.expr(Expr::Opaque(children), span(&**fragment)))
            }
        }
    }

    /// Lowers what is in an element.
    pub(super) fn children(&mut self, children: &[JSXChild]) -> Vec<ExprId> {
        let mut lowered = Vec::new();
        if !self.ir.enter() {
            return lowered;
        }
        for child in children {
            match child {
                JSXChild::Element(element) => {
                    let kind = self.element(element);
                    lowered.push(self.ir.expr(kind, span(&**element)));
                }
                JSXChild::Fragment(fragment) => lowered.extend(self.children(&fragment.children)),
                JSXChild::ExpressionContainer(inner) => {
                    lowered.extend(inner.expression.as_expression().map(|js| self.expr(js)));
                }
                JSXChild::Spread(spread) => lowered.push(self.expr(&spread.expression)),
                JSXChild::Text(_) => {}
            }
        }
        self.ir.leave();
        lowered
    }
}
