//! Calls.

use std::rc::Rc;

use super::engine::Engine;
use super::function::Given;
use super::intern::Sym;
use super::summary::Doing;
use super::value::{ClassKey, Shape, Value};
use crate::ir::{Argument, Expr, ExprId, Span};

/// What a call looks like from outside.
pub(crate) struct Call<'a> {
    /// The last name of what is called.
    pub(crate) name: String,
    /// Its path, where it is known.
    pub(crate) path: Option<Rc<str>>,
    /// The object whose method is called.
    pub(crate) receiver: Option<Value>,
    /// That object, as written.
    pub(crate) receiver_id: Option<ExprId>,
    /// What it is given.
    pub(crate) given: Given<'a>,
    /// Where it is reported: at the method's name.
    pub(crate) at: Span,
}

impl Engine {
    /// What a call may give.
    pub(crate) fn call(&mut self, id: ExprId, callee: ExprId, args: &[Argument]) -> Value {
        let unit = self.unit();
        let (called, receiver, receiver_id) = match &unit.module.exprs[callee as usize].kind {
            Expr::Field(object, name) => {
                let holder = self.eval(*object);
                let sym = self.sym(*name);
                let field = self.method(&holder, sym);
                (field, Some(holder), Some(*object))
            }
            _ => (self.eval(callee), None, None),
        };
        let given = self.given(args, self.span_of(id));
        let name = self.called_name(callee);
        let at = self.place_of_call(id, callee, &name);
        match called.shape {
            Shape::Func(key) => {
                let value = self.apply(key, &given, None);
                if !value.is_tainted() {
                    return value;
                }
                let span = given.span;
                self.step(&value, span, &format!("comes back from `{name}`"))
            }
            Shape::Bound(key, this) => {
                let this = (*this).clone();
                self.apply(key, &given, Some(this))
            }
            Shape::Class(class) => self.construct(class, &given),
            Shape::Module(module) => {
                let default = self.names.id("default");
                match self.exported(module, default).shape {
                    Shape::Func(key) => self.apply(key, &given, None),
                    Shape::Class(class) => self.construct(class, &given),
                    _ => given.all(),
                }
            }
            Shape::Param(origin) if receiver.is_none() => {
                let values = given.values.clone();
                self.note(Doing::Calls(origin, values));
                given.all()
            }
            Shape::Path(path) => {
                let path = Rc::clone(self.paths.text(path));
                // An alias is called by the name of what it stands for.
                let name = path
                    .rsplit('.')
                    .next()
                    .filter(|last| !last.ends_with(')'))
                    .unwrap_or(&name);
                let name = name.to_owned();
                let path = Some(path);
                let call = Call {
                    name,
                    path,
                    receiver,
                    receiver_id,
                    given,
                    at,
                };
                self.external(call)
            }
            _ => {
                let call = Call {
                    name,
                    path: None,
                    receiver,
                    receiver_id,
                    given,
                    at,
                };
                self.external(call)
            }
        }
    }

    /// A method of an object: of values without known methods, only what they are is known.
    fn method(&mut self, holder: &Value, name: Sym) -> Value {
        match &holder.shape {
            Shape::Path(_) | Shape::Module(_) | Shape::Instance(_) | Shape::Class(_) => {
                self.field_of(holder, name)
            }
            Shape::Object(fields) => {
                let field = fields.iter().find(|(field, _)| *field == name);
                field.map(|(_, value)| value.clone()).unwrap_or_default()
            }
            Shape::Param(_) => {
                let field = self.field_of(holder, name);
                Value {
                    taints: None,
                    ..field
                }
            }
            Shape::Bound(..) | Shape::Func(_) => Value::default(),
            _ => Value::default(),
        }
    }

    fn given<'a>(&mut self, args: &'a [Argument], span: Span) -> Given<'a> {
        let mut given = Given {
            values: vec![],
            named: vec![],
            spread: None,
            written: args,
            span,
        };
        for argument in args {
            let value = self.eval(argument.value);
            match (argument.name, argument.is_spread) {
                (Some(name), _) => given.named.push((self.sym(name), value)),
                (None, true) => given.spread = Some(value.flat()),
                (None, false) => given.values.push(value),
            }
        }
        given
    }

    fn place_of_call(&self, id: ExprId, callee: ExprId, name: &str) -> Span {
        let whole = self.span_of(id);
        let unit = self.unit();
        match unit.module.exprs[callee as usize].kind {
            Expr::Field(..) => {
                let end = self.span_of(callee).end;
                Span {
                    start: end.saturating_sub(name.len() as u32).max(whole.start),
                    ..whole
                }
            }
            _ => whole,
        }
    }

    fn construct(&mut self, class: ClassKey, given: &Given) -> Value {
        for constructor in ["__init__", "constructor"] {
            let sym = self.names.id(constructor);
            if let Some(key) = self.method_of(class, sym) {
                self.apply(key, given, None);
            }
        }
        // A record keeps what it is given under the names it is given by.
        for (name, value) in &given.named {
            if value.is_tainted() {
                self.store_field(class, *name, value);
            }
        }
        Value::of(Shape::Instance(class))
    }
}
