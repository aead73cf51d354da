//! What is known of a value: where it comes from, what it can still do, and what it looks like.

use std::rc::Rc;

use super::harm::Harms;
use super::intern::{OriginId, PathId, StepId, Sym};

/// A function of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FuncKey {
    pub(crate) module: u32,
    pub(crate) function: u32,
}

/// A class of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ClassKey {
    pub(crate) module: u32,
    pub(crate) class: u32,
}

/// One origin that a value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taint {
    /// Where it comes from.
    pub(crate) origin: OriginId,
    /// What it can still do.
    pub(crate) harms: Harms,
    /// How it came here.
    pub(crate) step: StepId,
}

/// More origins than this are not told apart.
const ORIGINS: usize = 8;

/// What a value looks like.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Shape {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A constant text.
    Const(Rc<str>),
    /// A number or truth.
    Number,
    /// A text put together.
    Built(Rc<Built>),
    /// JSON as text.
    Json,
    /// A path without `..`, by a function that resolves.
    Resolved,
    /// A regular expression of known source.
    Regex(Rc<str>),
    /// A name of a package or of the language.
    Path(PathId),
    /// A parameter, or a field of one.
    Param(OriginId),
    /// A function.
    Func(FuncKey),
    /// A method with its object.
    Bound(FuncKey, Rc<Value>),
    /// A class.
    Class(ClassKey),
    /// An object of a class.
    Instance(ClassKey),
    /// A module of the app.
    Module(u32),
    /// An object with known fields, and what its other fields hold.
    Object(Rc<Vec<(Sym, Value)>>),
    /// A list, by what its elements have in common.
    List(Rc<Value>),
}

/// What is known of a text that was put together.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Built {
    /// The constant text it begins with.
    pub(crate) prefix: String,
    /// Whether a constant part has a tag.
    pub(crate) has_tag: bool,
    /// Whether a constant part has words of SQL.
    pub(crate) has_sql: bool,
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Value {
    /// What it depends on.
    pub(crate) taints: Option<Rc<Vec<Taint>>>,
    /// What it looks like.
    pub(crate) shape: Shape,
}

impl Value {
    /// A value of which its shape is known.
    pub(crate) fn of(shape: Shape) -> Self {
        Self {
            taints: None,
            shape,
        }
    }

    /// A value with one origin.
    pub(crate) fn tainted(taint: Taint) -> Self {
        Self {
            taints: Some(Rc::new(vec![taint])),
            shape: Shape::Unknown,
        }
    }

