//! Statements: what is known before and after each.

use std::rc::Rc;

use super::engine::{Engine, Flow};
use super::harm::{Harm, Harms};
use super::summary::{Drain, Place};
use super::value::{Shape, Value};
use crate::ir::{BlockId, Expr, ExprId, Stmt, Target, Tongue};
use crate::tables::When;

impl Engine {
    /// Runs statements as long as they are reached.
    pub(crate) fn block(&mut self, block: BlockId) {
        let unit = self.unit();
        for statement in &unit.module.blocks[block as usize] {
            if !self.frame().flow.is_live || self.fuel == 0 {
                return;
            }
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Let(target, value) => {
                let span = self.span_of(*value);
                let held = self.eval(*value);
                self.remember_answer(target, *value);
                self.bind(target, &held, span);
            }
            Stmt::Augment(target, value) => self.augment(target, *value),
            Stmt::Do(value) => {
                self.eval(*value);
                self.check_by_statement(*value);
            }
            Stmt::If { test, yes, no } => self.branch(*test, *yes, *no),
            Stmt::Loop { bind, test, body } => self.repeat(bind.as_ref(), *test, *body),
            Stmt::Try {
                body,
                handlers,
                finally,
            } => self.attempt(*body, handlers, *finally),
            Stmt::Block(block) => self.block(*block),
            Stmt::Return(value) => self.give_back(*value),
            Stmt::Throw(value) => {
                if let Some(value) = value {
                    self.eval(*value);
                }
                self.frame().flow.is_live = false;
            }
            Stmt::Leave => {
                let flow = self.frame().flow.clone();
                self.frame().leaves.push(flow);
                self.frame().flow.is_live = false;
            }
        }
    }

    fn augment(&mut self, target: &Target, value: ExprId) {
        let added = self.eval(value);
        let span = self.span_of(value);
        match target {
            Target::Name(name) => {
                let before = self.lookup(self.sym(*name)).unwrap_or_default();
                let joined = self.join_texts(&[before, added]);
                self.assign(target, &joined, span);
            }
            Target::Field(object, _) | Target::Index(object, _) => {
                let added = added.flat();
                self.fill(*object, &added);
            }
            _ => {}
        }
    }

    fn remember_answer(&mut self, target: &Target, value: ExprId) {
        if let Target::Name(name) = target {
            let sym = self.sym(*name);
            self.frame().flow.answers.insert(sym, value);
        }
    }

    fn branch(&mut self, test: ExprId, yes: BlockId, no: Option<BlockId>) {
        self.eval(test);
        let facts = self.condition(test);
        let before = self.frame().flow.clone();
        facts.yes.iter().for_each(|fact| self.clear(*fact));
        self.block(yes);
        let after_yes = std::mem::replace(&mut self.frame().flow, before);
        facts.no.iter().for_each(|fact| self.clear(*fact));
        if let Some(no) = no {
            self.block(no);
        }
        let after_no = std::mem::take(&mut self.frame().flow);
        self.frame().flow = self.join(after_yes, after_no);
    }

    fn repeat(&mut self, bind: Option<&(Target, ExprId)>, test: Option<ExprId>, body: BlockId) {
        let outer_leaves = std::mem::take(&mut self.frame().leaves);
        // A second round sees what the first has left.
        for _ in 0..2 {
            let before = self.frame().flow.clone();
            if let Some((target, over)) = bind {
                let span = self.span_of(*over);
                let held = self.eval(*over);
                let element = self.element_of(&held);
                self.bind(target, &element, span);
            }
            if let Some(test) = test {
                self.eval(test);
                let facts = self.condition(test);
                facts.yes.iter().for_each(|fact| self.clear(*fact));
            }
            self.block(body);
            let mut after = std::mem::take(&mut self.frame().flow);
            for left in std::mem::take(&mut self.frame().leaves) {
                after = self.join(after, left);
            }
            self.frame().flow = self.join(before, after);
        }
        self.frame().leaves = outer_leaves;
    }

    fn attempt(&mut self, body: BlockId, handlers: &[BlockId], finally: Option<BlockId>) {
        let before = self.frame().flow.clone();
        self.block(body);
        let after = self.frame().flow.clone();
        // It may fail at its start as well as at its end.
        let failed = self.join(
            before,
            Flow {
                is_live: true,
                ..after.clone()
            },
        );
        let mut end = after;
        for handler in handlers {
            self.frame().flow = Flow {
                cleared: vec![],
                ..failed.clone()
            };
            self.block(*handler);
            let handled = std::mem::take(&mut self.frame().flow);
            end = self.join(end, handled);
        }
        self.frame().flow = end;
        if let Some(finally) = finally {
            let was_live = std::mem::replace(&mut self.frame().flow.is_live, true);
            self.block(finally);
            let flow = &mut self.frame().flow;
            flow.is_live = flow.is_live && was_live;
        }
    }

