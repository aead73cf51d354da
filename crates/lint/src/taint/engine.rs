//! The state of an analysis, and its rounds.

use std::rc::Rc;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::harm::Harms;
use super::intern::{OriginId, Origins, PathId, Steps, Sym, Texts};
use super::link::Linker;
use super::outcome::{FoundRoute, Outcome, Reach, Render};
use super::summary::{Doing, Summary};
use super::value::{ClassKey, FuncKey, Shape, Value};
use crate::ir::{Expr, ExprId, Module, Span, Tongue};
use crate::tables::{Tables, canonical};

/// Rounds over all files; what changes still after them is rare, and costs a whole round.
const ROUNDS: usize = 3;
/// Functions that call functions that call functions, further than this, are not followed.
const CALLS: usize = 24;
/// Expressions that one file may make the analysis look at, in a round.
const FUEL: u64 = 3_000_000;

/// Looks inside of looks, further than this, go in a circle.
const NESTING: u32 = 6_000;

/// Variables and what they hold.
pub(crate) type Vars = HashMap<Sym, Value>;

/// A file of the app.
pub(crate) struct Unit {
    /// Relative to the app's folder.
    pub(crate) path: String,
    /// Its lowered form.
    pub(crate) module: Module,
}

/// What is known at a point of a function.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flow {
    /// Its variables.
    pub(crate) vars: Vars,
    /// What was checked.
    pub(crate) cleared: Vec<(OriginId, Harms)>,
    /// Variables that hold the answer of a check.
    pub(crate) answers: HashMap<Sym, ExprId>,
    /// Whether this point is reached at all.
    pub(crate) is_live: bool,
    /// Whether a content type was set that no browser takes for HTML.
    pub(crate) is_plain: bool,
}

/// A function that is being looked at.
pub(crate) struct Frame {
    pub(crate) module: u32,
    pub(crate) function: Option<FuncKey>,
    pub(crate) flow: Flow,
    /// The point where a loop is left or goes on.
    pub(crate) leaves: Vec<Flow>,
    /// What is known wherever the function returns.
    pub(crate) returns: Option<Flow>,
    pub(crate) this: Value,
    pub(crate) outer: Vec<Outer>,
    pub(crate) summary: Summary,
    /// What was checked wherever it says yes.
    pub(crate) yes: Option<Vec<(OriginId, Harms)>>,
    /// Whether its result is shown as a page.
    pub(crate) is_page: bool,
}

impl Frame {
    /// Of a file's own statements.
    fn of_module(module: u32) -> Self {
        Self {
            module,
            function: None,
            flow: Flow {
                is_live: true,
                ..Flow::default()
            },
            leaves: vec![],
            returns: None,
            this: Value::default(),
            outer: vec![],
            summary: Summary::default(),
            yes: None,
            is_page: false,
        }
    }
}

/// Where an outer variable is found.
#[derive(Clone)]
pub(crate) enum Outer {
    /// In a function that is being looked at.
    Active(usize),
    /// As it was when the function was defined.
    Then(Rc<Vars>),
}

/// Where a function was defined.
#[derive(Clone)]
pub(crate) struct Birth {
    pub(crate) parent: Option<FuncKey>,
    pub(crate) vars: Option<Rc<Vars>>,
    pub(crate) this: Value,
}

/// How far a file is.
#[derive(Clone)]
pub(crate) enum Progress {
    Waiting,
    Running,
    Done(Rc<Vars>),
}

/// The state of an analysis.
pub(crate) struct Engine {
    pub(crate) units: Vec<Rc<Unit>>,
    pub(crate) syms: Vec<Rc<Vec<Sym>>>,
    pub(crate) names: Texts,
    pub(crate) paths: Texts,
    /// Paths as written, and what they are called in the tables.
    known_paths: HashMap<Box<str>, PathId>,
    /// Fields of paths.
    path_fields: HashMap<(PathId, Sym), PathId>,
    pub(crate) origins: Origins,
    pub(crate) steps: Steps,
    pub(crate) linker: Linker,
    /// Of each file, the packages that it imports, by the first part of their names.
    pub(crate) packages: Vec<HashSet<String>>,
    pub(crate) python: Rc<Tables>,
    pub(crate) javascript: Rc<Tables>,
    pub(crate) progress: Vec<Progress>,
    pub(crate) summaries: HashMap<FuncKey, Option<Rc<Summary>>>,
    pub(crate) invoked: HashSet<FuncKey>,
    pub(crate) births: HashMap<FuncKey, Birth>,
    pub(crate) roles: HashMap<FuncKey, Vec<Value>>,
    pub(crate) pages: HashSet<FuncKey>,
    pub(crate) fields: HashMap<(ClassKey, Sym), Value>,
    pub(crate) globals: HashMap<(u32, Sym), Value>,
    pub(crate) stack: Vec<Frame>,
    pub(crate) reaches: HashMap<(u8, u32, u32), Reach>,
    pub(crate) routes: Vec<FoundRoute>,
    pub(crate) renders: Vec<Render>,
    pub(crate) has_changed: bool,
    pub(crate) fuel: u64,
    /// How many looks are inside of one another.
    pub(crate) nesting: u32,
    pub(crate) stopped: HashSet<u32>,
}

