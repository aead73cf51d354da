//! Routes: which functions answer which addresses.

use std::rc::Rc;

use super::call::Call;
use super::engine::Engine;
use super::harm::{Harm, Harms};
use super::outcome::{Covers, FoundRoute, Render, RenderedValue, Way};
use super::value::{ClassKey, FuncKey, Shape, Value};
use crate::ir::{Expr, ExprId, Param, Span, Tongue};

const METHODS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// What a decorator says of its function.
struct Decorated {
    methods: Vec<String>,
    path: String,
    guards: Vec<String>,
    is_page: bool,
}

impl Engine {
    /// Notes the routes and the roles that a function's decorators give it.
    pub(crate) fn register_decorated(&mut self, key: FuncKey) {
        let unit = self.unit();
        let function = &unit.module.functions[key.function as usize];
        if function.decorators.is_empty() {
            return;
        }
        let mut found: Vec<Decorated> = Vec::new();
        let mut guards: Vec<String> = Vec::new();
        for decorator in &function.decorators {
            let called = self.eval_decorator(*decorator);
            let (path, last) = (called.0, called.1);
            match self.decorated(*decorator, &path, &last) {
                Some(route) => found.push(route),
                None if is_before(&last) => self.register_before(*decorator, key),
                None if is_listener(&last) => {
                    let values = function.params.iter().map(|_| self.typed("a message"));
                    let values = values.collect();
                    self.take_role(key, values);
                }
                None => guards.push(last),
            }
        }
        for param in &function.params {
            guards.extend(self.dependency(param));
        }
        if found.is_empty() {
            return;
        }
        let values = self.route_parameters(&function.params, &found);
        self.take_role(key, values);
        if found.iter().any(|route| route.is_page) {
            self.pages.insert(key);
        }
        for route in found {
            let all: Vec<String> = guards.iter().chain(&route.guards).cloned().collect();
            for method in route.methods {
                self.add_route(FoundRoute {
                    method,
                    path: route.path.clone(),
                    guards: all.clone(),
                    unit: key.module,
                    span: function.span,
                    at: function.span,
                    at_unit: key.module,
                    covers: Covers::Itself,
                });
            }
        }
    }

    fn eval_decorator(&mut self, decorator: ExprId) -> (String, String) {
        let unit = self.unit();
        let callee = match &unit.module.exprs[decorator as usize].kind {
            Expr::Call { callee, .. } => *callee,
            _ => decorator,
        };
        let value = self.eval(callee);
        let path = match value.shape {
            Shape::Path(path) => self.paths.text(path).to_string(),
            _ => String::new(),
        };
        (path, self.called_name(callee))
    }

    /// The route of a decorator such as `@app.route("/x", methods=["POST"])`.
    fn decorated(&mut self, decorator: ExprId, path: &str, last: &str) -> Option<Decorated> {
        let unit = self.unit();
        let Expr::Call { callee, args, .. } = &unit.module.exprs[decorator as usize].kind else {
            return None;
        };
        let Expr::Field(router, _) = unit.module.exprs[*callee as usize].kind else {
            return None;
        };
        let is_verb = METHODS.contains(&last) || last == "api_route";
        if !(is_verb || last == "route") {
            return None;
        }
        let first = args
            .iter()
            .find(|argument| argument.name.is_none())
            .or(args.first())?;
        let address = match self.eval(first.value).shape {
            Shape::Const(text) => text.to_string(),
            _ => "?".to_owned(),
        };
        let mut methods = vec![if is_verb {
            last.to_uppercase()
        } else {
            "GET".to_owned()
        }];
        let mut guards = self.router_guards(router);
        let mut is_page =
            path.starts_with("flask()") || (last == "route" && !path.starts_with("fastapi()"));
        for argument in args.iter() {
            let Some(name) = argument.name else { continue };
            match self.text(name).as_str() {
                "methods" => methods = self.texts_in(argument.value),
                "dependencies" => guards.extend(self.names_in(argument.value)),
                "response_class" => {
                    is_page = self
                        .names_in(argument.value)
                        .iter()
                        .any(|name| name == "HTMLResponse");
                }
                _ => {}
            }
        }
        Some(Decorated {
            methods,
            path: address,
            guards,
            is_page,
        })
    }

