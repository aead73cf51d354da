//! Calls of what is not part of the app.

use std::rc::Rc;

use super::call::Call;
use super::engine::Engine;
use super::harm::{Harm, Harms};
use super::intern::Part;
use super::value::{Shape, Value};
use crate::ir::Tongue;
use crate::tables::{Effect, is_cleaner};

impl Engine {
    /// What a call of something outside gives, and where its arguments do harm.
    pub(crate) fn external(&mut self, call: Call) -> Value {
        self.register(&call);
        self.drain_call(&call);
        self.note_content_type(&call);
        self.put_in(&call);
        self.end(&call);
        if let Some(source) = self.source_of(&call) {
            return source;
        }
        let by_callback = self.call_arguments(&call);
        if let Some(known) = self.known_call(&call) {
            return known;
        }
        if let Some(value) = by_callback {
            return value;
        }
        self.passed_on(&call)
    }

    fn source_of(&mut self, call: &Call) -> Option<Value> {
        let tables = self.tables();
        let last = format!("{}()", call.name);
        let full = call.path.as_ref().map(|path| format!("{path}()"));
        let source = tables.source(&last, full.as_deref())?;
        let key = match call.given.values.first().map(|value| &value.shape) {
            Some(Shape::Const(key)) => format!("{}({key})", source.path),
            _ => source.path.to_owned(),
        };
        let shape = match &full {
            Some(full) => self.named(full).shape,
            None => Shape::Unknown,
        };
        if let Some(number) = self.as_number(call) {
            return Some(number);
        }
        let input = self.input(source.harms, source.what, &key, shape);
        let what = format!("{} enters here", source.what);
        Some(self.step(&input, call.at, &what))
    }

    /// `args.get("id", type=int)`
    fn as_number(&mut self, call: &Call) -> Option<Value> {
        let kind = self.keyword(call, "type")?;
        match &kind.shape {
            Shape::Path(path) if matches!(&**self.paths.text(*path), "int" | "float" | "bool") => {
                Some(Value::of(Shape::Number))
            }
            _ => None,
        }
    }

    /// The value of a keyword argument.
    pub(crate) fn keyword(&self, call: &Call, name: &str) -> Option<Value> {
        let named = call.given.named.iter();
        let mut named = named.filter(|(sym, _)| &**self.names.text(*sym) == name);
        named.next().map(|(_, value)| value.clone())
    }

    fn known_call(&mut self, call: &Call) -> Option<Value> {
        if let Some(number) = self.as_number(call) {
            return Some(number);
        }
        if let Some(value) = self.counted(call).or_else(|| self.text_method(call)) {
            return Some(value);
        }
        let tables = self.tables();
        let effect = tables.known(&call.name, call.path.as_deref());
        let all = self.all_of(call);
        let effect = match effect {
            Some(effect) => effect,
            None if is_cleaner(&call.name) => Effect::Clears(CLEANED),
            None => return None,
        };
        Some(match effect {
            Effect::Clears(harms) => all.without(harms),
            Effect::Fresh => self.result_path(call, Value::default()),
            Effect::Number => Value::of(Shape::Number),
            Effect::Resolves => all.shaped(Shape::Resolved),
            Effect::Json => all.shaped(Shape::Json),
            Effect::Piece => self.piece_of(&all, &call.name),
            Effect::Same => {
                let result = self.result_path(call, all);
                match (&result.shape, call.given.values.first()) {
                    (Shape::Unknown, Some(first)) => result.shaped(first.shape.clone()),
                    _ => result,
                }
            }
        })
    }

    /// Pairs of something and a number: `enumerate(list)`, `Counter(words).most_common(5)`.
    fn counted(&mut self, call: &Call) -> Option<Value> {
        let number = Value::of(Shape::Number);
        let pair = match (call.name.as_str(), &call.receiver) {
            ("enumerate", None) => {
                let list = call.given.values.first()?.clone();
                [number, self.element_of(&list)]
            }
            ("most_common", Some(counter)) => [counter.flat(), number],
            _ => return None,
        };
        let names = ["0", "1"].map(|name| self.names.id(name));
        let fields = names.into_iter().zip(pair).collect();
        let pair = Value::of(Shape::Object(Rc::new(fields)));
        Some(Value::of(Shape::List(Rc::new(pair))))
    }

