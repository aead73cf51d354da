//! Which rules a policy has, and which places of the input each of them can look at.
//!
//! It follows references through variables, functions and other rules. What it cannot follow (a
//! value that comes out of a function or a set) it names by where it went in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::policy::EntryPoint;
use regorus::unstable::{Expr, Literal, Module, Query, Ref, Rule, RuleHead};

/// One rule that adds to an entry point.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    /// What it adds to.
    pub(crate) entry: EntryPoint,
    /// The name that its messages have, when it is written there.
    pub(crate) rule: Option<String>,
    /// The file.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: u32,
    /// Places of the input.
    pub(crate) looks_at: BTreeSet<String>,
}

/// Where a rule of a module lies: its package and its name.
type RuleKey = (String, String);

/// A rule with the module around it.
#[derive(Clone, Copy)]
struct Placed<'a> {
    module: &'a Module,
    rule: &'a Rule,
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    /// A place of the input; the input itself is empty.
    Input(String),
    /// A path below `data`.
    Data(Vec<String>),
}

/// What the variables of a rule stand for.
type Names = HashMap<String, Place>;

/// All rules that add to an entry point, in the order of their files.
pub(crate) fn definitions(modules: &[Ref<Module>]) -> Vec<Definition> {
    let rules = by_name(modules);
    let placed = modules.iter().flat_map(|module| {
        let rules = module.policy.iter();
        rules.map(move |rule| Placed { module, rule })
    });
    placed
        .filter_map(|placed| definition(placed, &rules))
        .collect()
}

/// The entry points there are, with the packages that have them.
pub(crate) fn entry_points(modules: &[Ref<Module>]) -> BTreeSet<(EntryPoint, String)> {
    let of = |module: &Ref<Module>| -> Vec<(EntryPoint, String)> {
        let entries = module.policy.iter().filter_map(|rule| entry_of(rule));
        entries.map(|entry| (entry, package(module))).collect()
    };
    modules.iter().flat_map(of).collect()
}

/// The first rule that has an entry point's name and does not add to a set.
pub(crate) fn odd_entry_point(modules: &[Ref<Module>]) -> Option<(EntryPoint, String, u32)> {
    let mut rules = modules.iter().flat_map(|module| module.policy.iter());
    rules.find_map(|rule| {
        let entry = entry_of(rule)?;
        let span = rule.span();
        let is_set = matches!(
            &**rule,
            Rule::Spec {
                head: RuleHead::Set { .. },
                ..
            }
        );
        (!is_set).then(|| (entry, span.source.get_path().clone(), span.line))
    })
}

/// A rule that needs itself, directly or by others, with its file and line.
///
/// The bytecode of such rules would call itself until the stack ends.
pub(crate) fn recursive(modules: &[Ref<Module>]) -> Option<(String, String, u32)> {
    let rules = by_name(modules);
    let needs = |key: &RuleKey| -> BTreeSet<RuleKey> {
        let placed = rules.get(key).into_iter().flatten();
        placed.flat_map(|placed| needs(*placed, &rules)).collect()
    };
    let graph: BTreeMap<RuleKey, BTreeSet<RuleKey>> =
        rules.keys().map(|key| (key.clone(), needs(key))).collect();
    let key = graph.keys().find(|key| reaches_itself(key, &graph))?;
    let span = rules.get(key)?.first()?.rule.span();
    Some((key.1.clone(), span.source.get_path().clone(), span.line))
}

fn reaches_itself(key: &RuleKey, graph: &BTreeMap<RuleKey, BTreeSet<RuleKey>>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&RuleKey> = graph[key].iter().collect();
    while let Some(next) = open.pop() {
        if next == key {
            return true;
        }
        if seen.insert(next) {
            open.extend(graph.get(next).into_iter().flatten());
        }
    }
    false
}

/// The rules that one rule names.
fn needs(placed: Placed<'_>, rules: &HashMap<RuleKey, Vec<Placed<'_>>>) -> BTreeSet<RuleKey> {
    let mut reader = Reader::new(rules, Depth::One);
    reader.rule(placed, &[]);
    reader.seen.into_iter().map(|(key, _)| key).collect()
}

