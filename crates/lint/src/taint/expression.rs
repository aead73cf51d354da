//! Expressions: what each may be.

use std::rc::Rc;

use super::engine::{Engine, Progress};
use super::harm::{Harm, Harms};
use super::intern::{NO_STEP, Origin, Part};
use super::summary::{Drain, Place};
use super::value::{Built, ClassKey, FuncKey, Shape, Taint, Value};
use crate::ir::{Entry, Expr, ExprId, Name, Span, Tongue};
use crate::javascript::{DEFAULT, EXPORTS};
use crate::tables::When;

impl Engine {
    /// What an expression may be.
    pub(crate) fn eval(&mut self, id: ExprId) -> Value {
        if !self.burn() {
            return Value::default();
        }
        let unit = self.unit();
        let node = &unit.module.exprs[id as usize];
        let value = self.inside(|engine| engine.kind(&node.kind, id, node.span));
        self.checked(value.unwrap_or_default())
    }

    fn kind(&mut self, kind: &Expr, id: ExprId, span: Span) -> Value {
        match kind {
            Expr::Text(text) => Value::of(Shape::Const(self.text(*text).into())),
            Expr::Number | Expr::Truth(_) => Value::of(Shape::Number),
            Expr::Nothing => Value::default(),
            Expr::Pattern(text) => Value::of(Shape::Regex(self.text(*text).into())),
            Expr::Name(name) => self.variable(*name),
            Expr::This => self.frame().this.clone(),
            Expr::Field(object, name) => {
                let holder = self.eval(*object);
                let sym = self.sym(*name);
                let field = self.field_of(&holder, sym);
                self.noted(field, span)
            }
            Expr::Index(object, index) => {
                let holder = self.eval(*object);
                self.eval(*index);
                self.element(holder, span)
            }
            Expr::Call { callee, args } => self.call(id, *callee, args),
            Expr::Join(parts) => {
                let parts: Vec<Value> = parts.iter().map(|part| self.eval(*part)).collect();
                self.join_texts(&parts)
            }
            Expr::Arithmetic(parts) => {
                parts.iter().for_each(|part| drop(self.eval(*part)));
                Value::of(Shape::Number)
            }
            Expr::Compare(_, left, right) => {
                self.eval(*left);
                self.eval(*right);
                Value::of(Shape::Number)
            }
            Expr::Not(inner) => {
                self.eval(*inner);
                Value::of(Shape::Number)
            }
            Expr::Either(parts) => self.either(parts),
            Expr::Both(left, right) => {
                self.eval(*left);
                let facts = self.condition(*left).yes;
                self.under(&facts, |engine| engine.eval(*right))
            }
            Expr::Choose { test, yes, no } => self.choose(*test, *yes, *no),
            Expr::List(elements) => self.list(elements),
            Expr::Object(entries) => self.object(entries, span),
            Expr::Function(function) => {
                let key = self.define(*function);
                self.register_decorated(key);
                Value::of(Shape::Func(key))
            }
            Expr::Class(class) => self.class(*class),
            Expr::Import { module, member } => self.import(*module, *member),
            Expr::Assign(target, value) => {
                let held = self.eval(*value);
                self.assign(target, &held, span);
                held
            }
            Expr::Comprehension {
                binds,
                tests,
                element,
            } => {
                for (target, over) in binds {
                    let held = self.eval(*over);
                    let element = self.element_of(&held);
                    self.bind(target, &element, span);
                }
                let before = self.frame().flow.cleared.clone();
                for test in tests {
                    self.eval(*test);
                    let facts = self.condition(*test).yes;
                    facts.iter().for_each(|fact| self.clear(*fact));
                }
                let value = self.eval(*element);
                self.frame().flow.cleared = before;
                Value::of(Shape::List(Rc::new(value)))
            }
            Expr::Element {
                tag,
                attributes,
                children,
            } => self.markup(*tag, attributes, children),
            Expr::Sequence(parts) => {
                let mut last = Value::default();
                for part in parts {
                    last = self.eval(*part);
                }
                last
            }
            Expr::Opaque(parts) => {
                let mut all = Value::default();
                for part in parts {
                    let value = self.eval(*part);
                    if parts.len() == 1 {
                        all.shape = value.shape.clone();
                    }
                    all.absorb(&value.flat());
                }
                all
            }
        }
    }

