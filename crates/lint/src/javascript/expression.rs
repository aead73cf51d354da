//! Expressions.

use oxc::ast::ast::{
    self, Argument as JsArgument, ArrayExpressionElement, AssignmentOperator, BinaryOperator,
    ChainElement, Expression as Js, LogicalOperator, ObjectPropertyKind, PropertyKey,
    UnaryOperator,
};

use super::{EXPORTS, Lowering, span};
use crate::ir::{Argument, Comparison, Entry, Expr, ExprId, Name, Span};

impl Lowering<'_> {
    /// Lowers an expression.
    pub(super) fn expr(&mut self, js: &Js) -> ExprId {
        let at = span(js);
        if !self.ir.enter() {
            return self.ir.expr(Expr::Opaque(vec![]), at);
        }
        let kind = self.kind(js, at);
        self.ir.leave();
        self.ir.expr(kind, at)
    }

    fn kind(&mut self, js: &Js, at: Span) -> Expr {
        match js {
            Js::StringLiteral(text) => Expr::Text(self.ir.name(&text.value)),
            Js::NumericLiteral(_) | Js::BigIntLiteral(_) => Expr::Number,
            Js::BooleanLiteral(truth) => Expr::Truth(truth.value),
            Js::NullLiteral(_) => Expr::Nothing,
            Js::RegExpLiteral(regex) => {
                let text = regex.regex.pattern.text.to_string();
                Expr::Pattern(self.ir.name(&text))
            }
            Js::TemplateLiteral(template) => Expr::Join(self.template(template)),
            Js::TaggedTemplateExpression(tagged) => self.tagged(tagged, at),
            Js::Identifier(name) => self.variable(&name.name),
            Js::ThisExpression(_) | Js::Super(_) => Expr::This,
            Js::ArrayExpression(array) => Expr::List(self.elements(array)),
            Js::ObjectExpression(object) => self.object(object),
            Js::ArrowFunctionExpression(arrow) => Expr::Function(self.arrow(arrow, "")),
            Js::FunctionExpression(function) => Expr::Function(self.function(function, None)),
            Js::ClassExpression(class) => Expr::Class(self.class(class)),
            Js::AssignmentExpression(assignment) => self.assignment(assignment, at),
            Js::AwaitExpression(wait) => Expr::Sequence(vec![self.expr(&wait.argument)]),
            Js::YieldExpression(given) => {
                Expr::Sequence(given.argument.iter().map(|js| self.expr(js)).collect())
            }
            Js::BinaryExpression(binary) => self.binary(binary),
            Js::LogicalExpression(logical) => {
                let (left, right) = (self.expr(&logical.left), self.expr(&logical.right));
                match logical.operator {
                    LogicalOperator::And => Expr::Both(left, right),
                    LogicalOperator::Or | LogicalOperator::Coalesce => {
                        Expr::Either(vec![left, right])
                    }
                }
            }
            Js::ConditionalExpression(choice) => Expr::Choose {
                test: self.expr(&choice.test),
                yes: self.expr(&choice.consequent),
                no: self.expr(&choice.alternate),
            },
            Js::UnaryExpression(unary) => self.unary(unary),
            Js::UpdateExpression(_) | Js::PrivateInExpression(_) => Expr::Number,
            Js::SequenceExpression(sequence) => Expr::Sequence(
                sequence
                    .expressions
                    .iter()
                    .map(|js| self.expr(js))
                    .collect(),
            ),
            Js::CallExpression(call) => self.call(call),
            Js::NewExpression(new) => {
                let callee = self.expr(&new.callee);
                let args = self.arguments(&new.arguments);
                Expr::Call { callee, args }
            }
            Js::ImportExpression(import) => match &import.source {
                Js::StringLiteral(text) => self.import_of(&text.value),
                other => {
                    let callee = self.ir.variable("import", at);
                    let value = self.expr(other);
                    let args = vec![Argument {
                        name: None,
                        value,
                        is_spread: false,
                    }];
                    Expr::Call { callee, args }
                }
            },
            Js::ChainExpression(chain) => self.chain(&chain.expression, at),
            Js::StaticMemberExpression(member) => self.member(member),
            Js::ComputedMemberExpression(member) => {
                let object = self.expr(&member.object);
                match &member.expression {
                    Js::StringLiteral(key) => Expr::Field(object, self.ir.name(&key.value)),
                    other => Expr::Index(object, self.expr(other)),
                }
            }
            Js::PrivateFieldExpression(member) => {
                let object = self.expr(&member.object);
                Expr::Field(object, self.ir.name(&member.field.name))
            }
            Js::ParenthesizedExpression(inner) => {
                Expr::Sequence(vec![self.expr(&inner.expression)])
            }
            Js::TSAsExpression(inner) => Expr::Sequence(vec![self.expr(&inner.expression)]),
            Js::TSSatisfiesExpression(inner) => Expr::Sequence(vec![self.expr(&inner.expression)]),
            Js::TSTypeAssertion(inner) => Expr::Sequence(vec![self.expr(&inner.expression)]),
            Js::TSNonNullExpression(inner) => Expr::Sequence(vec![self.expr(&inner.expression)]),
            Js::TSInstantiationExpression(inner) => {
                Expr::Sequence(vec![self.expr(&inner.expression)])
            }
            Js::JSXElement(element) => self.element(element),
            Js::JSXFragment(fragment) => Expr::Opaque(self.children(&fragment.children)),
            Js::ImportMeta(_) => Expr::Name(self.ir.name("import.meta")),
            Js::NewTarget(_) | Js::V8IntrinsicExpression(_) => Expr::Opaque(vec![]),
        }
    }

    fn variable(&mut self, name: &str) -> Expr {
        match name {
            "undefined" => Expr::Nothing,
            "exports" => Expr::Name(self.ir.name(EXPORTS)),
            other => Expr::Name(self.ir.name(other)),
        }
    }

    fn template(&mut self, template: &ast::TemplateLiteral) -> Vec<ExprId> {
        let mut parts = Vec::new();
        let mut values = template.expressions.iter();
        for quasi in &template.quasis {
            let text = quasi.value.cooked.as_ref().unwrap_or(&quasi.value.raw);
            let text = Expr::Text(self.ir.name(text));
            parts.push(self.ir.expr(text, span(quasi)));
            if let Some(value) = values.next() {
                parts.push(self.expr(value));
            }
        }
        parts
    }

    /// Tags make parameters of what is put in (`sql`, `html`); only `String.raw` joins texts.
    fn tagged(&mut self, tagged: &ast::TaggedTemplateExpression, at: Span) -> Expr {
        let tag = span(&tagged.tag);
        let is_raw = &self.source[tag.start as usize..tag.end as usize] == "String.raw";
        let mut parts = self.template(&tagged.quasi);
        if is_raw {
            return Expr::Join(parts);
        }
        let callee = self.expr(&tagged.tag);
        parts.push(callee);
        let text = Expr::Text(self.ir.name(""));
        parts.push(self.ir.expr(text, at));
        Expr::Sequence(parts)
    }

    fn elements(&mut self, array: &ast::ArrayExpression) -> Vec<ExprId> {
        let mut lowered = Vec::new();
        for element in &array.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let inner = self.expr(&spread.argument);
                    lowered.push(self.ir.expr(Expr::Opaque(vec![inner]), span(&**spread)));
                }
                ArrayExpressionElement::Elision(_) => {}
                other => lowered.extend(other.as_expression().map(|js| self.expr(js))),
            }
        }
        lowered
    }

    fn object(&mut self, object: &ast::ObjectExpression) -> Expr {
        let mut entries = Vec::new();
        for property in &object.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let value = self.expr(&spread.argument);
                    entries.push(Entry {
                        key: None,
                        computed: None,
                        value,
                    });
                }
                ObjectPropertyKind::ObjectProperty(property) => {
                    let key = self.key(&property.key);
                    let computed = match (key, property.key.as_expression()) {
                        (None, Some(js)) => Some(self.expr(js)),
                        _ => None,
                    };
                    let value = self.expr(&property.value);
                    entries.push(Entry {
                        key,
                        computed,
                        value,
                    });
                }
            }
        }
        Expr::Object(entries)
    }

    /// The constant name of a property.
    pub(super) fn key(&mut self, key: &PropertyKey) -> Option<Name> {
        match key {
            PropertyKey::StaticIdentifier(name) => Some(self.ir.name(&name.name)),
            PropertyKey::PrivateIdentifier(name) => Some(self.ir.name(&name.name)),
            PropertyKey::StringLiteral(text) => Some(self.ir.name(&text.value)),
            _ => None,
        }
    }

    fn assignment(&mut self, assignment: &ast::AssignmentExpression, at: Span) -> Expr {
        let value = self.expr(&assignment.right);
        let target = self.target(&assignment.left);
        match assignment.operator {
            AssignmentOperator::Assign => Expr::Assign(Box::new(target), value),
            AssignmentOperator::Addition
            | AssignmentOperator::LogicalOr
            | AssignmentOperator::LogicalNullish
            | AssignmentOperator::LogicalAnd => {
                let before = self.simple(&assignment.left);
                let parts = before.into_iter().chain([value]).collect();
                let kind = match assignment.operator {
                    AssignmentOperator::Addition => Expr::Join(parts),
                    _ => Expr::Either(parts),
                };
                let joined = self.ir.expr(kind, at);
                Expr::Assign(Box::new(target), joined)
            }
            _ => Expr::Arithmetic(vec![value]),
        }
    }

    fn binary(&mut self, binary: &ast::BinaryExpression) -> Expr {
        use BinaryOperator as Op;
        if binary.operator == Op::Addition {
            return Expr::Join(self.sum(binary));
        }
        let (left, right) = (self.expr(&binary.left), self.expr(&binary.right));
        match binary.operator {
            Op::Equality | Op::StrictEquality => Expr::Compare(Comparison::Equal, left, right),
            Op::Inequality | Op::StrictInequality => {
                Expr::Compare(Comparison::Unequal, left, right)
            }
            Op::In => Expr::Compare(Comparison::In, left, right),
            Op::LessThan | Op::LessEqualThan | Op::GreaterThan | Op::GreaterEqualThan => {
                Expr::Compare(Comparison::Order, left, right)
            }
            _ => Expr::Arithmetic(vec![left, right]),
        }
    }

    /// The terms of a sum, without a level of depth for each.
    fn sum(&mut self, binary: &ast::BinaryExpression) -> Vec<ExprId> {
        let mut terms = vec![&binary.right];
        let mut left = &binary.left;
        while let Js::BinaryExpression(inner) = left
            && inner.operator == BinaryOperator::Addition
        {
            terms.push(&inner.right);
            left = &inner.left;
        }
        terms.push(left);
        terms.reverse();
        terms.into_iter().map(|js| self.expr(js)).collect()
    }

    fn unary(&mut self, unary: &ast::UnaryExpression) -> Expr {
        let inner = self.expr(&unary.argument);
        match unary.operator {
            UnaryOperator::LogicalNot => Expr::Not(inner),
            UnaryOperator::Typeof => {
                let callee = self.ir.variable("typeof", span(unary));
                let args = vec![Argument {
                    name: None,
                    value: inner,
                    is_spread: false,
                }];
                Expr::Call { callee, args }
            }
            UnaryOperator::Void | UnaryOperator::Delete => Expr::Nothing,
            _ => Expr::Arithmetic(vec![inner]),
        }
    }

    fn call(&mut self, call: &ast::CallExpression) -> Expr {
        if let Js::Identifier(name) = &call.callee
            && name.name == "require"
            && let Some(JsArgument::StringLiteral(text)) = call.arguments.first()
        {
            return self.import_of(&text.value);
        }
        let callee = self.expr(&call.callee);
        let args = self.arguments(&call.arguments);
        Expr::Call { callee, args }
    }

    fn import_of(&mut self, module: &str) -> Expr {
        let module = self.ir.name(module.strip_prefix("node:").unwrap_or(module));
        Expr::Import {
            module,
            member: None,
        }
    }

    fn arguments(&mut self, arguments: &[JsArgument]) -> Vec<Argument> {
        let mut lowered = Vec::new();
        for argument in arguments {
            let (value, is_spread) = match argument {
                JsArgument::SpreadElement(spread) => (self.expr(&spread.argument), true),
                other => match other.as_expression() {
                    Some(js) => (self.expr(js), false),
                    None => continue,
                },
            };
            lowered.push(Argument {
                name: None,
                value,
                is_spread,
            });
        }
        lowered
    }

    fn chain(&mut self, chain: &ChainElement, at: Span) -> Expr {
        match chain {
            ChainElement::CallExpression(call) => self.call(call),
            ChainElement::TSNonNullExpression(inner) => {
                Expr::Sequence(vec![self.expr(&inner.expression)])
            }
            ChainElement::StaticMemberExpression(member) => self.member(member),
            ChainElement::ComputedMemberExpression(member) => {
                let object = self.expr(&member.object);
                let index = self.expr(&member.expression);
                Expr::Index(object, index)
            }
            ChainElement::PrivateFieldExpression(member) => {
                let object = self.expr(&member.object);
                let _ = at;
                Expr::Field(object, self.ir.name(&member.field.name))
            }
        }
    }

    pub(super) fn member(&mut self, member: &ast::StaticMemberExpression) -> Expr {
        if let Js::Identifier(name) = &member.object
            && name.name == "module"
            && member.property.name == "exports"
        {
            return Expr::Name(self.ir.name(EXPORTS));
        }
        let object = self.expr(&member.object);
        Expr::Field(object, self.ir.name(&member.property.name))
    }
}