/// A reference below `data` to what there is not, with the file and line of its rule. There is no
/// other data than the policy's own rules, so it would never have a value.
pub(crate) fn dangling(modules: &[Ref<Module>]) -> Option<(String, String, u32)> {
    let rules = by_name(modules);
    let packages: Vec<String> = modules.iter().map(|module| package(module)).collect();
    let is_package = |path: &String| {
        let below = format!("{path}.");
        let mut packages = packages.iter();
        packages.any(|one| one == path || one.starts_with(&below))
    };
    rules.values().flatten().find_map(|placed| {
        let mut reader = Reader::new(&rules, Depth::One);
        reader.rule(*placed, &[]);
        let path = reader.dangling.into_iter().find(|path| !is_package(path))?;
        let span = placed.rule.span();
        Some((path, span.source.get_path().clone(), span.line))
    })
}

/// The names of the test rules of a module, with their lines.
pub(crate) fn tests(module: &Module) -> Vec<(String, u32)> {
    let named = module.policy.iter().filter_map(|rule| {
        let name = name_of(rule)?;
        let is_test = name.starts_with("test_") || name.starts_with("todo_test_");
        is_test.then(|| (name, rule.span().line))
    });
    let mut lines = BTreeMap::new();
    for (name, line) in named {
        lines.entry(name).or_insert(line);
    }
    lines.into_iter().collect()
}

/// A module's package without `data`: `mayfly`, `org.rules`.
pub(crate) fn package(module: &Module) -> String {
    segments(&module.package.refr).unwrap_or_default().join(".")
}

/// All names that are called in a module and are neither rules nor variables of it.
pub(crate) fn called(module: &Module) -> BTreeSet<String> {
    let mut calls = BTreeSet::new();
    visit(module, &mut |expr| {
        if let Expr::Call { fcn, .. } = expr
            && let Some(segments) = segments(fcn)
        {
            calls.insert(segments.join("."));
        }
    });
    calls
}

/// The names of all rules of a module.
pub(crate) fn rule_names(module: &Module) -> BTreeSet<String> {
    module
        .policy
        .iter()
        .filter_map(|rule| name_of(rule))
        .collect()
}

/// The names that a module's imports bring, with what they stand for: `data.mayfly`.
pub(crate) fn imports_of(module: &Module) -> BTreeMap<String, String> {
    let names = module.imports.iter().filter_map(|import| {
        let path = segments(&import.refr)?;
        let alias = import.r#as.as_ref().map(|span| span.text().to_owned());
        let name = alias.or_else(|| path.last().cloned())?;
        Some((name, path.join(".")))
    });
    names.collect()
}

/// Visits every expression of a module's rules.
pub(crate) fn visit(module: &Module, visit: &mut dyn FnMut(&Expr)) {
    module
        .policy
        .iter()
        .for_each(|rule| visit_rule(rule, visit));
}

fn by_name(modules: &[Ref<Module>]) -> HashMap<RuleKey, Vec<Placed<'_>>> {
    let mut rules: HashMap<RuleKey, Vec<Placed<'_>>> = HashMap::new();
    for module in modules {
        for rule in &module.policy {
            if let Some(name) = name_of(rule) {
                let placed = Placed { module, rule };
                rules
                    .entry((package(module), name))
                    .or_default()
                    .push(placed);
            }
        }
    }
    rules
}

fn definition(placed: Placed<'_>, rules: &HashMap<RuleKey, Vec<Placed<'_>>>) -> Option<Definition> {
    let entry = entry_of(placed.rule)?;
    let mut reader = Reader::new(rules, Depth::All);
    reader.rule(placed, &[]);
    let span = placed.rule.span();
    Some(Definition {
        entry,
        rule: message_rule(placed.rule),
        file: span.source.get_path().clone(),
        line: span.line,
        looks_at: reader.found,
    })
}

/// The name that a rule's messages have: `deny contains {"rule": "size", …}`, or a variable that
/// such an object is assigned to.
fn message_rule(rule: &Rule) -> Option<String> {
    let Rule::Spec {
        head: RuleHead::Set { key: Some(key), .. },
        bodies,
        ..
    } = rule
    else {
        return None;
    };
    if let Some(name) = rule_field(key) {
        return Some(name);
    }
    let variable = variable(key)?;
    let statements = bodies.iter().flat_map(|body| &body.query.stmts);
    let mut assigned = statements.filter_map(|statement| match &statement.literal {
        Literal::Expr { expr, .. } => match &**expr {
            Expr::AssignExpr { lhs, rhs, .. } if self::variable(lhs) == Some(variable) => Some(rhs),
            _ => None,
        },
        _ => None,
    });
    assigned.find_map(|value| rule_field(value))
}