/// Analyses the files of an app.
pub(crate) fn analyse(units: Vec<Unit>) -> Outcome {
    let mut engine = Engine::new(units);
    for round in 0..ROUNDS {
        engine.round();
        if !engine.has_changed || round + 1 == ROUNDS {
            break;
        }
        engine.start_again();
    }
    let mut stopped: Vec<u32> = engine.stopped.into_iter().collect();
    stopped.sort_unstable();
    let mut reaches: Vec<Reach> = engine.reaches.into_values().collect();
    reaches.sort_by_key(|reach| (reach.unit, reach.span.start, reach.harm as u8));
    Outcome {
        reaches,
        routes: engine.routes,
        renders: engine.renders,
        stopped,
    }
}

/// What a file imports, by the first part of each name.
fn packages_of(module: &Module) -> HashSet<String> {
    let imports = module.exprs.iter().filter_map(|node| match &node.kind {
        Expr::Import { module: name, .. } => Some(module.names[*name as usize].as_str()),
        _ => None,
    });
    imports
        .filter_map(|name| name.split('.').next())
        .map(str::to_owned)
        .collect()
}

impl Engine {
    fn new(units: Vec<Unit>) -> Self {
        let mut names = Texts::default();
        let syms = units.iter().map(|unit| {
            let ids = unit.module.names.iter().map(|name| names.id(name));
            Rc::new(ids.collect())
        });
        let syms = syms.collect();
        let linker = Linker::new(units.iter().map(|unit| unit.path.as_str()));
        let progress = vec![Progress::Waiting; units.len()];
        let packages = units.iter().map(|unit| packages_of(&unit.module));
        let packages = packages.collect();
        Self {
            units: units.into_iter().map(Rc::new).collect(),
            syms,
            names,
            paths: Texts::default(),
            known_paths: HashMap::default(),
            path_fields: HashMap::default(),
            origins: Origins::default(),
            steps: Steps::default(),
            linker,
            packages,
            python: Rc::new(Tables::of(Tongue::Python)),
            javascript: Rc::new(Tables::of(Tongue::JavaScript)),
            progress,
            summaries: HashMap::default(),
            invoked: HashSet::default(),
            births: HashMap::default(),
            roles: HashMap::default(),
            pages: HashSet::default(),
            fields: HashMap::default(),
            globals: HashMap::default(),
            stack: vec![],
            reaches: HashMap::default(),
            routes: vec![],
            renders: vec![],
            has_changed: false,
            fuel: 0,
            nesting: 0,
            stopped: HashSet::default(),
        }
    }

    fn start_again(&mut self) {
        self.has_changed = false;
        self.progress.fill(Progress::Waiting);
        self.summaries.clear();
        self.invoked.clear();
        self.births.clear();
        self.reaches.clear();
        self.routes.clear();
        self.renders.clear();
    }

    fn round(&mut self) {
        for module in 0..self.units.len() as u32 {
            self.fuel = FUEL;
            self.run_module(module);
            self.run_functions(module);
            if self.fuel == 0 {
                self.stopped.insert(module);
            }
        }
    }

    /// Runs a file's own statements, once.
    pub(crate) fn run_module(&mut self, module: u32) {
        if !matches!(self.progress[module as usize], Progress::Waiting) {
            return;
        }
        self.progress[module as usize] = Progress::Running;
        let unit = Rc::clone(&self.units[module as usize]);
        self.stack.push(Frame::of_module(module));
        self.block(unit.module.body);
        if let Some(frame) = self.stack.pop() {
            self.progress[module as usize] = Progress::Done(Rc::new(frame.flow.vars));
        }
    }