    fn give_back(&mut self, value: Option<ExprId>) {
        if let Some(value) = value {
            let result = self.eval(value);
            self.show_page(value, &result);
            self.note_yes(value);
            let joined = self.frame().summary.result.join(&result);
            let is_first = self.frame().returns.is_none();
            self.frame().summary.result = if is_first { result } else { joined };
        }
        let flow = self.frame().flow.clone();
        let returns = self.frame().returns.take();
        let joined = match returns {
            Some(before) => self.join(before, flow),
            None => flow,
        };
        self.frame().returns = Some(joined);
        self.frame().flow.is_live = false;
    }

    /// The result of a page's function is HTML.
    fn show_page(&mut self, value: ExprId, result: &Value) {
        if !self.frame().is_page || self.frame().flow.is_plain {
            return;
        }
        let unit = self.unit();
        // `return page, 404`
        let (value, shown) = match &unit.module.exprs[value as usize].kind {
            Expr::List(parts) if !parts.is_empty() => (parts[0], self.eval(parts[0])),
            _ => (value, result.clone()),
        };
        let at = Place {
            module: self.module(),
            span: self.span_of(value),
        };
        let drain = Drain {
            harm: Harm::Html,
            when: When::Page,
            confidence: model::finding::Confidence::High,
            is_strict: false,
            tongue: Tongue::Python,
            at,
        };
        self.drain(drain, &shown);
    }

    /// Notes what is known to be checked when the function says yes.
    fn note_yes(&mut self, value: ExprId) {
        let unit = self.unit();
        let mut facts = match &unit.module.exprs[value as usize].kind {
            Expr::Truth(false) | Expr::Nothing => return,
            _ => self.condition(value).yes,
        };
        facts.extend(self.frame().flow.cleared.iter().copied());
        let before = self.frame().yes.take();
        self.frame().yes = Some(match before {
            Some(before) => common(&before, &facts),
            None => facts,
        });
    }

    /// Notes that an origin can no longer do something from here on.
    pub(crate) fn clear(&mut self, fact: (u32, Harms)) {
        let cleared = &mut self.frame().flow.cleared;
        match cleared.iter_mut().find(|(origin, _)| *origin == fact.0) {
            Some((_, harms)) => *harms = *harms | fact.1,
            None => cleared.push(fact),
        }
    }

    /// What is known where two ways meet.
    pub(crate) fn join(&self, one: Flow, other: Flow) -> Flow {
        let (mut one, mut other) = match (one.is_live, other.is_live) {
            (true, false) => return one,
            (false, true) => return other,
            _ => (one, other),
        };
        let both = common(&one.cleared, &other.cleared);
        // What only one way has checked stays true of the values that come by it.
        for flow in [&mut one, &mut other] {
            if flow.cleared != both {
                let cleared = std::mem::take(&mut flow.cleared);
                for value in flow.vars.values_mut().filter(|value| value.is_tainted()) {
                    *value = self.without_checked(value.clone(), &cleared);
                }
            }
        }
        for (name, value) in other.vars {
            match one.vars.get_mut(&name) {
                Some(mine) if *mine == value => {}
                Some(mine) => *mine = mine.join(&value),
                None => {
                    one.vars.insert(name, value);
                }
            }
        }
        one.cleared = both;
        one.answers
            .retain(|name, value| other.answers.get(name) == Some(value));
        one.is_plain = one.is_plain && other.is_plain;
        one
    }

    /// A value without what was checked.
    pub(crate) fn checked(&mut self, value: Value) -> Value {
        let last = self.stack.len() - 1;
        self.without_checked(value, &self.stack[last].flow.cleared)
    }

    fn without_checked(&self, value: Value, cleared: &[(u32, Harms)]) -> Value {
        if cleared.is_empty() || !value.is_tainted() {
            return value;
        }
        let origins = &self.origins;
        value.map_taints(|mut taint| {
            let mut at = Some(taint.origin);
            while let Some(origin) = at {
                for (_, harms) in cleared.iter().filter(|(cleared, _)| *cleared == origin) {
                    taint.harms = taint.harms & !*harms;
                }
                at = match origins.get(origin) {
                    super::intern::Origin::Part { of, .. } => Some(*of),
                    _ => None,
                };
            }
            Some(taint)
        })
    }

    /// What an element of a value is.
    pub(crate) fn element_of(&mut self, value: &Value) -> Value {
        match &value.shape {
            Shape::List(element) => {
                let mut element = (**element).clone();
                element.absorb(value);
                element
            }
            Shape::Param(_) | Shape::Path(_) => value.clone(),
            _ => value.flat(),
        }
    }

    /// The place of an expression.
    pub(crate) fn span_of(&self, id: ExprId) -> crate::ir::Span {
        self.units[self.module() as usize].module.exprs[id as usize].span
    }
}

/// What both have checked.
pub(crate) fn common(one: &[(u32, Harms)], other: &[(u32, Harms)]) -> Vec<(u32, Harms)> {
    let both = one.iter().filter_map(|(origin, harms)| {
        let (_, more) = other.iter().find(|(same, _)| same == origin)?;
        let both = *harms & *more;
        (!both.is_empty()).then_some((*origin, both))
    });
    both.collect()
}

/// An object with one field.
pub(crate) fn object_of(name: u32, value: Value) -> Value {
    Value::of(Shape::Object(Rc::new(vec![(name, value)])))
}