    /// Methods of texts and collections, which both languages have.
    fn text_method(&mut self, call: &Call) -> Option<Value> {
        let receiver = call.receiver.clone()?;
        let first = call.given.values.first().cloned().unwrap_or_default();
        match call.name.as_str() {
            "replace" | "replaceAll" => {
                let second = call.given.values.get(1).cloned().unwrap_or_default();
                let mut all = receiver.flat();
                all.absorb(&second.flat());
                Some(self.replaced(all, &first, &second))
            }
            "format" => {
                let mut parts = vec![receiver];
                parts.extend(call.given.values.iter().cloned());
                parts.extend(call.given.named.iter().map(|(_, value)| value.clone()));
                parts.extend(call.given.spread.clone());
                Some(self.join_texts(&parts))
            }
            "concat" => {
                let mut parts = vec![receiver];
                parts.extend(call.given.values.iter().cloned());
                Some(self.join_texts(&parts))
            }
            "bind" if self.tongue() == Tongue::JavaScript => Some(match receiver.shape {
                Shape::Func(_) | Shape::Bound(..) => receiver,
                _ => Value::default(),
            }),
            "join" if call.path.is_none() => Some(self.joined(&receiver, &first)),
            "split" | "rsplit" | "partition" | "rpartition" => {
                let piece = self.piece_of(&receiver, &call.name);
                Some(Value::of(Shape::List(Rc::new(piece))))
            }
            "get" | "getlist" | "getAll" | "pop" | "setdefault" | "at" => {
                let found = self.looked_up(call, &receiver, &first);
                match call.path.is_none() || receiver.is_tainted() {
                    true => Some(found),
                    // What is asked for says nothing of what is found.
                    false => Some(self.result_path(call, Value::default())),
                }
            }
            "strip" | "lower" | "upper" | "trim" | "toLowerCase" | "toUpperCase" | "trimEnd"
            | "lstrip" | "rstrip" | "title" | "decode" | "encode" | "toString" | "normalize"
            | "trimStart"
                if call.path.is_none() || receiver.is_tainted() =>
            {
                let shape = match receiver.shape {
                    Shape::Path(_) => Shape::Unknown,
                    ref known => known.clone(),
                };
                let cleared = if call.name == "toString" {
                    Harm::NoSql.only()
                } else {
                    Harms::NONE
                };
                Some(receiver.flat().without(cleared).shaped(shape))
            }
            "items" | "entries" | "values" | "keys" | "copy" | "slice" | "reverse" | "to_dict"
            | "dict" | "model_dump" | "flat" => {
                let flat = receiver.flat();
                let shape = match receiver.shape {
                    Shape::List(_) => receiver.shape.clone(),
                    _ => Shape::Unknown,
                };
                Some(flat.shaped(shape))
            }
            _ => None,
        }
    }

    /// `text.replace("<", "&lt;")` and the like.
    fn replaced(&mut self, all: Value, from: &Value, to: &Value) -> Value {
        let text = |value: &Value| match &value.shape {
            Shape::Const(text) | Shape::Regex(text) => text.to_string(),
            _ => String::new(),
        };
        let (from, to) = (text(from), text(to));
        let mut cleared = Harms::NONE;
        if to.contains("&lt;") || (from.contains('<') && !to.contains('<')) {
            cleared = cleared | Harm::Html.only() | Harm::Dom.only();
        }
        // A class of what is left: `/[^a-z0-9]/g` → nothing dangerous is.
        if from.starts_with("[^") && !from.contains('<') {
            cleared = cleared | NARROW;
            if !from.contains('.') && !from.contains('/') {
                cleared = cleared | Harm::Path.only() | Harm::Ssrf.only();
            }
        }
        if from.contains("\\.\\.") || from == ".." || from == "../" {
            cleared = cleared | Harms::NONE;
        }
        if from.contains('\n') || from.contains("\\n") {
            cleared = cleared | Harm::Log.only() | Harm::Header.only();
        }
        let flat = all.without(cleared);
        flat.shaped(Shape::Unknown)
    }

    fn joined(&mut self, receiver: &Value, first: &Value) -> Value {
        // Python: `", ".join(list)`; JavaScript: `list.join(", ")`.
        let (glue, list) = match self.tongue() {
            Tongue::Python => (receiver, first),
            Tongue::JavaScript => (first, receiver),
        };
        let element = self.element_of(list);
        let flat = list.flat();
        let element = match element.shape {
            Shape::List(_) => element.flat(),
            _ => element,
        };
        self.join_texts(&[element, glue.clone(), flat])
    }

    fn looked_up(&mut self, call: &Call, receiver: &Value, key: &Value) -> Value {
        if let Some(number) = self.as_number(call) {
            return number;
        }
        let found = match &key.shape {
            Shape::Const(key) => {
                let sym = self.names.id(key);
                match &receiver.shape {
                    Shape::Path(_) => {
                        let flat = Value {
                            taints: receiver.taints.clone(),
                            shape: Shape::Unknown,
                        };
                        self.part_of(&flat, Part::Field(sym))
                    }
                    _ => self.field_of(receiver, sym),
                }
            }
            _ => self.element_of(&receiver.flat()),
        };
        match call.given.values.get(1) {
            Some(default) if default.is_tainted() => found.join(default),
            _ => found,
        }
    }

