//! Functions: their summaries, and what a call makes of them.

use std::rc::Rc;

use super::engine::{Birth, Engine, Flow, Frame, Outer, Progress};
use super::harm::Harms;
use super::intern::{NO_STEP, Origin, OriginId, Part};
use super::summary::{Doing, Summary};
use super::value::{FuncKey, Shape, Taint, Value};
use crate::ir::{Argument, FunctionId, Span};

/// A call, by its arguments.
pub(crate) struct Given<'a> {
    /// Values by position.
    pub(crate) values: Vec<Value>,
    /// Values by name.
    pub(crate) named: Vec<(u32, Value)>,
    /// What was spread.
    pub(crate) spread: Option<Value>,
    /// As written, where it was.
    pub(crate) written: &'a [Argument],
    /// The call.
    pub(crate) span: Span,
}

impl Given<'_> {
    /// All that was given.
    pub(crate) fn all(&self) -> Value {
        let mut all = Value::default();
        let named = self.named.iter().map(|(_, value)| value);
        for value in self.values.iter().chain(named).chain(&self.spread) {
            all.absorb(&value.flat());
        }
        all
    }
}

impl Engine {
    /// Notes where a function was defined, and with which variables around it.
    pub(crate) fn define(&mut self, function: FunctionId) -> FuncKey {
        let module = self.module();
        let key = FuncKey { module, function };
        let frame = self.frame();
        let vars = frame.function.map(|_| Rc::new(frame.flow.vars.clone()));
        let birth = Birth {
            parent: frame.function,
            vars,
            this: frame.this.clone(),
        };
        self.births.insert(key, birth);
        key
    }

    /// What a function does; `None` where it is being looked at already, or too deep.
    pub(crate) fn summary(&mut self, key: FuncKey) -> Option<Rc<Summary>> {
        if let Some(known) = self.summaries.get(&key) {
            return known.clone();
        }
        if !self.may_call() {
            return None;
        }
        self.summaries.insert(key, None);
        let values = self.role_of(key);
        let this = self.this_of(key);
        let summary = Rc::new(self.enter(key, values, this));
        self.summaries.insert(key, Some(Rc::clone(&summary)));
        Some(summary)
    }

    /// The object that a method belongs to.
    fn this_of(&self, key: FuncKey) -> Value {
        let function = &self.units[key.module as usize].module.functions[key.function as usize];
        match function.class {
            Some(class) => {
                let class = super::value::ClassKey {
                    module: key.module,
                    class,
                };
                Value::of(Shape::Instance(class))
            }
            None => self
                .births
                .get(&key)
                .map(|birth| birth.this.clone())
                .unwrap_or_default(),
        }
    }

    /// Looks at a function with the given parameters.
    pub(crate) fn enter(&mut self, key: FuncKey, values: Vec<Value>, this: Value) -> Summary {
        let unit = Rc::clone(&self.units[key.module as usize]);
        let function = &unit.module.functions[key.function as usize];
        let outer = self.outer_of(key);
        self.stack.push(Frame {
            module: key.module,
            function: Some(key),
            flow: Flow {
                is_live: true,
                ..Flow::default()
            },
            leaves: vec![],
            returns: None,
            this,
            outer,
            summary: Summary::default(),
            yes: None,
            is_page: self.pages.contains(&key),
        });
        for (index, param) in function.params.iter().enumerate() {
            let value = values.get(index).cloned().unwrap_or_default();
            let value = match (
                param.default,
                value.shape == Shape::Unknown && !value.is_tainted(),
            ) {
                (Some(default), true) => self.eval(default),
                _ => value,
            };
            self.bind(&param.target, &value, function.span);
        }
        self.block(function.body);
        self.leave_function()
    }

    fn leave_function(&mut self) -> Summary {
        let Some(mut frame) = self.stack.pop() else {
            return Summary::default();
        };
        // Falling off the end is a way to come back, too.
        let end = frame.flow.is_live.then_some(frame.flow);
        let back = match (frame.returns, end) {
            (Some(returns), Some(end)) => Some(self.join(returns, end)),
            (one, other) => one.or(other),
        };
        frame.summary.is_final = back.is_none();
        frame.summary.checks = back.map(|flow| flow.cleared).unwrap_or_default();
        frame.summary.checks_if_true = frame.yes.unwrap_or_default();
        frame.summary
    }