    fn texts_in(&mut self, id: ExprId) -> Vec<String> {
        let unit = self.unit();
        match &unit.module.exprs[id as usize].kind {
            Expr::List(elements) => elements.iter().flat_map(|id| self.texts_in(*id)).collect(),
            Expr::Text(text) => vec![self.text(*text).to_uppercase()],
            _ => vec![],
        }
    }

    /// All names in an expression.
    pub(crate) fn names_in(&mut self, id: ExprId) -> Vec<String> {
        let unit = self.unit();
        match &unit.module.exprs[id as usize].kind {
            Expr::List(parts) | Expr::Sequence(parts) => {
                parts.iter().flat_map(|id| self.names_in(*id)).collect()
            }
            Expr::Call { callee, args, .. } => {
                let mut names = vec![self.called_name(*callee)];
                names.extend(
                    args.iter()
                        .flat_map(|argument| self.names_in(argument.value)),
                );
                names
            }
            Expr::Name(name) | Expr::Field(_, name) => vec![self.text(*name)],
            _ => vec![],
        }
    }

    /// The names in a parameter's `Depends(…)`.
    fn dependency(&mut self, param: &Param) -> Vec<String> {
        let mut names = Vec::new();
        if let Some(default) = param.default {
            names = self.names_in(default);
        }
        if let Some(annotation) = param.annotation {
            let text = self.text(annotation);
            if text.contains("Depends(") || text.contains("Security(") {
                names.push(text);
            }
        }
        let is_dependency = names
            .iter()
            .any(|name| name.contains("Depends") || name.contains("Security") || name == "Header");
        if is_dependency { names } else { vec![] }
    }

    fn typed(&mut self, what: &str) -> Value {
        self.input(Harms::ALL, what, what, Shape::Unknown)
    }

    /// What a route's function is called with.
    fn route_parameters(&mut self, params: &[Param], routes: &[Decorated]) -> Vec<Value> {
        let mut values = Vec::new();
        for param in params {
            let name = param.name.map(|name| self.text(name)).unwrap_or_default();
            let kind = param
                .annotation
                .map(|kind| self.text(kind))
                .unwrap_or_default();
            values.push(self.route_parameter(param, &name, &kind, routes));
        }
        values
    }

    fn route_parameter(
        &mut self,
        param: &Param,
        name: &str,
        kind: &str,
        routes: &[Decorated],
    ) -> Value {
        let module = self.module();
        if name == "request" || self.is_web_request(module, kind) {
            return self.named("request");
        }
        if kind.ends_with("WebSocket") || name == "websocket" {
            return self.named("websocket");
        }
        let numeric = routes.iter().any(|route| {
            ["int:", "float:", "uuid:"]
                .iter()
                .any(|kind| route.path.contains(&format!("{kind}{name}")))
                || route.path.contains(&format!("{{{name}:int}}"))
        });
        if numeric || super::role::is_number_type(kind) {
            return Value::of(Shape::Number);
        }
        if !self.dependency(param).is_empty() || is_service(kind) {
            return self.depended_on(param, kind, routes);
        }
        let class = kind.trim_start_matches("Optional[").trim_end_matches(']');
        let class_sym = self.names.id(class);
        let shape = match self.lookup(class_sym).map(|value| value.shape) {
            Some(Shape::Class(class)) => match self.is_choice(class) {
                true => return Value::of(Shape::Number),
                false => Shape::Instance(class),
            },
            _ => Shape::Unknown,
        };
        let what = format!("the parameter `{name}`");
        self.input(Harms::ALL, &what, &what, shape)
    }