fn rule_field(expr: &Expr) -> Option<String> {
    let Expr::Object { fields, .. } = expr else {
        return None;
    };
    let mut fields = fields.iter();
    let (_, _, value) = fields.find(|(_, key, _)| text(key) == Some("rule"))?;
    text(value).map(str::to_owned)
}

fn entry_of(rule: &Rule) -> Option<EntryPoint> {
    let name = name_of(rule)?;
    EntryPoint::ALL
        .into_iter()
        .find(|entry| entry.as_str() == name)
}

fn name_of(rule: &Rule) -> Option<String> {
    let refr = match rule {
        Rule::Spec { head, .. } => match head {
            RuleHead::Compr { refr, .. }
            | RuleHead::Set { refr, .. }
            | RuleHead::Func { refr, .. } => refr,
        },
        Rule::Default { refr, .. } => refr,
    };
    segments(refr)?.into_iter().next()
}

/// The parts of a reference that is written out: `data.org.rules`, `data["org"].rules`.
fn segments(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Var { .. } => Some(vec![variable(expr)?.to_owned()]),
        Expr::RefDot { refr, field, .. } => {
            let mut parts = segments(refr)?;
            parts.push(field.1.as_string().ok()?.to_string());
            Some(parts)
        }
        Expr::RefBrack { refr, index, .. } => {
            let mut parts = segments(refr)?;
            parts.push(text(index)?.to_owned());
            Some(parts)
        }
        _ => None,
    }
}

fn variable(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Var { value, .. } => value.as_string().ok().map(AsRef::as_ref),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(AsRef::as_ref)
        }
        _ => None,
    }
}

/// How far references are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// To the rules that are named.
    One,
    /// To the rules that those name, and so on.
    All,
}

/// Follows one rule.
struct Reader<'a> {
    rules: &'a HashMap<RuleKey, Vec<Placed<'a>>>,
    depth: Depth,
    seen: HashSet<(RuleKey, Vec<Option<Place>>)>,
    found: BTreeSet<String>,
    /// References below `data` that lead to no rule.
    dangling: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(rules: &'a HashMap<RuleKey, Vec<Placed<'a>>>, depth: Depth) -> Self {
        Self {
            rules,
            depth,
            seen: HashSet::new(),
            found: BTreeSet::new(),
            dangling: BTreeSet::new(),
        }
    }

    fn rule(&mut self, placed: Placed<'a>, arguments: &[Option<Place>]) {
        let mut names = imports(placed.module);
        let package = package(placed.module);
        if let Rule::Spec {
            head: RuleHead::Func { args, .. },
            ..
        } = placed.rule
        {
            for (parameter, argument) in args.iter().zip(arguments) {
                if let (Some(name), Some(place)) = (variable(parameter), argument) {
                    names.insert(name.to_owned(), place.clone());
                }
            }
        }
        // Statements stand in any order: the second pass knows all variables.
        for _ in 0..2 {
            let mut within = Within {
                package: &package,
                names: &mut names,
                reader: self,
            };
            within.rule(placed.rule);
        }
    }

    /// Follows all rules of that name, once for each set of arguments.
    fn follow(&mut self, key: RuleKey, arguments: Vec<Option<Place>>) -> bool {
        let Some(rules) = self.rules.get(&key) else {
            return false;
        };
        if self.seen.insert((key, arguments.clone())) && self.depth == Depth::All {
            for placed in rules {
                self.rule(*placed, &arguments);
            }
        }
        true
    }
}

/// What a module's imports stand for.
fn imports(module: &Module) -> Names {
    let mut names = Names::from([
        ("input".to_owned(), Place::Input(String::new())),
        ("data".to_owned(), Place::Data(Vec::new())),
    ]);
    for import in &module.imports {
        let Some(parts) = segments(&import.refr) else {
            continue;
        };
        let alias = import.r#as.as_ref().map(|span| span.text().to_owned());
        let Some(name) = alias.or_else(|| parts.last().cloned()) else {
            continue;
        };
        match parts[0].as_str() {
            "input" => names.insert(name, Place::Input(parts[1..].join("."))),
            "data" => names.insert(name, Place::Data(parts[1..].to_vec())),
            _ => None,
        };
    }
    names
}