    /// Runs something with more checked than before.
    pub(crate) fn under<T>(
        &mut self,
        facts: &[(u32, Harms)],
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let before = self.frame().flow.cleared.clone();
        facts.iter().for_each(|fact| self.clear(*fact));
        let result = run(self);
        self.frame().flow.cleared = before;
        result
    }

    fn noted(&mut self, value: Value, span: Span) -> Value {
        let module = self.module();
        let steps = &mut self.steps;
        if value.taints().iter().all(|taint| taint.step != NO_STEP) {
            return value;
        }
        value.map_taints(|mut taint| {
            if taint.step == NO_STEP {
                taint.step = steps.then(NO_STEP, module, span, "enters here");
            }
            Some(taint)
        })
    }

    fn variable(&mut self, name: Name) -> Value {
        let sym = self.sym(name);
        if let Some(value) = self.lookup(sym) {
            return value;
        }
        let text = self.text(name);
        self.named(&text)
    }

    fn element(&mut self, holder: Value, span: Span) -> Value {
        let element = match &holder.shape {
            Shape::Param(_) => {
                let sym = self.names.id("*");
                self.field_of(&holder, sym)
            }
            Shape::Path(_) => Value {
                taints: holder.taints.clone(),
                shape: Shape::Unknown,
            },
            _ => self.element_of(&holder),
        };
        self.noted(element, span)
    }

    /// Input that enters at a path.
    pub(crate) fn input(&mut self, harms: Harms, what: &str, path: &str, shape: Shape) -> Value {
        let module = self.module();
        let function = self.frame().function.map_or(u32::MAX, |key| key.function);
        let what_id = self.names.id(path);
        let reader = FuncKey { module, function };
        let origin = self.origins.id(Origin::Input {
            reader,
            what: what_id,
        });
        let _ = what;
        Value::tainted(Taint {
            origin,
            harms,
            step: NO_STEP,
        })
        .shaped(shape)
    }

    /// Texts put together.
    pub(crate) fn join_texts(&mut self, parts: &[Value]) -> Value {
        if parts
            .iter()
            .any(|part| matches!(part.shape, Shape::List(_)))
        {
            return joined_lists(parts);
        }
        let mut built = Built::default();
        let mut out = Value::default();
        // The host, the folder or the first word is decided by what comes first.
        let mut is_decided = false;
        let mut is_constant = true;
        let mut all_numbers = true;
        for part in parts {
            all_numbers = all_numbers && part.shape == Shape::Number;
            let (text, is_text) = match &part.shape {
                Shape::Const(text) => (text.to_string(), true),
                Shape::Built(inner) => {
                    built.has_tag |= inner.has_tag;
                    built.has_sql |= inner.has_sql;
                    (inner.prefix.clone(), false)
                }
                _ => (String::new(), false),
            };
            built.has_tag |= has_tag(&text);
            built.has_sql |= has_sql(&text);
            let flat = part.flat();
            let kept = if is_decided {
                flat.without(ADDRESS)
            } else {
                flat
            };
            out.absorb(&kept.without(AS_TEXT));
            if is_constant {
                built.prefix.push_str(&text);
            }
            is_constant = is_constant && is_text;
            is_decided = is_decided || decides(&built.prefix) || (!part.is_tainted() && !is_text);
        }
        if all_numbers && !parts.is_empty() {
            return Value::of(Shape::Number);
        }
        if is_constant {
            return out.shaped(Shape::Const(built.prefix.into()));
        }
        if let [path, end] = parts
            && path.shape == Shape::Resolved
            && !end.is_tainted()
        {
            return out.shaped(Shape::Resolved);
        }
        out.shaped(Shape::Built(Rc::new(built)))
    }

