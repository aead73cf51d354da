//! Functions that are handed to others, and what those call them with.

use std::rc::Rc;

use super::call::Call;
use super::engine::Engine;
use super::function::Given;
use super::harm::Harms;
use super::value::{FuncKey, Shape, Value};
use crate::ir::Span;

impl Engine {
    /// Calls a function with values, here and now: what it changes is changed.
    pub(crate) fn invoke(&mut self, key: FuncKey, values: Vec<Value>) -> Value {
        if !self.may_call() || self.stack.iter().any(|frame| frame.function == Some(key)) {
            return Value::default();
        }
        self.invoked.insert(key);
        let this = match self.births.get(&key) {
            Some(birth) => birth.this.clone(),
            None => Value::default(),
        };
        let summary = self.enter(key, values, this);
        for doing in summary.doings {
            self.note(doing);
        }
        summary.result
    }

    /// Calls a value, where it is a function.
    pub(crate) fn call_back(&mut self, callee: &Value, values: Vec<Value>) -> Value {
        match &callee.shape {
            Shape::Func(key) => self.invoke(*key, values),
            Shape::Bound(key, this) => {
                let this = (**this).clone();
                let given = Given {
                    values,
                    named: vec![],
                    spread: None,
                    written: &[],
                    span: Span::default(),
                };
                self.apply(*key, &given, Some(this))
            }
            _ => Value::default(),
        }
    }

    /// Calls a function as the browser does.
    pub(crate) fn call_event(&mut self, key: FuncKey) {
        let event = self.named("event");
        self.invoke(key, vec![event]);
    }

    /// Calls a function that was assigned as a listener: `socket.onmessage = …`.
    pub(crate) fn call_listener(&mut self, key: FuncKey, name: &str, holder: &Value) {
        let is_own = matches!(holder.shape, Shape::Path(path) if is_worker(self.paths.text(path)));
        let event = self.named(if name == "onmessage" && !is_own {
            "message"
        } else {
            "event"
        });
        self.invoke(key, vec![event]);
    }

    /// Calls the functions among the arguments of a call of something outside.
    ///
    /// Returns what the call gives, where that depends on them.
    pub(crate) fn call_arguments(&mut self, call: &Call) -> Option<Value> {
        let functions: Vec<FuncKey> = call
            .given
            .values
            .iter()
            .chain(call.given.named.iter().map(|(_, value)| value))
            .filter_map(|value| match value.shape {
                Shape::Func(key) | Shape::Bound(key, _) => Some(key),
                _ => None,
            })
            .collect();
        if functions.is_empty() {
            return None;
        }
        let receiver = call.receiver.clone().unwrap_or_default();
        let element = self.element_of(&receiver);
        let mut result = None;
        for key in functions {
            result = Some(match call.name.as_str() {
                "map" | "flatMap" => {
                    let each = self.invoke(key, vec![element.clone()]);
                    Value::of(Shape::List(Rc::new(each)))
                }
                "forEach" | "some" | "every" | "findIndex" => {
                    self.invoke(key, vec![element.clone()]);
                    Value::default()
                }
                "filter" | "find" | "sort" | "findLast" | "toSorted" => {
                    self.invoke(key, vec![element.clone(), element.clone()]);
                    receiver.clone()
                }
                "reduce" => {
                    let first = call.given.values.get(1).cloned().unwrap_or_default();
                    let once = self.invoke(key, vec![first.clone(), element.clone()]);
                    let again = self.invoke(key, vec![first.join(&once), element.clone()]);
                    first.join(&again)
                }
                "then" | "catch" | "finally" => self.invoke(key, vec![receiver.clone()]),
                "replace" | "replaceAll" => {
                    self.invoke(key, vec![receiver.clone()]);
                    receiver.flat()
                }
                "on" | "once" | "addEventListener" | "addListener" | "onMessage" => {
                    self.listen(call, &receiver, key);
                    Value::default()
                }
                name if position_of_arguments(name).is_some() => self.run_later(call, key),
                _ => self.hand_over(call, key),
            });
        }
        result
    }

    /// A listener for what others send.
    fn listen(&mut self, call: &Call, receiver: &Value, key: FuncKey) {
        let event = match call.given.values.first().map(|value| &value.shape) {
            Some(Shape::Const(event)) => event.to_string(),
            _ => String::new(),
        };
        let path = match &receiver.shape {
            Shape::Path(path) => self.paths.text(*path).to_string(),
            _ => String::new(),
        };
        let is_browser =
            path == "window" || path.is_empty() || path == "document" || path == "self";
        let values = match event.as_str() {
            "connection" => vec![self.named("socket"), self.named("request")],
            "message" if call.name == "addEventListener" && (is_browser || is_channel(&path)) => {
                vec![self.named("message")]
            }
            "data" | "end" if path == "request" => vec![self.input_of("the request's body")],
            "data" | "end" if receiver.is_tainted() => vec![receiver.flat()],
            _ if path == "socket" || path.ends_with(".sockets") => {
                let message = self.input_of("a message");
                vec![message.clone(), message]
            }
            "message" if call.name == "on" && path.is_empty() => vec![self.input_of("a message")],
            _ => vec![self.named("event")],
        };
        self.invoke(key, values);
    }

    fn input_of(&mut self, what: &str) -> Value {
        self.input(Harms::ALL, what, what, Shape::Unknown)
    }

    /// A function that is handed to a thread, a pool or a loop together with its arguments.
    fn run_later(&mut self, call: &Call, key: FuncKey) -> Value {
        let behind = position_of_arguments(&call.name).unwrap_or_default();
        let mut values: Vec<Value> = call.given.values.iter().skip(behind).cloned().collect();
        if behind == usize::MAX {
            let args = self.keyword(call, "args").unwrap_or_default();
            let element = self.element_of(&args);
            let count = self.units[key.module as usize].module.functions[key.function as usize]
                .params
                .len();
            values = vec![element; count];
        }
        let given = Given {
            values,
            named: call.given.named.clone(),
            spread: None,
            written: &[],
            span: call.given.span,
        };
        self.apply(key, &given, None)
    }

    /// A function that something unknown gets: it may be called with anything.
    fn hand_over(&mut self, call: &Call, key: FuncKey) -> Value {
        let values = self.role_of(key);
        let known = values.iter().map(|value| match value.shape {
            Shape::Param(_) => Value::default(),
            _ => value.clone(),
        });
        let values: Vec<Value> = known.collect();
        let is_once = matches!(
            call.name.as_str(),
            "useMemo" | "useCallback" | "startTransition" | "transaction" | "run" | "all"
        );
        let result = self.invoke(key, values);
        if is_once { result } else { Value::default() }
    }
}

/// Where the arguments of a function begin that is called later; past all where they are a list.
fn position_of_arguments(name: &str) -> Option<usize> {
    match name {
        "submit" | "to_thread" | "run_in_threadpool" | "add_task" | "partial" | "run_sync"
        | "spawn_n" | "call_soon" => Some(1),
        "run_in_executor" | "call_later" => Some(2),
        "Thread" | "Process" | "apply_async" | "Timer" => Some(usize::MAX),
        _ => None,
    }
}

/// Whether it is a script of the app itself that sends what arrives here.
fn is_worker(path: &str) -> bool {
    path.ends_with("Worker()") || path.ends_with("MessageChannel().port1")
}

/// Whether others write what arrives here.
fn is_channel(path: &str) -> bool {
    ["WebSocket()", "EventSource()", "BroadcastChannel()"]
        .iter()
        .any(|end| path.ends_with(end))
}