    fn outer_of(&self, key: FuncKey) -> Vec<Outer> {
        let mut outer = Vec::new();
        let mut at = self.births.get(&key);
        while let Some(birth) = at {
            let Some(parent) = birth.parent else { break };
            let active = self
                .stack
                .iter()
                .rposition(|frame| frame.function == Some(parent));
            match (active, &birth.vars) {
                (Some(index), _) => outer.push(Outer::Active(index)),
                (None, Some(vars)) => outer.push(Outer::Then(Rc::clone(vars))),
                (None, None) => {}
            }
            at = self.births.get(&parent);
        }
        outer
    }

    /// The variables of a file, as far as it is.
    pub(crate) fn global(&self, module: u32, sym: u32) -> Option<Value> {
        let own = match &self.progress[module as usize] {
            Progress::Done(vars) => vars.get(&sym).cloned(),
            Progress::Running => {
                let running = self
                    .stack
                    .iter()
                    .find(|f| f.module == module && f.function.is_none());
                running.and_then(|frame| frame.flow.vars.get(&sym).cloned())
            }
            Progress::Waiting => None,
        };
        match (own, self.globals.get(&(module, sym))) {
            (Some(own), Some(more)) => {
                let mut both = own;
                both.absorb(&more.flat());
                Some(both)
            }
            (own, more) => own.or_else(|| more.cloned()),
        }
    }

    /// Calls a function of the app by its summary.
    pub(crate) fn apply(&mut self, key: FuncKey, given: &Given, this: Option<Value>) -> Value {
        let bound = self.arguments_of(key, given);
        let Some(summary) = self.summary(key) else {
            return given.all();
        };
        let result = self.replay(key, &summary, &bound, given);
        if let Some(this) = this
            && this.is_tainted()
        {
            let mut with = result;
            with.absorb(&this);
            return with;
        }
        result
    }

    /// The value of each parameter.
    fn arguments_of(&mut self, key: FuncKey, given: &Given) -> Vec<Value> {
        let unit = Rc::clone(&self.units[key.module as usize]);
        let params = &unit.module.functions[key.function as usize].params;
        let syms = Rc::clone(&self.syms[key.module as usize]);
        let mut bound = Vec::new();
        for (index, param) in params.iter().enumerate() {
            let sym = param.name.map(|name| syms[name as usize]);
            let named = given.named.iter().find(|(name, _)| Some(*name) == sym);
            let mut value = match (named, given.values.get(index)) {
                (Some((_, value)), _) => value.clone(),
                (None, Some(value)) => value.clone(),
                (None, None) => given.spread.clone().unwrap_or_default(),
            };
            if param.is_rest {
                given
                    .values
                    .iter()
                    .skip(index)
                    .for_each(|more| value.absorb(&more.flat()));
                given
                    .named
                    .iter()
                    .for_each(|(_, more)| value.absorb(&more.flat()));
                value.shape = Shape::Unknown;
            }
            bound.push(value);
        }
        bound
    }

    fn replay(&mut self, key: FuncKey, summary: &Summary, bound: &[Value], given: &Given) -> Value {
        for doing in &summary.doings {
            match doing {
                Doing::Drains(drain, value) => {
                    let value = self.in_terms_of(key, value, bound);
                    self.drain(*drain, &value);
                }
                Doing::Field(class, name, value) => {
                    let value = self.in_terms_of(key, value, bound);
                    self.store_field(*class, *name, &value);
                }
                Doing::Global(module, name, value) => {
                    let value = self.in_terms_of(key, value, bound);
                    self.store_global(*module, *name, &value);
                }
                Doing::Calls(origin, values) => {
                    let callee = self.project(key, *origin, bound);
                    let values: Vec<Value> = values
                        .iter()
                        .map(|value| self.in_terms_of(key, value, bound))
                        .collect();
                    self.call_back(&callee, values);
                }
                Doing::Fills(origin, value) => {
                    let value = self.in_terms_of(key, value, bound);
                    if let Some(index) = self.param_index(key, *origin)
                        && let Some(argument) = given.written.get(index)
                    {
                        self.fill(argument.value, &value);
                    }
                }
            }
        }
        self.take_checks(key, &summary.checks, bound);
        if summary.is_final {
            self.frame().flow.is_live = false;
        }
        self.in_terms_of(key, &summary.result, bound)
    }