    /// What a function or class gives that a parameter depends on: `Depends(filters)`.
    fn depended_on(&mut self, param: &Param, kind: &str, routes: &[Decorated]) -> Value {
        let unit = self.unit();
        let written =
            param
                .default
                .and_then(|default| match &unit.module.exprs[default as usize].kind {
                    Expr::Call { args, .. } => args.first().map(|argument| argument.value),
                    _ => None,
                });
        let by_name = kind
            .split_once("Depends(")
            .and_then(|(_, rest)| rest.split([')', ',']).next())
            .map(|name| name.trim().to_owned());
        let provider = match (written, by_name) {
            (Some(written), _) => Some(self.eval(written)),
            (None, Some(name)) => {
                let sym = self.names.id(&name);
                self.lookup(sym)
            }
            _ => None,
        };
        match provider.map(|value| value.shape) {
            Some(Shape::Func(key)) => {
                let params = self.units[key.module as usize].module.functions
                    [key.function as usize]
                    .params
                    .clone();
                // Others' files name their types by themselves.
                if key.module != self.module() || self.roles.contains_key(&key) {
                    return match self.summary(key) {
                        Some(summary) => self.without_params(&summary.result),
                        None => Value::of(Shape::Number),
                    };
                }
                let values: Vec<Value> = params
                    .iter()
                    .map(|param| {
                        let name = self.text_of(param.name);
                        let kind = self.text_of(param.annotation);
                        self.route_parameter(param, &name, &kind, routes)
                    })
                    .collect();
                self.take_role(key, values);
                let given = self.summary(key);
                given
                    .map(|summary| summary.result.clone())
                    .unwrap_or_default()
            }
            Some(Shape::Class(class)) => {
                let what = format!("the parameters of `{}`", self.class_name(class));
                self.input(Harms::ALL, &what, &what, Shape::Instance(class))
            }
            _ => Value::of(Shape::Number),
        }
    }

    fn class_name(&self, class: ClassKey) -> String {
        let module = &self.units[class.module as usize].module;
        module.names[module.classes[class.class as usize].name as usize].clone()
    }

    /// Whether a class is an enumeration.
    fn is_choice(&mut self, class: ClassKey) -> bool {
        let unit = Rc::clone(&self.units[class.module as usize]);
        let bases = &unit.module.classes[class.class as usize].bases;
        bases
            .iter()
            .any(|base| match &unit.module.exprs[*base as usize].kind {
                Expr::Name(name) | Expr::Field(_, name) => {
                    unit.module.names[*name as usize].ends_with("Enum")
                }
                _ => false,
            })
    }

    /// Gives the functions of a class-based view their role.
    pub(crate) fn register_view(&mut self, class: ClassKey) {
        let unit = self.unit();
        let known = &unit.module.classes[class.class as usize];
        let is_view =
            known
                .bases
                .iter()
                .any(|base| match &unit.module.exprs[*base as usize].kind {
                    Expr::Name(name) | Expr::Field(_, name) => {
                        let name = self.text(*name);
                        name.ends_with("View")
                            || name.ends_with("Resource")
                            || name.ends_with("Handler")
                            || name.ends_with("ViewSet")
                    }
                    _ => false,
                });
        if !is_view {
            return;
        }
        for (name, function) in &known.methods {
            let method = self.text(*name);
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let key = FuncKey {
                module: class.module,
                function: *function,
            };
            let params = &unit.module.functions[*function as usize].params;
            let values = self.route_parameters(params, &[]);
            self.take_role(key, values);
            self.pages.insert(key);
        }
    }

    fn take_role(&mut self, key: FuncKey, values: Vec<Value>) {
        let before = self.roles.insert(key, values);
        if before.is_none() && self.summaries.contains_key(&key) {
            self.has_changed = true;
        }
    }

    pub(crate) fn add_route(&mut self, route: FoundRoute) {
        if !self.routes.contains(&route) {
            self.routes.push(route);
        }
    }

    /// Notes routes, roles and templates that a call registers or renders.
    pub(crate) fn register(&mut self, call: &Call) {
        match self.tongue() {
            Tongue::JavaScript => {
                self.register_express(call);
                self.register_render(call);
            }
            Tongue::Python => {
                self.register_python(call);
                self.register_render(call);
            }
        }
    }