    fn either(&mut self, parts: &[ExprId]) -> Value {
        let mut all: Option<Value> = None;
        let before = self.frame().flow.cleared.clone();
        for part in parts {
            let value = self.eval(*part);
            let facts = self.condition(*part).no;
            facts.iter().for_each(|fact| self.clear(*fact));
            all = Some(match all {
                None => value,
                Some(before) => before.join(&value),
            });
        }
        self.frame().flow.cleared = before;
        all.unwrap_or_default()
    }

    fn choose(&mut self, test: ExprId, yes: ExprId, no: ExprId) -> Value {
        self.eval(test);
        let facts = self.condition(test);
        let yes = self.under(&facts.yes, |engine| engine.eval(yes));
        let no = self.under(&facts.no, |engine| engine.eval(no));
        yes.join(&no)
    }

    fn list(&mut self, elements: &[ExprId]) -> Value {
        let mut all: Option<Value> = None;
        for element in elements {
            let value = self.eval(*element);
            all = Some(match all {
                None => value,
                Some(before) => before.join(&value),
            });
        }
        Value::of(Shape::List(Rc::new(all.unwrap_or_default().cut(SHAPES))))
    }

    fn object(&mut self, entries: &[Entry], span: Span) -> Value {
        let mut fields: Vec<(u32, Value)> = Vec::new();
        let mut rest = Value::default();
        for entry in entries {
            if let Some(computed) = entry.computed {
                self.eval(computed);
            }
            let value = self.eval(entry.value);
            match entry.key {
                Some(key) => fields.push((self.sym(key), value)),
                None => rest.absorb(&value.flat()),
            }
        }
        self.drain_instructions(&fields, span);
        rest.shaped(Shape::Object(Rc::new(fields))).cut(SHAPES)
    }

    /// Input in what a model is told by the app, not by its user.
    fn drain_instructions(&mut self, fields: &[(u32, Value)], span: Span) {
        let field = |name: &str| {
            fields
                .iter()
                .find(|(field, _)| &**self.names.text(*field) == name)
        };
        let (Some((_, role)), Some((_, content))) = (field("role"), field("content")) else {
            return;
        };
        let Shape::Const(role) = &role.shape else {
            return;
        };
        if !matches!(&**role, "system" | "developer") {
            return;
        }
        let content = content.clone();
        let drain = Drain {
            harm: Harm::Prompt,
            when: When::Always,
            confidence: model::finding::Confidence::Medium,
            is_strict: false,
            tongue: self.tongue(),
            at: Place {
                module: self.module(),
                span,
            },
        };
        self.drain(drain, &content);
    }

    fn class(&mut self, class: u32) -> Value {
        let unit = self.unit();
        let key = ClassKey {
            module: self.module(),
            class,
        };
        let known = &unit.module.classes[class as usize];
        for (name, value, _) in &known.fields {
            if let Some(value) = value {
                let held = self.eval(*value);
                let sym = self.sym(*name);
                self.fields.entry((key, sym)).or_insert(held);
            }
        }
        for (_, function) in &known.methods {
            let function = self.define(*function);
            self.register_decorated(function);
        }
        self.register_view(key);
        Value::of(Shape::Class(key))
    }

    fn import(&mut self, module: Name, member: Option<Name>) -> Value {
        let unit = self.unit();
        let text = self.text(module);
        let tongue = self.tongue();
        let member_text = member.map(|member| self.text(member));
        if tongue == Tongue::Python
            && let Some(member) = &member_text
            && let Some(found) = self
                .linker
                .resolve(tongue, &unit.path, &dotted(&text, member))
        {
            self.run_module(found);
            return Value::of(Shape::Module(found));
        }
        if let Some(found) = self.linker.resolve(tongue, &unit.path, &text)
            && found != self.module()
        {
            self.run_module(found);
            return match member {
                None => Value::of(Shape::Module(found)),
                Some(member) => {
                    let sym = self.sym(member);
                    self.exported(found, sym)
                }
            };
        }
        match member_text {
            None => self.named(&text),
            Some(member) if member == "default" => self.named(&text),
            Some(member) => self.named(&dotted(&text, &member)),
        }
    }

