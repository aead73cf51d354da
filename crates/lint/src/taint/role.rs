//! What the frameworks call functions with.

use std::rc::Rc;

use super::engine::Engine;
use super::harm::Harms;
use super::intern::{NO_STEP, Origin};
use super::value::{FuncKey, Shape, Taint, Value};
use crate::ir::{BlockId, Expr, Function, Module, Param, Stmt, Target, Tongue};

impl Engine {
    /// The values of a function's parameters: by its role, or as parameters.
    pub(crate) fn role_of(&mut self, key: FuncKey) -> Vec<Value> {
        let roles = self.roles.get(&key).cloned().unwrap_or_default();
        let unit = Rc::clone(&self.units[key.module as usize]);
        let params = &unit.module.functions[key.function as usize].params;
        let mut values = Vec::new();
        for (index, param) in params.iter().enumerate() {
            let by_role = roles.get(index).filter(|value| **value != Value::default());
            let value = match by_role {
                Some(value) => value.clone(),
                None => self
                    .by_parameter(key, index, param)
                    .unwrap_or_else(|| self.parameter(key, index)),
            };
            values.push(value);
        }
        values
    }

    /// A parameter of which only its callers know more.
    fn parameter(&mut self, key: FuncKey, index: usize) -> Value {
        let origin = self.origins.id(Origin::Param {
            function: key,
            index: index as u32,
        });
        let taint = Taint {
            origin,
            harms: Harms::ALL,
            step: NO_STEP,
        };
        Value::tainted(taint).shaped(Shape::Param(origin))
    }

    /// What a parameter's name or type says of it.
    fn by_parameter(&mut self, key: FuncKey, index: usize, param: &Param) -> Option<Value> {
        let unit = Rc::clone(&self.units[key.module as usize]);
        let function = &unit.module.functions[key.function as usize];
        let text = |name: u32| unit.module.names[name as usize].as_str();
        let name = param.name.map(text).unwrap_or_default();
        let kind = param.annotation.map(text).unwrap_or_default();
        if unit.module.tongue == Tongue::Python {
            return self.python_parameter(key.module, index, (name, kind), function.params.len());
        }
        let function_name = text(function.name);
        if is_action(&unit.module, function) {
            let input = self.input(Harms::ALL, "an argument", name, Shape::Unknown);
            return Some(input);
        }
        let is_handler = matches!(
            function_name,
            "GET"
                | "POST"
                | "PUT"
                | "PATCH"
                | "DELETE"
                | "loader"
                | "action"
                | "load"
                | "getServerSideProps"
                | "getStaticProps"
        );
        if is_handler {
            let is_context = index > 0
                || matches!(param.target, Target::Object(..))
                || function_name.starts_with("getS");
            return Some(self.named(if is_context { "context" } else { "request" }));
        }
        match name {
            "req" | "request" => Some(self.named("request")),
            "ctx" | "c" if index == 0 => Some(self.named("ctx")),
            "event" | "evt" | "ev" | "e" if index == 0 => Some(self.named("event")),
            "formData" if index <= 1 => {
                let input = self.input(Harms::ALL, "a form", "formData", Shape::Unknown);
                Some(input)
            }
            _ if index == 0 && name.is_empty() => {
                let second = function.params.get(1).and_then(|param| param.name);
                self.taken_apart(param, second.map(text).unwrap_or_default(), &unit.module)
            }
            _ => None,
        }
    }

    /// `({ params, searchParams })`, `({ body, query }, res)`
    fn taken_apart(
        &mut self,
        param: &Param,
        second: &str,
        module: &crate::ir::Module,
    ) -> Option<Value> {
        let Target::Object(fields, _) = &param.target else {
            return None;
        };
        let has = |name: &str| {
            fields
                .iter()
                .any(|(field, _)| module.names[*field as usize] == name)
        };
        if has("searchParams") || (has("params") && !has("body")) {
            return Some(self.named("context"));
        }
        let answers = matches!(second, "res" | "response" | "reply" | "resp");
        if answers && (has("body") || has("query")) {
            return Some(self.named("request"));
        }
        None
    }