    /// `app.post("/x", guard, handler)`
    fn register_express(&mut self, call: &Call) {
        let verb = call.name.as_str();
        let is_verb = METHODS.contains(&verb) || matches!(verb, "all" | "use");
        let is_server = call
            .path
            .as_deref()
            .is_some_and(|path| path.ends_with(".createServer") || path == "Bun.serve");
        let is_router = match call.path.as_deref() {
            Some(path) => path.starts_with("express()."),
            None => true,
        };
        let functions: Vec<(usize, FuncKey)> = call
            .given
            .values
            .iter()
            .enumerate()
            .filter_map(|(index, value)| match value.shape {
                Shape::Func(key) | Shape::Bound(key, _) => Some((index, key)),
                _ => None,
            })
            .collect();
        let first = call.given.values.first().map(|value| value.shape.clone());
        let address = match &first {
            Some(Shape::Const(text)) => Some(text.to_string()),
            _ => None,
        };
        let is_address = address
            .as_ref()
            .is_some_and(|text| text.starts_with(['/', '*', ':']));
        if is_server || (is_verb && is_router && (is_address || verb == "use")) {
            let koa = call
                .path
                .as_deref()
                .is_some_and(|path| path.contains("koa"));
            for (_, key) in &functions {
                self.give_express_role(*key, koa);
            }
        }
        if !(is_verb && is_router) || (verb != "use" && !is_address) {
            return;
        }
        // A named handler is no guard of itself.
        let handlers = usize::from(verb != "use");
        let written = call.given.written;
        let before = &written[..written.len().saturating_sub(handlers)];
        let names: Vec<String> = before
            .iter()
            .flat_map(|argument| self.names_in(argument.value))
            .collect();
        let (unit, span) = match functions.last() {
            Some((_, key)) => {
                let module = &self.units[key.module as usize].module;
                (key.module, module.functions[key.function as usize].span)
            }
            None => (self.module(), call.given.span),
        };
        let method = match verb {
            "all" => "ANY".to_owned(),
            "use" => "USE".to_owned(),
            verb => verb.to_uppercase(),
        };
        let path = address.unwrap_or_default();
        let covers = match verb {
            "use" => Covers::Below,
            _ => Covers::Itself,
        };
        if covers == Covers::Below {
            self.register_mount(call, &path, &names);
        }
        self.add_route(FoundRoute {
            method,
            path,
            guards: names,
            unit,
            span,
            at: call.at,
            at_unit: self.module(),
            covers,
        });
    }

    fn give_express_role(&mut self, key: FuncKey, is_koa: bool) {
        let unit = Rc::clone(&self.units[key.module as usize]);
        let function = &unit.module.functions[key.function as usize];
        let first = function.params.first().and_then(|param| param.name);
        let name = first
            .map(|name| unit.module.names[name as usize].as_str())
            .unwrap_or_default();
        let values = match (function.params.len(), name) {
            (_, "ctx" | "c" | "context") => vec![self.named("ctx")],
            (1, _) if is_koa => vec![self.named("ctx")],
            (4, _) => vec![
                Value::default(),
                self.named("request"),
                self.named("response"),
            ],
            _ => vec![self.named("request"), self.named("response")],
        };
        if self.roles.get(&key) != Some(&values) {
            self.take_role(key, values);
        }
    }

    /// Django's `path("x/", view)`, Gradio's functions, handlers of bots.
    fn register_python(&mut self, call: &Call) {
        if matches!(call.name.as_str(), "include_router" | "register_blueprint") {
            self.register_mount(call, "", &[]);
        }
        let path = call.path.as_deref().unwrap_or_default();
        // Pools and other widgets have a `submit`, too.
        let is_gradio = path.starts_with("gradio.")
            || (matches!(call.name.as_str(), "click" | "submit" | "change")
                && self.imports_any(self.module(), &["gradio"]));
        let functions: Vec<FuncKey> = call
            .given
            .values
            .iter()
            .chain(call.given.named.iter().map(|(_, value)| value))
            .filter_map(|value| match value.shape {
                Shape::Func(key) => Some(key),
                _ => None,
            })
            .collect();
        let is_django = matches!(path, "django.urls.path" | "django.urls.re_path");
        let is_rule =
            call.name == "add_url_rule" || call.name == "add_api_route" || call.name == "add_route";
        for key in functions {
            let unit = Rc::clone(&self.units[key.module as usize]);
            let params = &unit.module.functions[key.function as usize].params;
            let values: Vec<Value> = match () {
                () if is_gradio => params
                    .iter()
                    .map(|_| self.typed("a field of the form"))
                    .collect(),
                () if is_django || is_rule => self.parameters_of(key, call),
                () => continue,
            };
            if self.roles.get(&key) != Some(&values) {
                self.take_role(key, values);
            }
            if is_rule {
                self.pages.insert(key);
            }
            if is_django || is_rule {
                self.register_rule(call, key);
            }
        }
    }

