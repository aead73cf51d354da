//! What is assigned to or bound.

use oxc::ast::ast::{
    AssignmentTarget, AssignmentTargetMaybeDefault, AssignmentTargetProperty, BindingPattern,
    SimpleAssignmentTarget,
};

use super::{EXPORTS, Lowering, span};
use crate::ir::{Expr, ExprId, Target};

impl Lowering<'_> {
    /// Lowers the left side of an assignment.
    pub(super) fn target(&mut self, target: &AssignmentTarget) -> Target {
        if !self.ir.enter() {
            return Target::Ignored;
        }
        let lowered = match target {
            AssignmentTarget::ArrayAssignmentTarget(array) => {
                let elements = array.elements.iter();
                Target::List(
                    elements
                        .map(|element| match element {
                            Some(element) => self.target_or_default(element),
                            None => Target::Ignored,
                        })
                        .collect(),
                )
            }
            AssignmentTarget::ObjectAssignmentTarget(object) => {
                let mut fields = Vec::new();
                for property in &object.properties {
                    fields.extend(self.assigned_property(property));
                }
                let rest = object
                    .rest
                    .as_ref()
                    .map(|rest| Box::new(self.target(&rest.target)));
                Target::Object(fields, rest)
            }
            other => match self.simple(other) {
                Some(place) => self.place(place),
                None => Target::Ignored,
            },
        };
        self.ir.leave();
        lowered
    }

    fn place(&mut self, place: ExprId) -> Target {
        match self.ir.kind(place).clone() {
            Expr::Name(name) => Target::Name(name),
            Expr::Field(object, name) => Target::Field(object, name),
            Expr::Index(object, index) => Target::Index(object, index),
            _ => Target::Ignored,
        }
    }

    /// A target that is a variable, field or element, as an expression.
    pub(super) fn simple(&mut self, target: &AssignmentTarget) -> Option<ExprId> {
        let target = target.as_simple_assignment_target()?;
        let at = span(target);
        let kind = match target {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) if name.name == "exports" => {
                Expr::Name(self.ir.name(EXPORTS))
            }
            SimpleAssignmentTarget::AssignmentTargetIdentifier(name) => {
                Expr::Name(self.ir.name(&name.name))
            }
            SimpleAssignmentTarget::StaticMemberExpression(member) => self.member(member),
            SimpleAssignmentTarget::ComputedMemberExpression(member) => {
                let object = self.expr(&member.object);
                let index = self.expr(&member.expression);
                match self.ir.kind(index).clone() {
                    Expr::Text(name) => Expr::Field(object, name),
                    _ => Expr::Index(object, index),
                }
            }
            SimpleAssignmentTarget::PrivateFieldExpression(member) => {
                let object = self.expr(&member.object);
                Expr::Field(object, self.ir.name(&member.field.name))
            }
            SimpleAssignmentTarget::TSAsExpression(inner) => {
                return Some(self.expr(&inner.expression));
            }
            SimpleAssignmentTarget::TSSatisfiesExpression(inner) => {
                return Some(self.expr(&inner.expression));
            }
            SimpleAssignmentTarget::TSNonNullExpression(inner) => {
                return Some(self.expr(&inner.expression));
            }
            SimpleAssignmentTarget::TSTypeAssertion(inner) => {
                return Some(self.expr(&inner.expression));
            }
        };
        Some(self.ir.expr(kind, at))
    }

    fn target_or_default(&mut self, target: &AssignmentTargetMaybeDefault) -> Target {
        match target {
            AssignmentTargetMaybeDefault::AssignmentTargetWithDefault(with) => {
                let default = self.expr(&with.init);
                Target::Default(Box::new(self.target(&with.binding)), default)
            }
            other => match other.as_assignment_target() {
                Some(target) => self.target(target),
                None => Target::Ignored,
            },
        }
    }

    fn assigned_property(&mut self, property: &AssignmentTargetProperty) -> Option<(u32, Target)> {
        match property {
            AssignmentTargetProperty::AssignmentTargetPropertyIdentifier(property) => {
                let name = self.ir.name(&property.binding.name);
                let target = Target::Name(name);
                Some((name, self.with_default(target, property.init.as_ref())))
            }
            AssignmentTargetProperty::AssignmentTargetPropertyProperty(property) => {
                let name = self.key(&property.name)?;
                Some((name, self.target_or_default(&property.binding)))
            }
        }
    }

    fn with_default(
        &mut self,
        target: Target,
        default: Option<&oxc::ast::ast::Expression>,
    ) -> Target {
        match default {
            Some(default) => {
                let default = self.expr(default);
                Target::Default(Box::new(target), default)
            }
            None => target,
        }
    }

    /// Lowers what a declaration or parameter binds.
    pub(super) fn binding(&mut self, pattern: &BindingPattern) -> Target {
        if !self.ir.enter() {
            return Target::Ignored;
        }
        let lowered = match pattern {
            BindingPattern::BindingIdentifier(name) => Target::Name(self.ir.name(&name.name)),
            BindingPattern::AssignmentPattern(with) => {
                let default = self.expr(&with.right);
                Target::Default(Box::new(self.binding(&with.left)), default)
            }
            BindingPattern::ObjectPattern(object) => {
                let mut fields = Vec::new();
                for property in &object.properties {
                    if let Some(name) = self.key(&property.key) {
                        fields.push((name, self.binding(&property.value)));
                    }
                }
                let rest = object
                    .rest
                    .as_ref()
                    .map(|rest| Box::new(self.binding(&rest.argument)));
                Target::Object(fields, rest)
            }
            BindingPattern::ArrayPattern(array) => {
                let mut elements = Vec::new();
                for element in array.elements.iter().map(Option::as_ref) {
                    elements.push(element.map_or(Target::Ignored, |element| self.binding(element)));
                }
                elements.extend(array.rest.as_ref().map(|rest| self.binding(&rest.argument)));
                Target::List(elements)
            }
        };
        self.ir.leave();
        lowered
    }
}
