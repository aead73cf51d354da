//! Where values do harm.

use model::finding::Confidence;
use rustc_hash::FxHashSet as HashSet;

use super::call::Call;
use super::engine::Engine;
use super::harm::{Harm, Harms};
use super::intern::{NO_STEP, Origin};
use super::outcome::{Reach, Way};
use super::summary::{Doing, Drain, Place};
use super::value::{Shape, Taint, Value};
use crate::ir::{Expr, ExprId, Span, Tongue};
use crate::tables::{Arg, Sink, When};

/// A way through more files than this leads through containers of all kinds of things.
const FILES: usize = 4;

impl Engine {
    /// Checks the arguments of a call against the tables.
    pub(crate) fn drain_call(&mut self, call: &Call) {
        let tables = self.tables();
        for sink in tables.sinks(&call.name, call.path.as_deref()) {
            self.drain_argument(call, sink);
        }
        if self.writes_page(call)
            && let Some(page) = call.given.values.first()
        {
            let drain = Drain {
                harm: Harm::Html,
                when: When::Tagged,
                confidence: Confidence::High,
                is_strict: false,
                tongue: Tongue::Python,
                at: Place {
                    module: self.module(),
                    span: call.at,
                },
            };
            self.drain(drain, &page.clone());
        }
        if matches!(call.name.as_str(), "setHeader" | "header" | "set")
            && let [name, value, ..] = call.given.values.as_slice()
        {
            let (name, value) = (name.clone(), value.clone());
            self.drain_origin(&name, &value, call.at);
        }
    }

    /// An answer that lets whoever asks read it, sign-in included.
    pub(crate) fn drain_origin(&mut self, header: &Value, value: &Value, span: Span) {
        let Shape::Const(header) = &header.shape else {
            return;
        };
        if !header.eq_ignore_ascii_case("access-control-allow-origin") || !self.takes_cookies() {
            return;
        }
        let drain = Drain {
            harm: Harm::Cors,
            when: When::Always,
            confidence: Confidence::High,
            is_strict: false,
            tongue: self.tongue(),
            at: Place {
                module: self.module(),
                span,
            },
        };
        self.drain(drain, value);
    }

    /// `self.wfile.write(…)` of a handler of the standard library.
    fn writes_page(&self, call: &Call) -> bool {
        let unit = self.unit();
        let Some(receiver) = call.receiver_id.filter(|_| call.name == "write") else {
            return false;
        };
        match &unit.module.exprs[receiver as usize].kind {
            Expr::Field(_, name) => self.tongue() == Tongue::Python && self.text(*name) == "wfile",
            _ => false,
        }
    }