    fn parameters_of(&mut self, key: FuncKey, call: &Call) -> Vec<Value> {
        let unit = Rc::clone(&self.units[key.module as usize]);
        let address = match call.given.values.first().map(|value| &value.shape) {
            Some(Shape::Const(text)) => text.to_string(),
            _ => String::new(),
        };
        let mut values = Vec::new();
        for param in &unit.module.functions[key.function as usize].params {
            let name = param
                .name
                .map(|name| unit.module.names[name as usize].clone())
                .unwrap_or_default();
            let kind = param
                .annotation
                .map(|kind| unit.module.names[kind as usize].clone())
                .unwrap_or_default();
            let numeric = address.contains(&format!("int:{name}"))
                || address.contains(&format!("uuid:{name}"));
            values.push(match () {
                () if matches!(name.as_str(), "request" | "req") || kind.ends_with("Request") => {
                    self.named("request")
                }
                () if numeric || super::role::is_number_type(&kind) => Value::of(Shape::Number),
                () => self.typed(&format!("the parameter `{name}`")),
            });
        }
        values
    }

    fn register_rule(&mut self, call: &Call, key: FuncKey) {
        let unit = Rc::clone(&self.units[key.module as usize]);
        let function = &unit.module.functions[key.function as usize];
        let decorators = function.decorators.iter();
        let guards = decorators.map(|id| match &unit.module.exprs[*id as usize].kind {
            Expr::Name(name) | Expr::Field(_, name) => unit.module.names[*name as usize].clone(),
            Expr::Call { callee, .. } => match &unit.module.exprs[*callee as usize].kind {
                Expr::Name(name) | Expr::Field(_, name) => {
                    unit.module.names[*name as usize].clone()
                }
                _ => String::new(),
            },
            _ => String::new(),
        });
        let guards = guards.collect();
        let path = match call.given.values.first().map(|value| &value.shape) {
            Some(Shape::Const(text)) => text.to_string(),
            _ => "?".to_owned(),
        };
        let at_unit = self.module();
        let route = FoundRoute {
            method: "ANY".into(),
            path,
            guards,
            unit: key.module,
            span: function.span,
            at: call.at,
            at_unit,
            covers: Covers::Itself,
        };
        self.add_route(route);
    }

    /// Notes what a template is given.
    fn register_render(&mut self, call: &Call) {
        let is_render = matches!(
            call.name.as_str(),
            "render_template" | "render" | "TemplateResponse" | "render_to_string" | "view"
        );
        if !is_render {
            return;
        }
        let mut values = call.given.values.iter();
        let named = call.given.named.iter().map(|(_, value)| value);
        let template = values
            .by_ref()
            .chain(named)
            .find_map(|value| match &value.shape {
                Shape::Const(text) => Some(text.to_string()),
                _ => None,
            });
        let Some(template) = template else { return };
        let mut given: Vec<(String, Value)> = Vec::new();
        for (name, value) in &call.given.named {
            given.push((self.names.text(*name).to_string(), value.clone()));
        }
        for value in call
            .given
            .values
            .iter()
            .chain(call.given.named.iter().map(|(_, value)| value))
        {
            if let Shape::Object(fields) = &value.shape {
                for (name, value) in fields.iter() {
                    given.push((self.names.text(*name).to_string(), value.clone()));
                }
            }
        }
        let values = given.into_iter().map(|(name, value)| {
            let flat = value.flat();
            let taint = flat
                .taints()
                .iter()
                .find(|taint| taint.harms.has(Harm::Html) && !self.origins.is_param(taint.origin));
            let ways = taint.map(|taint| self.ways(taint.step, call.at));
            RenderedValue { name, ways }
        });
        let values = values.collect();
        self.renders.push(Render { template, values });
    }

    fn ways(&self, step: u32, at: Span) -> Vec<Way> {
        let steps = self.steps.way(step);
        let mut ways: Vec<Way> = steps
            .into_iter()
            .map(|step| Way {
                unit: step.module,
                span: step.span,
                what: step.what.to_string(),
            })
            .collect();
        ways.push(Way {
            unit: self.module(),
            span: at,
            what: "is given to the template".into(),
        });
        ways
    }
}

/// Whether a type is one that a framework provides.
fn is_service(kind: &str) -> bool {
    [
        "Session",
        "BackgroundTasks",
        "Response",
        "AsyncSession",
        "Settings",
    ]
    .iter()
    .any(|end| kind.ends_with(end))
}

/// Whether a decorator's function runs before every request.
fn is_before(name: &str) -> bool {
    matches!(name, "before_request" | "before_app_request" | "middleware")
}

/// Whether a decorator's function hears what others send.
fn is_listener(name: &str) -> bool {
    matches!(
        name,
        "on" | "message_handler" | "on_message" | "websocket" | "tool"
    )
}
