//! Variables, fields, and what is put into them.

use std::rc::Rc;

use super::engine::{Engine, Outer};
use super::harm::{Harm, Harms};
use super::intern::{Part, Sym};
use super::statement::object_of;
use super::summary::{Doing, Drain, Place};
use super::value::{ClassKey, Shape, Value};
use crate::ir::{Expr, ExprId, Span, Target, Tongue};
use crate::tables::When;

impl Engine {
    /// What a variable holds; `None` where the app does not declare it.
    pub(crate) fn lookup(&self, sym: Sym) -> Option<Value> {
        let frame = self.stack.last()?;
        if let Some(value) = frame.flow.vars.get(&sym) {
            return Some(self.with_stored(frame.module, frame.function.is_none(), sym, value));
        }
        for outer in &frame.outer {
            let found = match outer {
                Outer::Active(index) => self.stack[*index].flow.vars.get(&sym),
                Outer::Then(vars) => vars.get(&sym),
            };
            if let Some(value) = found {
                return Some(value.clone());
            }
        }
        self.global(frame.module, sym)
    }

    fn with_stored(&self, module: u32, is_global: bool, sym: Sym, value: &Value) -> Value {
        let mut value = value.clone();
        if is_global && let Some(more) = self.globals.get(&(module, sym)) {
            value.absorb(&more.flat());
        }
        value
    }

    /// Declares what a target names, in the present function.
    pub(crate) fn bind(&mut self, target: &Target, value: &Value, span: Span) {
        match target {
            Target::Name(name) => {
                let value = self.kept(value, span, *name);
                let sym = self.sym(*name);
                self.frame().flow.vars.insert(sym, value);
            }
            _ => self.take_apart(target, value, span, Self::bind),
        }
    }

    /// Assigns to what exists already.
    pub(crate) fn assign(&mut self, target: &Target, value: &Value, span: Span) {
        match target {
            Target::Name(name) => {
                let value = self.kept(value, span, *name);
                let sym = self.sym(*name);
                self.set(sym, value);
            }
            _ => self.take_apart(target, value, span, Self::assign),
        }
    }

    /// A value, as a variable keeps it.
    fn kept(&mut self, value: &Value, span: Span, name: crate::ir::Name) -> Value {
        if !value.is_tainted() {
            return value.clone();
        }
        let text = self.text(name);
        self.step(value, span, &format!("kept as `{text}`"))
    }

    fn set(&mut self, sym: Sym, value: Value) {
        let frame = self.frame();
        if frame.flow.vars.contains_key(&sym) || frame.function.is_none() {
            frame.flow.vars.insert(sym, value);
            return;
        }
        let outer = frame.outer.clone();
        for outer in outer {
            if let Outer::Active(index) = outer
                && let Some(there) = self.stack[index].flow.vars.get_mut(&sym)
            {
                *there = there.join(&value);
                return;
            }
        }
        let module = self.module();
        if self.global(module, sym).is_some() {
            self.store_global(module, sym, &value);
        }
        // What is set here is known from here on.
        self.frame().flow.vars.insert(sym, value);
    }

    fn take_apart(
        &mut self,
        target: &Target,
        value: &Value,
        span: Span,
        keep: fn(&mut Self, &Target, &Value, Span),
    ) {
        match target {
            Target::Name(_) => keep(self, target, value, span),
            Target::Ignored => {}
            Target::Default(inner, default) => {
                let default = self.eval(*default);
                let either = if value.shape == Shape::Unknown && !value.is_tainted() {
                    default
                } else {
                    value.clone()
                };
                keep(self, inner, &either, span);
            }
            Target::List(targets) => {
                let element = self.element_of(value);
                for (place, target) in targets.iter().enumerate() {
                    let part = self.place_of_pair(value, place);
                    keep(self, target, part.as_ref().unwrap_or(&element), span);
                }
            }
            Target::Object(fields, rest) => {
                for (name, target) in fields {
                    let sym = self.sym(*name);
                    let field = self.field_of(value, sym);
                    keep(self, target, &field, span);
                }
                if let Some(rest) = rest {
                    keep(self, rest, value, span);
                }
            }
            Target::Field(object, name) => self.set_field(*object, *name, value, span),
            Target::Index(object, index) => self.set_element(*object, *index, value, span),
        }
    }