    fn python_parameter(
        &mut self,
        module: u32,
        index: usize,
        (name, kind): (&str, &str),
        count: usize,
    ) -> Option<Value> {
        let is_request = match kind {
            // A library's own requests are those that it sends.
            "" => name == "request" && index <= 1 && self.imports_any(module, &WEB),
            kind => self.is_web_request(module, kind),
        };
        if is_request {
            return Some(self.named("request"));
        }
        if kind.ends_with("WebSocket") || (name == "websocket" && index == 0) {
            return Some(self.named("websocket"));
        }
        if name == "event" && index == 0 && count == 2 {
            return Some(self.named("event"));
        }
        if is_number_type(kind) {
            return Some(Value::of(Shape::Number));
        }
        None
    }
}

/// Whether a page calls a function on the server: it says `'use server'`, or its file does and exports
/// it.
fn is_action(module: &Module, function: &Function) -> bool {
    let says = |block: BlockId| {
        let first = module.blocks[block as usize].first();
        let text = first.and_then(|statement| match statement {
            Stmt::Do(text) => Some(&module.exprs[*text as usize].kind),
            _ => None,
        });
        matches!(text, Some(Expr::Text(text)) if module.names[*text as usize] == "use server")
    };
    let mut exports = module.exports.iter();
    let is_exported = exports.any(|(_, local)| *local == function.name);
    says(function.body) || (is_exported && says(module.body))
}

/// Packages whose requests come from outside.
const WEB: [&str; 26] = [
    "flask",
    "quart",
    "fastapi",
    "starlette",
    "django",
    "rest_framework",
    "ninja",
    "aiohttp",
    "sanic",
    "bottle",
    "tornado",
    "pyramid",
    "falcon",
    "litestar",
    "robyn",
    "werkzeug",
    "blacksheep",
    "webob",
    "cherrypy",
    "azure",
    "functions_framework",
    "chalice",
    "channels",
    "wagtail",
    "flask_restful",
    "microdot",
];

impl Engine {
    /// Whether a type is a request that comes from outside, and none that the app sends.
    pub(crate) fn is_web_request(&mut self, module: u32, kind: &str) -> bool {
        let kind = kind.trim_matches(['"', '\'']);
        let last = kind.rsplit('.').next().unwrap_or(kind);
        if !matches!(
            last,
            "Request" | "HttpRequest" | "WSGIRequest" | "ASGIRequest"
        ) {
            return false;
        }
        let first = kind.split('.').next().unwrap_or(kind);
        let sym = self.names.id(first);
        match self.global(module, sym).map(|value| value.shape) {
            Some(Shape::Class(_)) => false,
            Some(Shape::Path(path)) => {
                let path = self.paths.text(path);
                let package = path.split('.').next().unwrap_or_default();
                package == "request" || WEB.contains(&package)
            }
            _ => true,
        }
    }
}

/// Whether a type is one of numbers, dates or fixed choices.
pub(crate) fn is_number_type(kind: &str) -> bool {
    let kind = kind.trim();
    let inner = kind
        .strip_prefix("Optional[")
        .and_then(|rest| rest.strip_suffix(']'))
        .or_else(|| kind.strip_suffix(" | None"))
        .unwrap_or(kind);
    let inner = inner
        .strip_prefix("List[")
        .or(inner.strip_prefix("list["))
        .unwrap_or(inner);
    let inner = inner.trim_end_matches(']').trim();
    if inner.starts_with("Literal[") || inner.starts_with("Annotated[int") {
        return true;
    }
    matches!(
        inner,
        "int"
            | "float"
            | "bool"
            | "UUID"
            | "uuid.UUID"
            | "date"
            | "datetime"
            | "datetime.date"
            | "Decimal"
            | "conint"
            | "PositiveInt"
            | "ObjectId"
            | "datetime.datetime"
    )
}