    /// All that a call may pass on.
    fn all_of(&self, call: &Call) -> Value {
        let mut all = call.given.all();
        if let Some(receiver) = &call.receiver {
            all.absorb(&receiver.flat());
        }
        all
    }

    /// What is not known passes on what it is given.
    fn passed_on(&mut self, call: &Call) -> Value {
        let all = self.all_of(call);
        if call.path.as_deref() == Some("util.promisify")
            && let Some(first) = call.given.values.first()
        {
            return first.clone();
        }
        self.result_path(call, all)
    }

    /// With the path of a call's result, where the path of what was called is known.
    fn result_path(&mut self, call: &Call, value: Value) -> Value {
        let Some(path) = &call.path else { return value };
        if path.matches("()").count() >= 3 {
            return value;
        }
        if &**path == "re.compile"
            && let Some(Shape::Const(pattern)) = call.given.values.first().map(|value| &value.shape)
        {
            return Value::of(Shape::Regex(Rc::clone(pattern)));
        }
        if &**path == "RegExp"
            && let Some(Shape::Const(pattern)) = call.given.values.first().map(|value| &value.shape)
        {
            return Value::of(Shape::Regex(Rc::clone(pattern)));
        }
        let shape = self.named(&format!("{path}()")).shape;
        value.shaped(shape)
    }

    /// A content type that no browser takes for HTML.
    fn note_content_type(&mut self, call: &Call) {
        let is_setter = matches!(
            call.name.as_str(),
            "type" | "contentType" | "setHeader" | "set" | "header" | "writeHead" | "attachment"
        );
        if !is_setter {
            return;
        }
        let mut texts = String::new();
        for value in &call.given.values {
            if let Shape::Const(text) = &value.shape {
                texts.push_str(&text.to_ascii_lowercase());
                texts.push(' ');
            }
            if let Shape::Object(fields) = &value.shape {
                for (name, value) in fields.iter() {
                    if let Shape::Const(text) = &value.shape {
                        texts.push_str(&self.names.text(*name).to_ascii_lowercase());
                        texts.push(' ');
                        texts.push_str(&text.to_ascii_lowercase());
                    }
                }
            }
        }
        let speaks = matches!(call.name.as_str(), "type" | "contentType" | "attachment")
            || texts.contains("content-type")
            || texts.contains("content-disposition");
        if speaks && !texts.contains("html") && !texts.contains("svg") && !texts.contains("xml") {
            self.frame().flow.is_plain = true;
        }
    }

    /// Lists, dicts and sets that are added to.
    fn put_in(&mut self, call: &Call) {
        let adds = matches!(
            call.name.as_str(),
            "append"
                | "push"
                | "add"
                | "extend"
                | "insert"
                | "unshift"
                | "update"
                | "set"
                | "appendleft"
                | "put"
        );
        let Some(receiver) = call.receiver_id.filter(|_| adds) else {
            return;
        };
        if matches!(call.receiver.as_ref().map(|value| &value.shape), Some(Shape::Path(path))
            if !self.paths.text(*path).ends_with("()"))
        {
            return;
        }
        let held = call.given.all();
        if held.is_tainted() {
            let held = match call.given.values.last() {
                Some(one) if call.given.values.len() == 1 => one.clone(),
                _ => held,
            };
            self.fill(receiver, &held);
        }
    }

    /// Calls that never come back.
    fn end(&mut self, call: &Call) {
        let path = call.path.as_deref().unwrap_or_default();
        let ends = matches!(
            path,
            "flask.abort"
                | "sys.exit"
                | "exit"
                | "quit"
                | "os._exit"
                | "process.exit"
                | "abort"
                | "next/navigation.redirect"
                | "next/navigation.notFound"
                | "quart.abort"
                | "bottle.abort"
                | "streamlit.stop"
                | "next/navigation.permanentRedirect"
        );
        if ends || (path == "ctx.throw") {
            self.frame().flow.is_live = false;
        }
    }
}

/// What a function that is called a cleaner makes harmless.
const CLEANED: Harms = Harm::Html
    .only()
    .and(Harm::Dom.only())
    .and(Harm::Regex.only())
    .and(Harm::Sql.only())
    .and(Harm::Command.only())
    .and(Harm::Path.only())
    .and(Harm::Ldap.only());
/// What letters, digits and points cannot do.
const NARROW: Harms = Harm::Html
    .only()
    .and(Harm::Dom.only())
    .and(Harm::Sql.only())
    .and(Harm::Command.only())
    .and(Harm::Code.only())
    .and(Harm::Regex.only())
    .and(Harm::Header.only())
    .and(Harm::Redirect.only())
    .and(Harm::Ldap.only());