/// The inside of one rule.
struct Within<'r, 'a> {
    package: &'r str,
    names: &'r mut Names,
    reader: &'r mut Reader<'a>,
}

impl Within<'_, '_> {
    fn rule(&mut self, rule: &Rule) {
        let Rule::Spec { head, bodies, .. } = rule else {
            return;
        };
        for body in bodies {
            self.query(&body.query);
            if let Some(assign) = &body.assign {
                self.expr(&assign.value);
            }
        }
        match head {
            RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
                if let Some(assign) = assign {
                    self.expr(&assign.value);
                }
            }
            RuleHead::Set { key, .. } => {
                if let Some(key) = key {
                    self.expr(key);
                }
            }
        }
    }

    fn query(&mut self, query: &Query) {
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { .. } => {}
                Literal::SomeIn {
                    value, collection, ..
                } => {
                    self.bind(value, collection, "[]");
                    self.expr(collection);
                }
                Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
                Literal::Every {
                    value,
                    domain,
                    query,
                    ..
                } => {
                    if let Some(Place::Input(path)) = self.place(domain) {
                        let element = Place::Input(path + "[]");
                        self.names.insert(value.text().to_owned(), element);
                    }
                    self.expr(domain);
                    self.query(query);
                }
            }
        }
    }

    /// Notes that a variable stands for a place of the input.
    fn bind(&mut self, variable: &Expr, value: &Expr, step: &str) {
        if let (Some(name), Some(Place::Input(path))) =
            (self::variable(variable), self.place(value))
        {
            self.names
                .insert(name.to_owned(), Place::Input(path + step));
        }
    }

    /// The place that an expression stands for, when it is one.
    fn place(&self, expr: &Expr) -> Option<Place> {
        match expr {
            Expr::Var { .. } => self.names.get(variable(expr)?).cloned(),
            Expr::RefDot { refr, field, .. } => self
                .place(refr)?
                .step(field.1.as_string().ok().map(AsRef::as_ref)),
            Expr::RefBrack { refr, index, .. } => self.place(refr)?.step(text(index)),
            _ => None,
        }
    }

    fn expr(&mut self, expr: &Expr) {
        if let Expr::RefBrack { index, .. } = expr {
            self.expr(index);
        }
        match self.place(expr) {
            Some(Place::Input(path)) => return self.note(path),
            Some(Place::Data(parts)) => return self.data(&parts),
            None => {}
        }
        match expr {
            Expr::Var { .. } => {
                if let Some(name) = variable(expr) {
                    let key = (self.package.to_owned(), name.to_owned());
                    self.reader.follow(key, Vec::new());
                }
            }
            Expr::Call { fcn, params, .. } => self.call(fcn, params),
            Expr::AssignExpr { lhs, rhs, .. } => {
                self.bind(lhs, rhs, "");
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.query(query);
                self.expr(term);
            }
            Expr::ObjectCompr {
                key, value, query, ..
            } => {
                self.query(query);
                self.expr(key);
                self.expr(value);
            }
            other => children(other, &mut |child| self.expr(child)),
        }
    }

    fn note(&mut self, path: String) {
        if !path.is_empty() {
            self.reader.found.insert(path);
        }
    }

    /// A reference to another package's rule.
    fn data(&mut self, parts: &[String]) {
        for end in (1..=parts.len()).rev() {
            let key = (parts[..end - 1].join("."), parts[end - 1].clone());
            if self.reader.follow(key, Vec::new()) {
                return;
            }
        }
        self.reader.dangling.insert(parts.join("."));
    }

    fn call(&mut self, function: &Expr, params: &[Ref<Expr>]) {
        let arguments: Vec<_> = params.iter().map(|param| self.place(param)).collect();
        let key = match self.place(function) {
            Some(Place::Data(mut parts)) => {
                let name = parts.pop().unwrap_or_default();
                Some((parts.join("."), name))
            }
            _ => variable(function).map(|name| (self.package.to_owned(), name.to_owned())),
        };
        if key.is_some_and(|key| self.reader.follow(key, arguments.clone())) {
            let unplaced = params.iter().zip(&arguments);
            for (param, _) in unplaced.filter(|(_, place)| place.is_none()) {
                self.expr(param);
            }
            return;
        }
        if let Some(Place::Data(parts)) = self.place(function) {
            self.reader.dangling.insert(parts.join("."));
        }
        if let Some(path) = self.gotten(function, params) {
            return self.note(path);
        }
        for param in params {
            self.expr(param);
        }
    }

    /// `object.get(x, "a", …)` and `object.get(x, ["a", "b"], …)` look at a place in `x`.
    fn gotten(&self, function: &Expr, params: &[Ref<Expr>]) -> Option<String> {
        let [object, key, _] = params else {
            return None;
        };
        let is_get = segments(function)?.join(".") == "object.get";
        let mut place = self.place(object).filter(|_| is_get)?;
        match &**key {
            Expr::Array { items, .. } => {
                for item in items {
                    place = place.step(text(item))?;
                }
            }
            other => place = place.step(text(other))?,
        }
        match place {
            Place::Input(path) => Some(path),
            Place::Data(_) => None,
        }
    }
}

