//! Expressions.

use ruff_python_ast::{
    self as ast, BoolOp, CmpOp, Expr as Py, FStringPart, InterpolatedStringElement, Operator,
    UnaryOp,
};

use super::{Lowering, span};
use crate::ir::{Argument, Comparison, Entry, Expr, ExprId, Function, Param, Span, Stmt, Target};

impl Lowering<'_> {
    /// Lowers an expression.
    pub(super) fn expr(&mut self, py: &Py) -> ExprId {
        let at = span(py);
        if !self.ir.enter() {
            return self.ir.expr(Expr::Opaque(vec![]), at);
        }
        let kind = self.kind(py, at);
        self.ir.leave();
        self.ir.expr(kind, at)
    }

    pub(super) fn exprs<'p>(&mut self, list: impl IntoIterator<Item = &'p Py>) -> Vec<ExprId> {
        list.into_iter().map(|py| self.expr(py)).collect()
    }

    fn kind(&mut self, py: &Py, at: Span) -> Expr {
        match py {
            Py::StringLiteral(text) => Expr::Text(self.ir.name(text.value.to_str())),
            Py::BytesLiteral(_) => Expr::Text(self.ir.name("")),
            Py::NumberLiteral(_) => Expr::Number,
            Py::BooleanLiteral(truth) => Expr::Truth(truth.value),
            Py::NoneLiteral(_) | Py::EllipsisLiteral(_) => Expr::Nothing,
            Py::Name(name) => self.variable(&name.id),
            Py::Attribute(field) => {
                let object = self.expr(&field.value);
                Expr::Field(object, self.ir.name(&field.attr))
            }
            Py::Subscript(subscript) => self.subscript(subscript),
            Py::Call(call) => self.call(call),
            Py::FString(text) => self.f_string(text, at),
            Py::BinOp(operation) => self.operation(operation),
            Py::BoolOp(operation) => self.logic(operation, at),
            Py::UnaryOp(operation) => {
                let operand = self.expr(&operation.operand);
                match operation.op {
                    UnaryOp::Not => Expr::Not(operand),
                    UnaryOp::Invert | UnaryOp::UAdd | UnaryOp::USub => {
                        Expr::Arithmetic(vec![operand])
                    }
                }
            }
            Py::Compare(compare) => self.compare(compare, at),
            Py::If(choice) => Expr::Choose {
                test: self.expr(&choice.test),
                yes: self.expr(&choice.body),
                no: self.expr(&choice.orelse),
            },
            Py::Named(named) => {
                let value = self.expr(&named.value);
                Expr::Assign(Box::new(self.target(&named.target)), value)
            }
            Py::Lambda(lambda) => self.lambda(lambda, at),
            Py::List(list) => Expr::List(self.exprs(&list.elts)),
            Py::Tuple(tuple) => Expr::List(self.exprs(&tuple.elts)),
            Py::Set(set) => Expr::List(self.exprs(&set.elts)),
            Py::Dict(dict) => self.dict(dict),
            Py::ListComp(c) => self.comprehension(&c.elt, &c.generators),
            Py::SetComp(c) => self.comprehension(&c.elt, &c.generators),
            Py::Generator(c) => self.comprehension(&c.elt, &c.generators),
            Py::DictComp(c) => self.comprehension(&c.value, &c.generators),
            Py::Await(wait) => Expr::Sequence(vec![self.expr(&wait.value)]),
            Py::Yield(given) => Expr::Sequence(self.exprs(given.value.as_deref())),
            Py::YieldFrom(given) => Expr::Sequence(vec![self.expr(&given.value)]),
            Py::Starred(starred) => Expr::Sequence(vec![self.expr(&starred.value)]),
            Py::Slice(_) => Expr::Number,
            Py::TString(_) | Py::IpyEscapeCommand(_) => Expr::Opaque(vec![]),
        }
    }

    fn variable(&mut self, name: &str) -> Expr {
        if self.this.as_deref() == Some(name) {
            return Expr::This;
        }
        Expr::Name(self.ir.name(name))
    }

    fn subscript(&mut self, subscript: &ast::ExprSubscript) -> Expr {
        let object = self.expr(&subscript.value);
        if let Py::StringLiteral(key) = &*subscript.slice {
            return Expr::Field(object, self.ir.name(key.value.to_str()));
        }
        Expr::Index(object, self.expr(&subscript.slice))
    }

    fn call(&mut self, call: &ast::ExprCall) -> Expr {
        let callee = self.expr(&call.func);
        let mut args = Vec::new();
        for argument in &*call.arguments.args {
            let is_spread = argument.is_starred_expr();
            let value = self.expr(argument);
            args.push(Argument {
                name: None,
                value,
                is_spread,
            });
        }
        for keyword in &call.arguments.keywords {
            let name = keyword.arg.as_ref().map(|name| self.ir.name(name));
            let value = self.expr(&keyword.value);
            args.push(Argument {
                name,
                value,
                is_spread: name.is_none(),
            });
        }
        Expr::Call { callee, args }
    }

    fn f_string(&mut self, text: &ast::ExprFString, at: Span) -> Expr {
        let mut parts = Vec::new();
        for part in text.value.iter() {
            match part {
                FStringPart::Literal(literal) => parts.push(self.literal(&literal.value, at)),
                FStringPart::FString(inner) => {
                    for element in &inner.elements {
                        parts.push(self.element(element, at));
                    }
                }
            }
        }
        Expr::Join(parts)
    }

    fn literal(&mut self, text: &str, at: Span) -> ExprId {
        let text = Expr::Text(self.ir.name(text));
        self.ir.expr(text, at)
    }

    fn element(&mut self, element: &InterpolatedStringElement, at: Span) -> ExprId {
        match element {
            InterpolatedStringElement::Literal(literal) => self.literal(&literal.value, at),
            InterpolatedStringElement::Interpolation(inner) => {
                let value = self.expr(&inner.expression);
                match inner
                    .format_spec
                    .as_deref()
                    .map(|spec| &self.source[spec_range(spec)])
                {
                    // A format of numbers fails for everything else.
                    Some(spec) if spec.ends_with(['d', 'f', 'x', '%', 'e']) => {
                        self.ir.expr(Expr::Arithmetic(vec![value]), at)
                    }
                    _ => value,
                }
            }
        }
    }

    fn operation(&mut self, operation: &ast::ExprBinOp) -> Expr {
        match operation.op {
            Operator::Add => Expr::Join(self.sum(operation)),
            Operator::Mod if !operation.right.is_number_literal_expr() => {
                let format = self.expr(&operation.left);
                let mut parts = vec![format];
                match &*operation.right {
                    Py::Tuple(tuple) => parts.extend(self.exprs(&tuple.elts)),
                    Py::Dict(dict) => {
                        let values: Vec<&Py> = dict.iter_values().collect();
                        parts.extend(self.exprs(values));
                    }
                    other => parts.push(self.expr(other)),
                }
                Expr::Join(parts)
            }
            // A path of pathlib divided by a name.
            Operator::Div | Operator::BitOr => Expr::Opaque(vec![
                self.expr(&operation.left),
                self.expr(&operation.right),
            ]),
            _ => Expr::Arithmetic(vec![
                self.expr(&operation.left),
                self.expr(&operation.right),
            ]),
        }
    }

    /// The terms of a sum, without a level of depth for each.
    fn sum(&mut self, operation: &ast::ExprBinOp) -> Vec<ExprId> {
        let mut terms = vec![&*operation.right];
        let mut left = &*operation.left;
        while let Py::BinOp(inner) = left
            && inner.op == Operator::Add
        {
            terms.push(&inner.right);
            left = &inner.left;
        }
        terms.push(left);
        terms.reverse();
        self.exprs(terms)
    }

    fn logic(&mut self, operation: &ast::ExprBoolOp, at: Span) -> Expr {
        let values = self.exprs(&operation.values);
        match operation.op {
            BoolOp::Or => Expr::Either(values),
            BoolOp::And => {
                let mut values = values.into_iter();
                let first = values.next().unwrap_or_default();
                let mut kind = Expr::Sequence(vec![first]);
                for value in values {
                    let left = self.ir.expr(kind, at);
                    kind = Expr::Both(left, value);
                }
                kind
            }
        }
    }

    fn compare(&mut self, compare: &ast::ExprCompare, at: Span) -> Expr {
        let mut left = self.expr(&compare.left);
        let mut whole: Option<ExprId> = None;
        for (op, right) in compare.ops.iter().zip(&compare.comparators) {
            let right = self.expr(right);
            let one = self
                .ir
                .expr(Expr::Compare(comparison(*op), left, right), at);
            whole = Some(match whole {
                Some(before) => self.ir.expr(Expr::Both(before, one), at),
                None => one,
            });
            left = right;
        }
        Expr::Sequence(whole.into_iter().collect())
    }

    fn lambda(&mut self, lambda: &ast::ExprLambda, at: Span) -> Expr {
        let params = match lambda.parameters.as_deref() {
            Some(parameters) => self.params(parameters),
            None => Vec::<Param>::new(),
        };
        let value = self.expr(&lambda.body);
        let body = self.ir.block(vec![Stmt::Return(Some(value))]);
        let name = self.ir.name("");
        let function = Function {
            name,
            params,
            body,
            decorators: vec![],
            class: None,
            span: at,
        };
        Expr::Function(self.ir.function(function))
    }

    fn dict(&mut self, dict: &ast::ExprDict) -> Expr {
        let mut entries = Vec::new();
        for item in dict.iter() {
            let value = self.expr(&item.value);
            let (key, computed) = match &item.key {
                Some(Py::StringLiteral(text)) => (Some(self.ir.name(text.value.to_str())), None),
                Some(other) => (None, Some(self.expr(other))),
                None => (None, None),
            };
            entries.push(Entry {
                key,
                computed,
                value,
            });
        }
        Expr::Object(entries)
    }

    fn comprehension(&mut self, element: &Py, generators: &[ast::Comprehension]) -> Expr {
        let mut binds: Vec<(Target, ExprId)> = Vec::new();
        let mut tests = Vec::new();
        for generator in generators {
            let over = self.expr(&generator.iter);
            let target = self.target(&generator.target);
            binds.push((target, over));
            tests.extend(self.exprs(&generator.ifs));
        }
        let element = self.expr(element);
        Expr::Comprehension {
            binds,
            tests,
            element,
        }
    }
}

fn spec_range(spec: &ast::InterpolatedStringFormatSpec) -> std::ops::Range<usize> {
    spec.range.start().to_usize()..spec.range.end().to_usize()
}

fn comparison(op: CmpOp) -> Comparison {
    match op {
        CmpOp::Eq | CmpOp::Is => Comparison::Equal,
        CmpOp::NotEq | CmpOp::IsNot => Comparison::Unequal,
        CmpOp::In => Comparison::In,
        CmpOp::NotIn => Comparison::NotIn,
        CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE => Comparison::Order,
    }
}