    /// Looks at every function of a file that no call has led to; outer ones come first.
    fn run_functions(&mut self, module: u32) {
        let unit = Rc::clone(&self.units[module as usize]);
        self.stack.push(Frame::of_module(module));
        for function in (0..unit.module.functions.len() as u32).rev() {
            let key = FuncKey { module, function };
            if !self.summaries.contains_key(&key) && !self.invoked.contains(&key) {
                self.summary(key);
            }
        }
        self.stack.clear();
    }

    /// The function that is being looked at.
    pub(crate) fn frame(&mut self) -> &mut Frame {
        let last = self.stack.len() - 1;
        &mut self.stack[last]
    }

    /// The file that is being looked at.
    pub(crate) fn unit(&self) -> Rc<Unit> {
        Rc::clone(&self.units[self.module() as usize])
    }

    /// The number of the file that is being looked at.
    pub(crate) fn module(&self) -> u32 {
        self.stack.last().map_or(0, |frame| frame.module)
    }

    /// The language of the file that is being looked at.
    pub(crate) fn tongue(&self) -> Tongue {
        self.units[self.module() as usize].module.tongue
    }

    /// The tables of the file that is being looked at.
    pub(crate) fn tables(&self) -> Rc<Tables> {
        match self.tongue() {
            Tongue::Python => Rc::clone(&self.python),
            Tongue::JavaScript => Rc::clone(&self.javascript),
        }
    }

    /// The number, over all files, of a name of the present file.
    pub(crate) fn sym(&self, name: crate::ir::Name) -> Sym {
        self.syms[self.module() as usize][name as usize]
    }

    /// The text of a name of the present file.
    pub(crate) fn text(&self, name: crate::ir::Name) -> String {
        self.units[self.module() as usize].module.names[name as usize].clone()
    }

    /// The number of a dotted path.
    pub(crate) fn path(&mut self, text: &str) -> PathId {
        if let Some(known) = self.known_paths.get(text) {
            return *known;
        }
        let id = self.paths.id(&canonical(text));
        self.known_paths.insert(text.into(), id);
        id
    }

    /// The number of a field's dotted path.
    pub(crate) fn path_field(&mut self, path: PathId, field: Sym) -> PathId {
        if let Some(known) = self.path_fields.get(&(path, field)) {
            return *known;
        }
        let full = format!("{}.{}", self.paths.text(path), self.names.text(field));
        let id = self.path(&full);
        self.path_fields.insert((path, field), id);
        id
    }

    /// The value that a dotted path stands for.
    pub(crate) fn named(&mut self, text: &str) -> Value {
        Value::of(Shape::Path(self.path(text)))
    }

    /// Whether a file imports one of some packages.
    pub(crate) fn imports_any(&self, module: u32, packages: &[&str]) -> bool {
        let imported = &self.packages[module as usize];
        packages.iter().any(|package| imported.contains(*package))
    }

    /// Takes fuel for one expression; false when there is none left.
    pub(crate) fn burn(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    /// Looks at something inside of what is looked at; `None`, and the file is given up, where that
    /// goes deeper than any code does: it goes in a circle.
    pub(crate) fn inside<T>(&mut self, look: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.nesting >= NESTING {
            self.fuel = 0;
            return None;
        }
        self.nesting += 1;
        let seen = look(self);
        self.nesting -= 1;
        Some(seen)
    }

    /// Whether one more call can be followed.
    pub(crate) fn may_call(&self) -> bool {
        self.stack.len() < CALLS && self.fuel > 0
    }

    /// Notes what the present function does.
    pub(crate) fn note(&mut self, doing: Doing) {
        let doings = &mut self.frame().summary.doings;
        if doings.len() < super::summary::EFFECTS && !doings.contains(&doing) {
            doings.push(doing);
        }
    }

    /// Adds a step to the ways of a value.
    pub(crate) fn step(&mut self, value: &Value, span: Span, what: &str) -> Value {
        if !value.is_tainted() {
            return value.clone();
        }
        let module = self.module();
        let steps = &mut self.steps;
        value.map_taints(|mut taint| {
            taint.step = steps.then(taint.step, module, span, what);
            Some(taint)
        })
    }
}