    /// What a file exports under a name.
    pub(crate) fn exported(&mut self, module: u32, name: u32) -> Value {
        if matches!(self.progress[module as usize], Progress::Waiting) {
            self.run_module(module);
        }
        let unit = Rc::clone(&self.units[module as usize]);
        let syms = Rc::clone(&self.syms[module as usize]);
        if unit.module.tongue == Tongue::Python {
            return self.global(module, name).unwrap_or_default();
        }
        let named = unit
            .module
            .exports
            .iter()
            .find(|(exported, _)| syms[*exported as usize] == name);
        if let Some((_, local)) = named
            && let Some(value) = self.global(module, syms[*local as usize])
        {
            return value;
        }
        let is_default = &**self.names.text(name) == "default";
        for whole in [EXPORTS, DEFAULT] {
            let whole = self.names.id(whole);
            let Some(value) = self.global(module, whole) else {
                continue;
            };
            if is_default {
                return value;
            }
            // Files that export one another go in a circle.
            let field = self
                .inside(|engine| engine.field_of(&value, name))
                .unwrap_or_default();
            if field != Value::default() {
                return field;
            }
        }
        Value::default()
    }

    fn markup(&mut self, _tag: Name, attributes: &[(Name, ExprId)], children: &[ExprId]) -> Value {
        for (name, value) in attributes {
            let held = self.eval(*value);
            let name = self.text(*name);
            let span = self.span_of(*value);
            let shown = match name.as_str() {
                "dangerouslySetInnerHTML" => {
                    let inner = self.names.id("__html");
                    self.field_of(&held, inner)
                }
                "srcDoc" => held,
                _ => {
                    if let Shape::Func(key) = held.shape {
                        self.call_event(key);
                    }
                    continue;
                }
            };
            let drain = Drain {
                harm: Harm::Dom,
                when: When::Always,
                confidence: model::finding::Confidence::High,
                is_strict: false,
                tongue: Tongue::JavaScript,
                at: Place {
                    module: self.module(),
                    span,
                },
            };
            self.drain(drain, &shown);
        }
        for child in children {
            self.eval(*child);
        }
        Value::of(Shape::Number)
    }

    /// A part whose check says nothing of the whole.
    pub(crate) fn piece_of(&mut self, value: &Value, how: &str) -> Value {
        let sym = self.names.id(how);
        self.part_of(value, Part::Piece(sym))
    }
}

/// Objects in objects, further than this, are known as a whole only.
const SHAPES: usize = 5;
/// What a text with a fixed host can no longer do.
const ADDRESS: Harms = Harm::Ssrf.only().and(Harm::Redirect.only());
/// What only an object or a whole body can do.
const AS_TEXT: Harms = Harm::NoSql.only().and(Harm::Mass.only());

/// `list + list`
fn joined_lists(parts: &[Value]) -> Value {
    let mut element = Value::default();
    parts.iter().for_each(|part| element.absorb(&part.flat()));
    Value::of(Shape::List(Rc::new(element)))
}

fn dotted(module: &str, member: &str) -> String {
    if module.is_empty() {
        member.to_owned()
    } else {
        format!("{module}.{member}")
    }
}

/// Whether a constant beginning fixes where an address leads.
fn decides(prefix: &str) -> bool {
    if let Some((_, rest)) = prefix.split_once("://") {
        return rest.contains(['/', '?']);
    }
    prefix.len() > 1 && prefix.starts_with('/') && !prefix.starts_with("//")
}

/// Whether a constant text has a tag.
pub(crate) fn has_tag(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).any(|at| {
        bytes
            .get(at + 1)
            .is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!'))
    })
}

/// Whether a constant text has words of SQL.
fn has_sql(text: &str) -> bool {
    if text.len() < 5 {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let lower = lower.trim_start();
    let starts = [
        "select ",
        "insert ",
        "update ",
        "delete ",
        "replace into",
        "create ",
        "drop ",
        "alter ",
        "with ",
        "pragma ",
        "merge ",
        "truncate ",
        "call ",
        "exec ",
        "union ",
    ];
    let inside = [
        " where ",
        " from ",
        " order by ",
        " values ",
        " like ",
        " set ",
        " join ",
        " limit ",
    ];
    starts.iter().any(|word| lower.starts_with(word))
        || inside.iter().any(|word| lower.contains(word))
}