    /// Whether the file says that others' pages may call with a sign-in.
    fn takes_cookies(&self) -> bool {
        let names = &self.unit().module.names;
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case("access-control-allow-credentials"))
    }

    fn drain_argument(&mut self, call: &Call, sink: &Sink) {
        let (value, written) = match self.argument(call, sink.arg) {
            Some(found) => found,
            None => return,
        };
        let value = match self.filtered(call, sink, value, written) {
            Some(value) => value,
            None => return,
        };
        let when = match sink.when {
            // A list of arguments may come from the caller.
            When::Shell => When::Text,
            When::Unsafe | When::Allowed | When::Unrooted => When::Always,
            other => other,
        };
        let drain = Drain {
            harm: sink.harm,
            when,
            confidence: sink.confidence,
            is_strict: is_strict(&call.name),
            tongue: self.tongue(),
            at: Place {
                module: self.module(),
                span: call.at,
            },
        };
        self.drain(drain, &value);
    }

    fn argument(&mut self, call: &Call, arg: Arg) -> Option<(Value, Option<ExprId>)> {
        let at = |index: usize| {
            let value = call.given.values.get(index)?;
            let written = call.given.written.iter().filter(|one| one.name.is_none());
            Some((value.clone(), written.map(|one| one.value).nth(index)))
        };
        let named = |name: &str| {
            let value = self.keyword(call, name)?;
            let written = call.given.written.iter();
            let mut written =
                written.filter(|one| one.name.is_some_and(|id| self.text(id) == name));
            Some((value, written.next().map(|one| one.value)))
        };
        match arg {
            Arg::Field(index, name) => {
                let options = at(index)?.0;
                let Shape::Object(fields) = &options.shape else {
                    return None;
                };
                let mut found = fields
                    .iter()
                    .filter(|(field, _)| &**self.names.text(*field) == name);
                found.next().map(|(_, value)| (value.clone(), None))
            }
            Arg::At(index) => at(index),
            Arg::Or(index, name) => named(name).or_else(|| at(index)),
            Arg::Named(name) => named(name),
            Arg::Any => Some((call.given.all(), None)),
            Arg::Receiver => call.receiver.clone().map(|value| (value, call.receiver_id)),
        }
    }

    /// What of an argument a sink looks at; `None` where its condition says no already.
    fn filtered(
        &mut self,
        call: &Call,
        sink: &Sink,
        value: Value,
        written: Option<ExprId>,
    ) -> Option<Value> {
        match sink.when {
            When::Shell => self.shelled(call, &value, written),
            When::Unsafe => (!self.has_safe_loader(call)).then_some(value),
            When::Allowed => {
                let allowed = call.given.written.iter().find(|one| {
                    one.name
                        .is_some_and(|name| self.text(name) == "unsafe_allow_html")
                })?;
                let unit = self.unit();
                let is_true = matches!(
                    unit.module.exprs[allowed.value as usize].kind,
                    Expr::Truth(true)
                );
                is_true.then_some(value)
            }
            When::Unrooted => (!self.has_root(call)).then_some(value),
            _ if sink.harm == Harm::Archive && self.keyword(call, "filter").is_some() => None,
            When::Page => (!self.is_plain(call)).then_some(value),
            _ if sink.harm == Harm::Ssrf => Some(self.address_in(&value)),
            _ if sink.harm == Harm::Sql => Some(self.statement_in(&value)),
            _ => Some(value),
        }
    }

    /// The address in an options object.
    fn address_in(&mut self, value: &Value) -> Value {
        if let Shape::Object(fields) = &value.shape {
            let mut address = Value::default();
            for (name, field) in fields.iter() {
                let name = self.names.text(*name);
                if matches!(&**name, "url" | "uri" | "baseURL" | "host" | "hostname") {
                    address.absorb(&field.flat());
                }
            }
            return address;
        }
        value.clone()
    }

    /// The statement in an options object.
    fn statement_in(&mut self, value: &Value) -> Value {
        if let Shape::List(element) = &value.shape {
            return (**element).clone();
        }
        if let Shape::Object(fields) = &value.shape {
            let is_statement = |name: &str| matches!(name, "text" | "sql" | "query");
            let mut found = fields
                .iter()
                .filter(|(name, _)| is_statement(self.names.text(*name)));
            return found
                .next()
                .map(|(_, value)| value.clone())
                .unwrap_or_default();
        }
        value.clone()
    }

    /// What a shell reads, or the program that is run.
    fn shelled(&mut self, call: &Call, value: &Value, written: Option<ExprId>) -> Option<Value> {
        let asks = self.asks_for_shell(call);
        let unit = self.unit();
        let written = written.map(|id| match &unit.module.exprs[id as usize].kind {
            Expr::Name(name) => self.bound(*name).unwrap_or(id),
            _ => id,
        });
        let elements = match written.map(|id| &unit.module.exprs[id as usize].kind) {
            Some(Expr::List(elements)) => Some(elements.clone()),
            _ => None,
        };
        if asks {
            return Some(Value {
                taints: value.flat().taints,
                shape: Shape::Unknown,
            });
        }
        let is_program = call
            .given
            .values
            .first()
            .is_some_and(|first| std::ptr::eq(first, value))
            || self.tongue() == Tongue::Python
            || call.given.values.first() == Some(value);
        let Some(elements) = elements else {
            return match (&value.shape, self.tongue()) {
                (Shape::List(_), _) => None,
                (_, Tongue::Python) => Some(value.clone()),
                (_, Tongue::JavaScript) => is_program.then(|| value.clone()),
            };
        };
        let values: Vec<Value> = elements.iter().map(|id| self.eval(*id)).collect();
        let is_shell = |value: &Value| match &value.shape {
            Shape::Const(text) => {
                matches!(
                    &**text,
                    "sh" | "bash" | "/bin/sh" | "/bin/bash" | "cmd" | "cmd.exe" | "powershell"
                )
            }
            _ => false,
        };
        let program = call.given.values.first().cloned().unwrap_or_default();
        let by_shell = values.first().is_some_and(is_shell) || is_shell(&program);
        if by_shell {
            return Some(Value {
                taints: value.flat().taints,
                shape: Shape::Unknown,
            });
        }
        match self.tongue() {
            Tongue::Python => values.into_iter().next(),
            Tongue::JavaScript => None,
        }
    }

    fn asks_for_shell(&self, call: &Call) -> bool {
        let unit = self.unit();
        let is_true = |id: ExprId| {
            matches!(
                unit.module.exprs[id as usize].kind,
                Expr::Truth(true) | Expr::Text(_)
            )
        };
        for argument in call.given.written {
            if argument.name.is_some_and(|name| self.text(name) == "shell")
                && is_true(argument.value)
            {
                return true;
            }
            if let Expr::Object(entries) = &unit.module.exprs[argument.value as usize].kind {
                let mut shell = entries.iter().filter(|entry| {
                    entry
                        .key
                        .is_some_and(|key| unit.module.names[key as usize] == "shell")
                });
                if shell.any(|entry| is_true(entry.value)) {
                    return true;
                }
            }
        }
        false
    }

    fn has_safe_loader(&self, call: &Call) -> bool {
        let loader = self
            .keyword(call, "Loader")
            .or_else(|| call.given.values.get(1).cloned());
        match loader.map(|value| value.shape) {
            Some(Shape::Path(path)) => self.paths.text(path).ends_with("SafeLoader"),
            _ => false,
        }
    }

    fn has_root(&self, call: &Call) -> bool {
        call.given.values.iter().any(|value| match &value.shape {
            Shape::Object(fields) => fields
                .iter()
                .any(|(name, _)| &**self.names.text(*name) == "root"),
            _ => false,
        })
    }

    fn is_plain(&mut self, call: &Call) -> bool {
        if self.frame().flow.is_plain {
            return true;
        }
        for name in ["content_type", "mimetype", "media_type"] {
            if let Some(value) = self.keyword(call, name) {
                return !matches!(value.shape, Shape::Const(text) if text.contains("html"));
            }
        }
        false
    }

    /// What is assigned to a field that is shown or followed.
    pub(crate) fn drain_field(&mut self, holder: &Value, name: &str, value: &Value, span: Span) {
        if self.tongue() != Tongue::JavaScript {
            return;
        }
        let path = match &holder.shape {
            Shape::Path(path) => self.paths.text(*path).to_string(),
            _ => String::new(),
        };
        let (harm, when, confidence) = match name {
            "innerHTML" | "outerHTML" | "srcdoc" => (Harm::Dom, When::Always, Confidence::High),
            "body" if path == "ctx" => (Harm::Html, When::Page, Confidence::High),
            "href" if path == "location" => (Harm::Redirect, When::Always, Confidence::Medium),
            "location" if path == "window" || path == "document" => {
                (Harm::Redirect, When::Always, Confidence::Medium)
            }
            _ => return,
        };
        let tongue = Tongue::JavaScript;
        let at = Place {
            module: self.module(),
            span,
        };
        self.drain(
            Drain {
                harm,
                when,
                confidence,
                is_strict: false,
                tongue,
                at,
            },
            value,
        );
    }

    /// A value arrives where it does harm: a finding, or what the function does to its parameters.
    pub(crate) fn drain(&mut self, drain: Drain, value: &Value) {
        let Some(confidence) = self.holds(&drain, value) else {
            return;
        };
        let looked_at = match drain.when {
            When::Query => value.flat(),
            _ => Value {
                taints: value.taints.clone(),
                shape: Shape::Unknown,
            },
        };
        let mut direct: Option<Taint> = None;
        let mut pending = false;
        for taint in looked_at.taints() {
            if !taint.harms.has(drain.harm) {
                continue;
            }
            match self.origins.is_param(taint.origin) {
                true => pending = true,
                false => direct = direct.or(Some(*taint)),
            }
        }
        if pending {
            self.note(Doing::Drains(drain, value.clone()));
        }
        if let Some(taint) = direct {
            self.report(drain, confidence, taint);
        }
    }

    fn report(&mut self, drain: Drain, confidence: Confidence, taint: Taint) {
        let key = (drain.harm as u8, drain.at.module, drain.at.span.start);
        let steps = match taint.step {
            NO_STEP => vec![],
            step => self.steps.way(step),
        };
        let files: HashSet<u32> = steps.iter().map(|step| step.module).collect();
        let confidence = confidence.min(self.trust_in(drain, &taint));
        let confidence = match files.len() > FILES {
            true => confidence.min(Confidence::Medium),
            false => confidence,
        };
        if self
            .reaches
            .get(&key)
            .is_some_and(|before| before.confidence >= confidence)
        {
            return;
        }
        let ways = steps.into_iter().map(|step| Way {
            unit: step.module,
            span: step.span,
            what: step.what.to_string(),
        });
        let reach = Reach {
            harm: drain.harm,
            tongue: drain.tongue,
            confidence,
            unit: drain.at.module,
            span: drain.at.span,
            ways: ways.collect(),
        };
        self.reaches.insert(key, reach);
    }

    /// What can do little else was typed by its reader, or comes from a server: that is less sure.
    fn trust_in(&self, drain: Drain, taint: &Taint) -> Confidence {
        let mut origin = taint.origin;
        while let Origin::Part { of, .. } = self.origins.get(origin) {
            origin = *of;
        }
        let Origin::Input { what, .. } = self.origins.get(origin) else {
            return Confidence::High;
        };
        let text = self.names.text(*what);
        let weak = [
            "fetch()",
            "axios",
            ".value",
            "localStorage",
            "sessionStorage",
            "prompt()",
            "create()",
        ];
        let is_weak = weak.iter().any(|part| text.contains(part));
        let is_cookie_or_header = text.contains("headers") && drain.harm == Harm::Ssrf;
        match is_weak || is_cookie_or_header || taint.harms == Harms::NONE {
            true => Confidence::Medium,
            false => Confidence::High,
        }
    }

    /// How sure it is, by what the value looks like; `None` where it does no harm like this.
    fn holds(&self, drain: &Drain, value: &Value) -> Option<Confidence> {
        let sure = drain.confidence;
        let pending = matches!(value.shape, Shape::Param(_));
        match drain.when {
            When::Sql => match &value.shape {
                Shape::Built(built) if built.has_sql => Some(sure),
                Shape::Built(_) | Shape::Unknown if !drain.is_strict => {
                    Some(Confidence::Medium.min(sure))
                }
                Shape::Param(_) => Some(sure),
                Shape::Path(_) if !drain.is_strict => Some(Confidence::Medium.min(sure)),
                _ => None,
            },
            When::Page => match &value.shape {
                Shape::Built(built) if built.has_tag => Some(sure),
                Shape::Object(_)
                | Shape::List(_)
                | Shape::Json
                | Shape::Number
                | Shape::Instance(_)
                | Shape::Resolved
                | Shape::Func(_) => None,
                Shape::Path(path) if is_whole_body(self.paths.text(*path)) => None,
                _ => Some(Confidence::Medium.min(sure)),
            },
            When::Text => match &value.shape {
                Shape::Func(_) | Shape::List(_) | Shape::Object(_) | Shape::Number => None,
                _ => Some(sure),
            },
            When::Tagged => match &value.shape {
                Shape::Built(built) if built.has_tag => Some(sure),
                _ => pending.then_some(sure),
            },
            When::Built => match &value.shape {
                Shape::Built(_) => Some(sure),
                _ => pending.then_some(sure),
            },
            When::Query => match &value.shape {
                Shape::Object(_) | Shape::Param(_) => Some(sure),
                Shape::Path(path) if is_whole_body(self.paths.text(*path)) => {
                    Some(Confidence::High)
                }
                _ => None,
            },
            When::Whole => match &value.shape {
                Shape::Path(path) if is_whole_body(self.paths.text(*path)) => Some(sure),
                _ => pending.then_some(sure),
            },
            _ => match &value.shape {
                Shape::Func(_) | Shape::Number => None,
                _ => Some(sure),
            },
        }
    }
}

/// Whether a path is the whole of what a request brings.
fn is_whole_body(path: &str) -> bool {
    let path = path.trim_end_matches("()");
    matches!(
        path,
        "request.body" | "request.json" | "request.query" | "request.get_json" | "ctx.request.body"
    )
}

/// Whether a method's name is too common to speak of SQL.
fn is_strict(name: &str) -> bool {
    !matches!(
        name,
        "execute"
            | "executemany"
            | "executescript"
            | "raw"
            | "text"
            | "whereRaw"
            | "orderByRaw"
            | "havingRaw"
            | "$queryRawUnsafe"
            | "$executeRawUnsafe"
            | "RawSQL"
            | "read_sql"
            | "read_sql_query"
    )
}