    /// What it depends on.
    pub(crate) fn taints(&self) -> &[Taint] {
        self.taints.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Whether it depends on something.
    pub(crate) fn is_tainted(&self) -> bool {
        self.taints
            .as_ref()
            .is_some_and(|taints| !taints.is_empty())
    }

    /// With another shape.
    pub(crate) fn shaped(mut self, shape: Shape) -> Self {
        self.shape = shape;
        self
    }

    /// Adds what `other` depends on.
    pub(crate) fn absorb(&mut self, other: &Value) {
        if let Some(more) = &other.taints {
            self.add(more);
        }
    }

    /// Adds origins.
    pub(crate) fn add(&mut self, more: &Rc<Vec<Taint>>) {
        match &mut self.taints {
            None => self.taints = Some(Rc::clone(more)),
            Some(mine) if Rc::ptr_eq(mine, more) => {}
            Some(mine) => {
                if more.iter().all(|taint| covers(mine, taint)) {
                    return;
                }
                let mine = Rc::make_mut(mine);
                more.iter().for_each(|taint| insert(mine, *taint));
            }
        }
    }

    /// Keeps what `change` makes of each origin.
    pub(crate) fn map_taints(&self, mut change: impl FnMut(Taint) -> Option<Taint>) -> Self {
        let mut taints = Vec::new();
        for taint in self.taints() {
            if let Some(changed) = change(*taint)
                && !changed.harms.is_empty()
            {
                insert(&mut taints, changed);
            }
        }
        let taints = (!taints.is_empty()).then(|| Rc::new(taints));
        Self {
            taints,
            shape: self.shape.clone(),
        }
    }

    /// Without the harms in `cleared`.
    pub(crate) fn without(&self, cleared: Harms) -> Self {
        if !self.is_tainted() {
            return self.clone();
        }
        self.map_taints(|taint| {
            Some(Taint {
                harms: taint.harms & !cleared,
                ..taint
            })
        })
    }

    /// What either of two may be.
    pub(crate) fn join(&self, other: &Value) -> Self {
        let shape = join_shapes(&self.shape, &other.shape);
        let mut joined = Self {
            taints: self.taints.clone(),
            shape,
        };
        joined.absorb(other);
        joined
    }

    /// With what it looks like for so many levels only.
    pub(crate) fn cut(self, levels: usize) -> Self {
        const FIELDS: usize = 64;
        let is_wide = matches!(&self.shape, Shape::Object(fields) if fields.len() > FIELDS);
        match &self.shape {
            Shape::Object(_) | Shape::List(_) if levels == 0 || is_wide => self.flat(),
            Shape::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, value)| (*name, value.clone().cut(levels - 1)));
                let shape = Shape::Object(Rc::new(fields.collect()));
                self.shaped(shape)
            }
            Shape::List(element) => {
                let shape = Shape::List(Rc::new((**element).clone().cut(levels - 1)));
                self.shaped(shape)
            }
            _ => self,
        }
    }

    /// All that it and what it holds depend on.
    pub(crate) fn flat(&self) -> Value {
        let mut flat = Value {
            taints: self.taints.clone(),
            shape: Shape::Unknown,
        };
        match &self.shape {
            Shape::Object(fields) => fields
                .iter()
                .for_each(|(_, value)| flat.absorb(&value.flat())),
            Shape::List(element) => flat.absorb(&element.flat()),
            _ => {}
        }
        flat
    }
}

fn covers(mine: &[Taint], taint: &Taint) -> bool {
    mine.iter()
        .any(|one| one.origin == taint.origin && one.harms & taint.harms == taint.harms)
}

fn insert(taints: &mut Vec<Taint>, taint: Taint) {
    if let Some(same) = taints.iter_mut().find(|one| one.origin == taint.origin) {
        same.harms = same.harms | taint.harms;
    } else if taints.len() < ORIGINS {
        taints.push(taint);
    }
}

fn join_shapes(one: &Shape, other: &Shape) -> Shape {
    match (one, other) {
        (a, b) if a == b => a.clone(),
        (Shape::Unknown, known) | (known, Shape::Unknown) if outlives_join(known) => known.clone(),
        (Shape::Object(a), Shape::Object(b)) => {
            let mut fields = (**a).clone();
            for (name, value) in b.iter() {
                match fields.iter_mut().find(|(mine, _)| mine == name) {
                    Some((_, mine)) => *mine = mine.join(value),
                    None => fields.push((*name, value.clone())),
                }
            }
            Shape::Object(Rc::new(fields))
        }
        (Shape::List(a), Shape::List(b)) => Shape::List(Rc::new(a.join(b))),
        (Shape::Built(a), Shape::Built(b)) => Shape::Built(Rc::new(Built {
            prefix: common_prefix(&a.prefix, &b.prefix),
            has_tag: a.has_tag || b.has_tag,
            has_sql: a.has_sql || b.has_sql,
        })),
        (Shape::Built(built), Shape::Const(_)) | (Shape::Const(_), Shape::Built(built)) => {
            Shape::Built(Rc::new(Built {
                prefix: String::new(),
                ..(**built).clone()
            }))
        }
        (Shape::Func(f), _) | (_, Shape::Func(f)) => Shape::Func(*f),
        _ => Shape::Unknown,
    }
}

/// What is rather known than not, when one branch does not say.
fn outlives_join(shape: &Shape) -> bool {
    matches!(
        shape,
        Shape::Path(_)
            | Shape::Func(_)
            | Shape::Class(_)
            | Shape::Instance(_)
            | Shape::Object(_)
            | Shape::List(_)
            | Shape::Built(_)
            | Shape::Module(_)
    )
}

fn common_prefix(a: &str, b: &str) -> String {
    let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y);
    same.map(|(letter, _)| letter).collect()
}