impl Place {
    /// One step down: by name, or to any element.
    fn step(self, name: Option<&str>) -> Option<Self> {
        match (self, name) {
            (Self::Input(path), Some(name)) if path.is_empty() => {
                Some(Self::Input(name.to_owned()))
            }
            (Self::Input(path), Some(name)) => Some(Self::Input(format!("{path}.{name}"))),
            (Self::Input(path), None) => Some(Self::Input(path + "[]")),
            (Self::Data(mut parts), Some(name)) => {
                parts.push(name.to_owned());
                Some(Self::Data(parts))
            }
            (Self::Data(parts), None) => Some(Self::Data(parts)),
        }
    }
}

fn children(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().for_each(|item| visit(item));
        }
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
            visit(key);
            visit(value);
        }),
        Expr::UnaryExpr { expr, .. } => visit(expr),
        Expr::RefDot { refr, .. } => visit(refr),
        Expr::RefBrack { refr, index, .. } => {
            visit(refr);
            visit(index);
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => {
            visit(lhs);
            visit(rhs);
        }
        Expr::Membership {
            key,
            value,
            collection,
            ..
        } => {
            key.iter().for_each(|key| visit(key));
            visit(value);
            visit(collection);
        }
        Expr::Call { fcn, params, .. } => {
            visit(fcn);
            params.iter().for_each(|param| visit(param));
        }
        _ => {}
    }
}

/// Visits every expression of a rule.
fn visit_rule(rule: &Rule, visit: &mut dyn FnMut(&Expr)) {
    match rule {
        Rule::Spec { head, bodies, .. } => {
            match head {
                RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
                    if let Some(assign) = assign {
                        visit_expr(&assign.value, visit);
                    }
                }
                RuleHead::Set { key, .. } => {
                    if let Some(key) = key {
                        visit_expr(key, visit);
                    }
                }
            }
            for body in bodies {
                visit_query(&body.query, visit);
                if let Some(assign) = &body.assign {
                    visit_expr(&assign.value, visit);
                }
            }
        }
        Rule::Default { value, .. } => visit_expr(value, visit),
    }
}

fn visit_query(query: &Query, visit: &mut dyn FnMut(&Expr)) {
    for statement in &query.stmts {
        match &statement.literal {
            Literal::SomeVars { .. } => {}
            Literal::SomeIn { collection, .. } => visit_expr(collection, visit),
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => visit_expr(expr, visit),
            Literal::Every { domain, query, .. } => {
                visit_expr(domain, visit);
                visit_query(query, visit);
            }
        }
        for with in &statement.with_mods {
            visit_expr(&with.r#as, visit);
        }
    }
}

fn visit_expr(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match expr {
        Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
            visit_expr(term, visit);
            visit_query(query, visit);
        }
        Expr::ObjectCompr {
            key, value, query, ..
        } => {
            visit_expr(key, visit);
            visit_expr(value, visit);
            visit_query(query, visit);
        }
        other => children(other, &mut |child| visit_expr(child, visit)),
    }
}