    /// Takes over what a function has checked.
    fn take_checks(&mut self, key: FuncKey, checks: &[(OriginId, Harms)], bound: &[Value]) {
        for fact in self.checks_in_terms_of(key, checks, bound) {
            self.clear(fact);
        }
    }

    /// What a function has checked, in terms of its caller.
    pub(crate) fn checks_in_terms_of(
        &mut self,
        key: FuncKey,
        checks: &[(OriginId, Harms)],
        bound: &[Value],
    ) -> Vec<(OriginId, Harms)> {
        let mut facts = Vec::new();
        for (origin, harms) in checks {
            if self.param_index(key, *origin).is_some() {
                let value = self.project(key, *origin, bound);
                facts.extend(value.taints().iter().map(|taint| (taint.origin, *harms)));
            }
        }
        facts
    }

    /// What a function that says yes has checked.
    pub(crate) fn checks_if_true(&mut self, key: FuncKey, given: &Given) -> Vec<(OriginId, Harms)> {
        let bound = self.arguments_of(key, given);
        match self.summary(key) {
            Some(summary) => self.checks_in_terms_of(key, &summary.checks_if_true, &bound),
            None => vec![],
        }
    }

    /// Which parameter of a function an origin hangs on.
    fn param_index(&self, key: FuncKey, origin: OriginId) -> Option<usize> {
        match self.origins.get(origin) {
            Origin::Param { function, index } if *function == key => Some(*index as usize),
            Origin::Part { of, .. } => self.param_index(key, *of),
            _ => None,
        }
    }

    /// The argument, or the part of it, that an origin stands for.
    pub(crate) fn project(&mut self, key: FuncKey, origin: OriginId, bound: &[Value]) -> Value {
        match self.origins.get(origin).clone() {
            Origin::Param { function, index } if function == key => {
                bound.get(index as usize).cloned().unwrap_or_default()
            }
            Origin::Part { of, part } if self.param_index(key, origin).is_some() => {
                let whole = self.project(key, of, bound);
                match part {
                    Part::Field(name) => self.field_of(&whole, name),
                    other => self.part_of(&whole, other),
                }
            }
            _ => Value::tainted(Taint {
                origin,
                harms: Harms::ALL,
                step: NO_STEP,
            }),
        }
    }

    /// A value of a function, in terms of its caller.
    fn in_terms_of(&mut self, key: FuncKey, value: &Value, bound: &[Value]) -> Value {
        let mut out = Value::of(self.shape_in_terms_of(key, &value.shape, bound));
        for taint in value.taints() {
            if self.param_index(key, taint.origin).is_none() {
                out.add(&Rc::new(vec![*taint]));
                continue;
            }
            let whole = self.project(key, taint.origin, bound).flat();
            let way = self.steps.way(taint.step);
            let steps = &mut self.steps;
            let passed = whole.map_taints(|mut from| {
                from.harms = from.harms & taint.harms;
                for step in &way {
                    from.step = steps.then(from.step, step.module, step.span, &step.what);
                }
                Some(from)
            });
            out.absorb(&passed);
        }
        out
    }

    fn shape_in_terms_of(&mut self, key: FuncKey, shape: &Shape, bound: &[Value]) -> Shape {
        match shape {
            Shape::Param(origin) if self.param_index(key, *origin).is_some() => {
                self.project(key, *origin, bound).shape
            }
            Shape::Object(fields) => {
                let fields = fields.iter();
                let fields =
                    fields.map(|(name, value)| (*name, self.in_terms_of(key, value, bound)));
                Shape::Object(Rc::new(fields.collect()))
            }
            Shape::List(element) => Shape::List(Rc::new(self.in_terms_of(key, element, bound))),
            other => other.clone(),
        }
    }
}
