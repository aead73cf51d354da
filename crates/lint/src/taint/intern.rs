//! Numbers for what is compared often: names, dotted paths, origins, steps.

use std::rc::Rc;

use rustc_hash::FxHashMap as HashMap;

use super::value::FuncKey;
use crate::ir::Span;

/// A name, over all files.
pub(crate) type Sym = u32;
/// A dotted path, such as `flask.request.args`.
pub(crate) type PathId = u32;
/// Where a value comes from.
pub(crate) type OriginId = u32;
/// How a value came somewhere.
pub(crate) type StepId = u32;

/// The step of what has none.
pub(crate) const NO_STEP: StepId = 0;
/// Longer ways are cut in the middle.
const STEPS: u16 = 14;
/// Parts of parts of parts are not told apart.
const PARTS: u8 = 4;

/// Texts and their numbers.
#[derive(Default)]
pub(crate) struct Texts {
    index: HashMap<Rc<str>, u32>,
    texts: Vec<Rc<str>>,
}

impl Texts {
    /// The number of a text.
    pub(crate) fn id(&mut self, text: &str) -> u32 {
        if let Some(id) = self.index.get(text) {
            return *id;
        }
        let text: Rc<str> = text.into();
        let id = self.texts.len() as u32;
        self.texts.push(Rc::clone(&text));
        self.index.insert(text, id);
        id
    }

    /// The text of a number.
    pub(crate) fn text(&self, id: u32) -> &Rc<str> {
        &self.texts[id as usize]
    }
}

/// Which part of another value an origin is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// A field by its name.
    Field(Sym),
    /// The host of an address: who checks it has checked the address.
    Host,
    /// A piece that says nothing of the whole: a scheme, an extension.
    Piece(Sym),
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// Input, as one function reads it.
    Input {
        /// The function, or the module's number alone.
        reader: FuncKey,
        /// What is read.
        what: u32,
    },
    /// A parameter of a function whose callers are not looked at yet.
    Param {
        /// The function.
        function: FuncKey,
        /// Which one.
        index: u32,
    },
    /// A part of something.
    Part {
        /// Of what.
        of: OriginId,
        /// Which.
        part: Part,
    },
}

/// Origins and their numbers.
#[derive(Default)]
pub(crate) struct Origins {
    index: HashMap<Origin, OriginId>,
    all: Vec<(Origin, u8)>,
}

impl Origins {
    /// The number of an origin.
    pub(crate) fn id(&mut self, origin: Origin) -> OriginId {
        if let Some(id) = self.index.get(&origin) {
            return *id;
        }
        let depth = match origin {
            Origin::Part { of, .. } => self.all[of as usize].1 + 1,
            _ => 0,
        };
        let id = self.all.len() as OriginId;
        self.all.push((origin.clone(), depth));
        self.index.insert(origin, id);
        id
    }

    /// The origin of a number.
    pub(crate) fn get(&self, id: OriginId) -> &Origin {
        &self.all[id as usize].0
    }

    /// A part of an origin; itself where parts are no longer told apart.
    pub(crate) fn part(&mut self, of: OriginId, part: Part) -> OriginId {
        if self.all[of as usize].1 >= PARTS {
            return of;
        }
        self.id(Origin::Part { of, part })
    }

    /// Whether it hangs on a parameter.
    pub(crate) fn is_param(&self, id: OriginId) -> bool {
        match self.get(id) {
            Origin::Input { .. } => false,
            Origin::Param { .. } => true,
            Origin::Part { of, .. } => self.is_param(*of),
        }
    }
}

/// One step of a value's way.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// The step before.
    pub(crate) before: StepId,
    /// How many there are before it.
    depth: u16,
    /// The file.
    pub(crate) module: u32,
    /// The place.
    pub(crate) span: Span,
    /// What happens.
    pub(crate) what: Rc<str>,
}

/// Steps and their numbers. Number 0 is no step.
pub(crate) struct Steps {
    index: HashMap<(StepId, u32, u32), StepId>,
    all: Vec<Step>,
}

impl Default for Steps {
    fn default() -> Self {
        let none = Step {
            before: NO_STEP,
            depth: 0,
            module: 0,
            span: Span::default(),
            what: "".into(),
        };
        Self {
            index: HashMap::default(),
            all: vec![none],
        }
    }
}

impl Steps {
    /// A step behind `before`; `before` itself where the way is long enough.
    pub(crate) fn then(&mut self, before: StepId, module: u32, span: Span, what: &str) -> StepId {
        let depth = self.all[before as usize].depth + 1;
        if depth > STEPS {
            return before;
        }
        let key = (before, module, span.start);
        if let Some(id) = self.index.get(&key) {
            return *id;
        }
        let id = self.all.len() as StepId;
        self.all.push(Step {
            before,
            depth,
            module,
            span,
            what: what.into(),
        });
        self.index.insert(key, id);
        id
    }

    /// The steps that end with `last`, from the first.
    pub(crate) fn way(&self, last: StepId) -> Vec<Step> {
        let mut way = Vec::new();
        let mut at = last;
        while at != NO_STEP {
            way.push(self.all[at as usize].clone());
            at = self.all[at as usize].before;
        }
        way.reverse();
        way
    }
}