    /// What is at a place of a pair whose parts are known.
    fn place_of_pair(&mut self, value: &Value, place: usize) -> Option<Value> {
        let Shape::Object(fields) = &value.shape else {
            return None;
        };
        let name = self.names.id(&place.to_string());
        let found = fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, part)| part.clone())
    }

    fn set_field(&mut self, object: ExprId, name: crate::ir::Name, value: &Value, span: Span) {
        let holder = self.eval(object);
        let sym = self.sym(name);
        let text = self.text(name);
        self.drain_field(&holder, &text, value, span);
        if value.is_tainted() {
            let header = Value::of(Shape::Const(text.as_str().into()));
            self.drain_origin(&header, value, span);
        }
        if let Shape::Func(key) = value.shape
            && text.starts_with("on")
        {
            self.call_listener(key, &text, &holder);
        }
        match holder.shape {
            Shape::Instance(class) => self.store_field(class, sym, value),
            _ => {
                let inner = object_of(sym, value.clone());
                self.fill(object, &inner);
            }
        }
    }

    fn set_element(&mut self, object: ExprId, index: ExprId, value: &Value, span: Span) {
        let key = self.eval(index);
        self.eval(object);
        if self.tongue() == Tongue::JavaScript && key.is_tainted() {
            let unit = self.unit();
            // `a[key][other] = …` reaches the prototype of every object; `a[key] = …` that of `a`.
            let is_deep = matches!(&unit.module.exprs[object as usize].kind, Expr::Index(inner, _)
                | Expr::Field(inner, _) if matches!(unit.module.exprs[*inner as usize].kind, Expr::Index(..)))
                || matches!(&unit.module.exprs[object as usize].kind, Expr::Index(_, key) if {
                    let key = *key;
                    self.eval(key).is_tainted()
                });
            let confidence = match is_deep {
                true => model::finding::Confidence::High,
                false => model::finding::Confidence::Medium,
            };
            let at = Place {
                module: self.module(),
                span,
            };
            let (harm, when, tongue) = (Harm::Prototype, When::Always, Tongue::JavaScript);
            let drain = Drain {
                harm,
                when,
                confidence,
                is_strict: false,
                tongue,
                at,
            };
            self.drain(drain, &key);
        }
        let mut held = value.flat();
        held.shape = Shape::Unknown;
        self.fill(object, &held);
    }

    /// Puts something into what an expression names.
    pub(crate) fn fill(&mut self, object: ExprId, value: &Value) {
        let unit = self.unit();
        match &unit.module.exprs[object as usize].kind {
            Expr::Name(name) => {
                let sym = self.sym(*name);
                self.fill_variable(sym, value);
            }
            Expr::Field(inner, name) => {
                let holder = self.eval(*inner);
                let sym = self.sym(*name);
                match holder.shape {
                    Shape::Instance(class) => self.store_field(class, sym, value),
                    _ => {
                        let wrapped = object_of(sym, value.clone());
                        self.fill(*inner, &wrapped);
                    }
                }
            }
            Expr::Index(inner, _) => {
                let flat = value.flat();
                self.fill(*inner, &flat);
            }
            Expr::Sequence(parts) if parts.len() == 1 => self.fill(parts[0], value),
            Expr::Call { callee, .. } => {
                // `store.setdefault(key, []).append(value)`
                if let Expr::Field(inner, _) = unit.module.exprs[*callee as usize].kind {
                    let flat = value.flat();
                    self.fill(inner, &flat);
                }
            }
            _ => {}
        }
    }

    fn fill_variable(&mut self, sym: Sym, value: &Value) {
        if let Some(before) = self.frame().flow.vars.get(&sym).cloned() {
            if let Shape::Param(origin) = before.shape
                && value.flat().is_tainted()
            {
                self.note(Doing::Fills(origin, value.clone()));
                return;
            }
            let filled = mixed(&before, value);
            self.frame().flow.vars.insert(sym, filled);
            return;
        }
        let outer = self.frame().outer.clone();
        for outer in outer {
            if let Outer::Active(index) = outer
                && let Some(there) = self.stack[index].flow.vars.get_mut(&sym)
            {
                *there = mixed(there, value);
                return;
            }
        }
        let module = self.module();
        if self.global(module, sym).is_some() {
            self.store_global(module, sym, value);
        }
    }

    /// Keeps what a file's variable is given by a function.
    pub(crate) fn store_global(&mut self, module: u32, sym: Sym, value: &Value) {
        let flat = value.flat();
        if !flat.is_tainted() {
            return;
        }
        if flat
            .taints()
            .iter()
            .any(|taint| self.origins.is_param(taint.origin))
        {
            self.note(Doing::Global(module, sym, flat.clone()));
        }
        let known = self.without_params(&flat);
        let before = self.globals.entry((module, sym)).or_default();
        let after = before.join(&known);
        if after.taints().len() != before.taints().len() {
            self.has_changed = true;
        }
        *before = after;
    }

    /// Keeps what a field of all objects of a class is given.
    pub(crate) fn store_field(&mut self, class: ClassKey, sym: Sym, value: &Value) {
        if value
            .flat()
            .taints()
            .iter()
            .any(|taint| self.origins.is_param(taint.origin))
        {
            self.note(Doing::Field(class, sym, value.clone()));
        }
        let known = match value.shape {
            Shape::Param(_) => self.without_params(&value.flat()),
            _ => self.without_params(value),
        };
        let before = self.fields.get(&(class, sym)).cloned();
        let after = match &before {
            Some(before) => before.join(&known),
            None => known,
        };
        if before.as_ref() != Some(&after) {
            let count = |value: &Value| value.flat().taints().len();
            if before.as_ref().map_or(0, count) != count(&after) || before.is_none() {
                self.has_changed = true;
            }
            self.fields.insert((class, sym), after);
        }
    }

    /// What does not hang on parameters.
    pub(crate) fn without_params(&self, value: &Value) -> Value {
        value.map_taints(|taint| (!self.origins.is_param(taint.origin)).then_some(taint))
    }

    /// A field of a value.
    pub(crate) fn field_of(&mut self, value: &Value, name: Sym) -> Value {
        match &value.shape {
            Shape::Path(path) => self.field_of_path(*path, value, name),
            Shape::Module(module) => self.exported(*module, name),
            Shape::Instance(class) => self.field_of_instance(*class, value, name),
            Shape::Class(class) => match self.method_of(*class, name) {
                Some(key) => Value::of(Shape::Func(key)),
                None => self
                    .fields
                    .get(&(*class, name))
                    .cloned()
                    .unwrap_or_default(),
            },
            Shape::Param(origin) => {
                let origin = self.origins.part(*origin, Part::Field(name));
                let mut value = self.part_of(value, Part::Field(name));
                value.shape = Shape::Param(origin);
                self.by_name(value, name)
            }
            Shape::Object(fields) => match fields.iter().find(|(field, _)| *field == name) {
                Some((_, field)) => {
                    let mut field = field.clone();
                    if value.is_tainted() {
                        let rest = Value {
                            taints: value.taints.clone(),
                            shape: Shape::Unknown,
                        };
                        field.absorb(&rest);
                    }
                    field
                }
                None => Value {
                    taints: value.taints.clone(),
                    shape: Shape::Unknown,
                },
            },
            Shape::Func(_) | Shape::Number => Value::default(),
            _ => {
                let flat = value.flat();
                let part = self.part_of(&flat, Part::Field(name));
                self.by_name(part, name)
            }
        }
    }

    /// What the name of a field says of it.
    fn by_name(&mut self, value: Value, name: Sym) -> Value {
        if !value.is_tainted() {
            return value;
        }
        let text = Rc::clone(self.names.text(name));
        match &*text {
            "length" | "size" | "byteLength" | "content_length" => Value::of(Shape::Number),
            "hostname" | "host" | "netloc" | "origin" | "domain" => {
                self.as_part(&value, Part::Host)
            }
            "scheme" | "protocol" | "port" | "mimetype" | "content_type" | "suffix" => {
                self.as_part(&value, Part::Piece(name))
            }
            _ => value,
        }
    }

    /// Takes a field as another kind of part.
    fn as_part(&mut self, value: &Value, part: Part) -> Value {
        let origins = &mut self.origins;
        value.map_taints(|mut taint| {
            let of = match origins.get(taint.origin) {
                super::intern::Origin::Part { of, .. } => *of,
                _ => taint.origin,
            };
            taint.origin = origins.part(of, part);
            Some(taint)
        })
    }

    /// A part of a value, as an origin of its own.
    pub(crate) fn part_of(&mut self, value: &Value, part: Part) -> Value {
        let origins = &mut self.origins;
        let mut value = value.map_taints(|mut taint| {
            taint.origin = origins.part(taint.origin, part);
            Some(taint)
        });
        value.shape = Shape::Unknown;
        value
    }

    fn field_of_path(&mut self, path: u32, value: &Value, name: Sym) -> Value {
        let mut found = Value::of(Shape::Path(self.path_field(path, name)));
        if let Shape::Path(id) = found.shape {
            let full = Rc::clone(self.paths.text(id));
            // The upload's middleware has chosen these names.
            if matches!(
                &*full,
                "request.file.path" | "request.file.filename" | "request.file.destination"
            ) {
                return Value::default();
            }
            let last = full.rsplit('.').next().unwrap_or_default().to_owned();
            if let Some(source) = self.tables().source(&last, Some(&full)) {
                return self.input(source.harms, source.what, &full, found.shape);
            }
        }
        if value.is_tainted() {
            let part = self.part_of(value, Part::Field(name));
            let part = self.by_name(part, name);
            found.absorb(&part);
        }
        found
    }

    fn field_of_instance(&mut self, class: ClassKey, value: &Value, name: Sym) -> Value {
        if let Some(key) = self.method_of(class, name) {
            let this = Value {
                taints: None,
                shape: Shape::Instance(class),
            };
            return Value::of(Shape::Bound(key, Rc::new(this)));
        }
        if self.is_number_field(class, name) {
            return Value::of(Shape::Number);
        }
        if self.is_handler(class)
            && matches!(
                &**self.names.text(name),
                "path" | "requestline" | "headers" | "rfile"
            )
        {
            return self.input(Harms::ALL, "the request", "the request", Shape::Unknown);
        }
        let mut field = self.fields.get(&(class, name)).cloned().unwrap_or_default();
        if value.is_tainted() {
            let whole = Value {
                taints: value.taints.clone(),
                shape: Shape::Unknown,
            };
            let part = self.part_of(&whole, Part::Field(name));
            field.absorb(&part);
        }
        field
    }

    /// Whether a class answers requests by itself, as the standard library has it.
    pub(crate) fn is_handler(&self, class: ClassKey) -> bool {
        let module = &self.units[class.module as usize].module;
        let bases = &module.classes[class.class as usize].bases;
        bases
            .iter()
            .any(|base| match &module.exprs[*base as usize].kind {
                Expr::Name(name) | Expr::Field(_, name) => {
                    module.names[*name as usize].ends_with("HTTPRequestHandler")
                }
                _ => false,
            })
    }

    fn is_number_field(&self, class: ClassKey, name: Sym) -> bool {
        let module = &self.units[class.module as usize].module;
        let syms = &self.syms[class.module as usize];
        let fields = &module.classes[class.class as usize].fields;
        let field = fields
            .iter()
            .find(|(field, _, _)| syms[*field as usize] == name);
        let annotation = field.and_then(|(_, _, annotation)| *annotation);
        annotation.is_some_and(|text| super::role::is_number_type(&module.names[text as usize]))
    }

    /// The method of a class, or of one that it extends.
    pub(crate) fn method_of(
        &mut self,
        class: ClassKey,
        name: Sym,
    ) -> Option<super::value::FuncKey> {
        let mut at = class;
        for _ in 0..8 {
            let unit = Rc::clone(&self.units[at.module as usize]);
            let syms = Rc::clone(&self.syms[at.module as usize]);
            let known = &unit.module.classes[at.class as usize];
            let found = known
                .methods
                .iter()
                .find(|(method, _)| syms[*method as usize] == name);
            if let Some((_, function)) = found {
                return Some(super::value::FuncKey {
                    module: at.module,
                    function: *function,
                });
            }
            let base = known.bases.first()?;
            let Expr::Name(base) = unit.module.exprs[*base as usize].kind else {
                return None;
            };
            match self.global(at.module, syms[base as usize])?.shape {
                Shape::Class(base) if base != at => at = base,
                _ => return None,
            }
        }
        None
    }
}

/// Objects in objects, further than this, are known as a whole only.
const SHAPES: usize = 5;

/// What holds `before` after something was put into it.
fn mixed(before: &Value, value: &Value) -> Value {
    let mut filled = before.clone();
    match (&before.shape, &value.shape) {
        (Shape::Object(mine), Shape::Object(more)) => {
            let mut fields = (**mine).clone();
            for (name, value) in more.iter() {
                match fields.iter_mut().find(|(field, _)| field == name) {
                    Some((_, held)) => *held = value.clone(),
                    None => fields.push((*name, value.clone())),
                }
            }
            filled.shape = Shape::Object(Rc::new(fields));
        }
        (Shape::List(element), _) => {
            filled.shape = Shape::List(Rc::new(element.join(value)));
        }
        _ => filled.absorb(&value.flat()),
    }
    filled.cut(SHAPES)
}
