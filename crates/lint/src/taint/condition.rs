//! What a condition says of the values in it.

use super::engine::Engine;
use super::function::Given;
use super::harm::{Harm, Harms};
use super::intern::{Origin, OriginId, Part};
use super::statement::common;
use super::value::{Shape, Value};
use crate::ir::{Argument, Comparison, Expr, ExprId};
use crate::tables::is_checker;

/// What is known when a condition holds, and when it does not.
#[derive(Debug, Default, Clone)]
pub(crate) struct Facts {
    pub(crate) yes: Vec<(OriginId, Harms)>,
    pub(crate) no: Vec<(OriginId, Harms)>,
}

impl Facts {
    fn yes(facts: Vec<(OriginId, Harms)>) -> Self {
        Self {
            yes: facts,
            no: vec![],
        }
    }

    fn no(facts: Vec<(OriginId, Harms)>) -> Self {
        Self {
            yes: vec![],
            no: facts,
        }
    }

    fn swapped(self) -> Self {
        Self {
            yes: self.no,
            no: self.yes,
        }
    }
}

const ADDRESS: Harms = Harm::Ssrf.only().and(Harm::Redirect.only());
const TYPED: Harms = Harm::NoSql
    .only()
    .and(Harm::Prototype.only())
    .and(Harm::Mass.only());

impl Engine {
    /// What a condition says.
    pub(crate) fn condition(&mut self, id: ExprId) -> Facts {
        if !self.burn() {
            return Facts::default();
        }
        self.inside(|engine| engine.facts(id)).unwrap_or_default()
    }

    fn facts(&mut self, id: ExprId) -> Facts {
        let unit = self.unit();
        match &unit.module.exprs[id as usize].kind {
            Expr::Not(inner) => self.condition(*inner).swapped(),
            Expr::Sequence(parts) | Expr::Opaque(parts) if parts.len() == 1 => {
                self.condition(parts[0])
            }
            Expr::Assign(_, value) => self.condition(*value),
            Expr::Both(left, right) => {
                let left = self.condition(*left);
                let right = self.condition(*right);
                let yes = [left.yes, right.yes].concat();
                Facts {
                    yes,
                    no: common(&left.no, &right.no),
                }
            }
            Expr::Either(parts) => {
                let mut all: Option<Facts> = None;
                for part in parts {
                    let facts = self.condition(*part);
                    all = Some(match all {
                        None => facts,
                        Some(before) => Facts {
                            yes: common(&before.yes, &facts.yes),
                            no: [before.no, facts.no].concat(),
                        },
                    });
                }
                all.unwrap_or_default()
            }
            Expr::Compare(how, left, right) => self.comparison(*how, *left, *right),
            Expr::Call { callee, args, .. } => self.asked(*callee, args),
            Expr::Name(name) => {
                let sym = self.sym(*name);
                // Taken out meanwhile: `found = found or other` asks for itself.
                let Some(answer) = self.frame().flow.answers.remove(&sym) else {
                    return Facts::default();
                };
                let facts = match self.is_question(answer) {
                    true => self.condition(answer),
                    false => Facts::default(),
                };
                self.frame().flow.answers.insert(sym, answer);
                facts
            }
            Expr::Field(object, name) => {
                let name = self.text(*name);
                // An address without a host leads to the app itself.
                if matches!(name.as_str(), "netloc" | "hostname" | "host") {
                    return Facts::no(self.about(id, Harm::Redirect.only()));
                }
                let ranges = [
                    "is_private",
                    "is_loopback",
                    "is_reserved",
                    "is_link_local",
                    "is_global",
                ];
                if !ranges.contains(&name.as_str()) {
                    return Facts::default();
                }
                let facts = self.about(*object, ADDRESS);
                Facts {
                    yes: facts.clone(),
                    no: facts,
                }
            }
            _ => Facts::default(),
        }
    }

    fn is_question(&self, id: ExprId) -> bool {
        let unit = self.unit();
        match &unit.module.exprs[id as usize].kind {
            Expr::Sequence(parts) if parts.len() == 1 => self.is_question(parts[0]),
            kind => matches!(
                kind,
                Expr::Compare(..)
                    | Expr::Call { .. }
                    | Expr::Not(_)
                    | Expr::Both(..)
                    | Expr::Either(_)
            ),
        }
    }

    /// Facts of all that an expression depends on.
    fn about(&mut self, id: ExprId, harms: Harms) -> Vec<(OriginId, Harms)> {
        let value = self.eval(id);
        self.about_value(&value, harms)
    }

    fn about_value(&mut self, value: &Value, harms: Harms) -> Vec<(OriginId, Harms)> {
        let mut facts = Vec::new();
        for taint in value.flat().taints() {
            facts.push((taint.origin, harms));
            // Who checks the host has checked the address.
            let mut at = taint.origin;
            while let Origin::Part { of, part } = self.origins.get(at) {
                if *part == Part::Host {
                    facts.push((*of, ADDRESS & harms));
                }
                at = *of;
            }
        }
        facts
    }

    /// Facts of the addresses whose host an expression is.
    fn about_host(&mut self, id: ExprId) -> Vec<(OriginId, Harms)> {
        let value = self.eval(id);
        let mut facts = self.about_value(&value, ADDRESS);
        let origins = &self.origins;
        facts.retain(|(origin, _)| {
            let is_host = |id: OriginId| {
                matches!(
                    origins.get(id),
                    Origin::Part {
                        part: Part::Host,
                        ..
                    }
                )
            };
            is_host(*origin) || value.taints().iter().any(|taint| is_host(taint.origin))
        });
        facts
    }

    fn comparison(&mut self, how: Comparison, left: ExprId, right: ExprId) -> Facts {
        match how {
            Comparison::Order => Facts::default(),
            Comparison::Equal => self.equal(left, right),
            Comparison::Unequal => self.equal(left, right).swapped(),
            Comparison::In => self.within(left, right),
            Comparison::NotIn => self.within(left, right).swapped(),
        }
    }

    fn equal(&mut self, left: ExprId, right: ExprId) -> Facts {
        let unit = self.unit();
        let kind = |id: ExprId| &unit.module.exprs[id as usize].kind;
        for (one, other) in [(left, right), (right, left)] {
            if let Expr::Nothing = kind(other) {
                return Facts::default();
            }
            // `check(x) is True`, `list.indexOf(x) !== -1`
            if let Expr::Truth(truth) = kind(other) {
                let facts = self.condition(one);
                return if *truth { facts } else { facts.swapped() };
            }
            let known = self.position(one, other).or_else(|| self.type_of(one));
            if let Some(facts) = known.or_else(|| self.common_path(one)) {
                return facts;
            }
        }
        let (one, other) = (self.eval(left), self.eval(right));
        for (value, with) in [(&one, &other), (&other, &one)] {
            if let Shape::Const(text) = &with.shape
                && matches!(&**text, "__proto__" | "constructor" | "prototype")
            {
                return Facts::no(self.about_value(value, Harm::Prototype.only()));
            }
        }
        match (one.is_tainted(), other.is_tainted()) {
            (true, false) => Facts::yes(self.about_value(&one, Harms::ALL)),
            (false, true) => Facts::yes(self.about_value(&other, Harms::ALL)),
            _ => Facts::default(),
        }
    }

    /// `typeof x === "string"`
    fn type_of(&mut self, one: ExprId) -> Option<Facts> {
        let unit = self.unit();
        let Expr::Call { callee, args, .. } = &unit.module.exprs[one as usize].kind else {
            return None;
        };
        let is_typeof = self.called_name(*callee) == "typeof";
        let argument = args.first().filter(|_| is_typeof)?;
        Some(Facts::yes(self.about(argument.value, TYPED)))
    }

    /// `os.path.commonpath([root, path]) == root`
    fn common_path(&mut self, one: ExprId) -> Option<Facts> {
        let unit = self.unit();
        let Expr::Call { callee, args, .. } = &unit.module.exprs[one as usize].kind else {
            return None;
        };
        let is_common = self.called_name(*callee) == "commonpath";
        let argument = args.first().filter(|_| is_common)?;
        Some(Facts::yes(self.about(argument.value, Harm::Path.only())))
    }

    /// `list.indexOf(x) === -1`
    fn position(&mut self, one: ExprId, other: ExprId) -> Option<Facts> {
        let unit = self.unit();
        let Expr::Call { callee, args, .. } = &unit.module.exprs[one as usize].kind else {
            return None;
        };
        let Expr::Field(object, name) = &unit.module.exprs[*callee as usize].kind else {
            return None;
        };
        let is_position = matches!(self.text(*name).as_str(), "indexOf" | "find");
        let is_number = matches!(
            unit.module.exprs[other as usize].kind,
            Expr::Number | Expr::Arithmetic(_)
        );
        if !is_position || !is_number {
            return None;
        }
        let asked = self.within(args.first()?.value, *object);
        Some(asked.swapped())
    }

    fn within(&mut self, left: ExprId, right: ExprId) -> Facts {
        let (one, other) = (self.eval(left), self.eval(right));
        if let Shape::Const(text) = &one.shape
            && other.is_tainted()
        {
            let harms = forbidden(text);
            return Facts::no(self.about_value(&other, harms));
        }
        if one.is_tainted() && self.lists_prototype(right) {
            return Facts::no(self.about_value(&one, Harm::Prototype.only()));
        }
        if one.is_tainted() && !other.flat().is_tainted() {
            return Facts::yes(self.about_value(&one, Harms::ALL));
        }
        // `base in path.resolve().parents`
        let unit = self.unit();
        match &unit.module.exprs[right as usize].kind {
            Expr::Field(path, name) if self.text(*name) == "parents" => {
                Facts::yes(self.about(*path, Harm::Path.only()))
            }
            _ => Facts::default(),
        }
    }

    /// Whether a list is one of names that lead to a prototype.
    fn lists_prototype(&mut self, list: ExprId) -> bool {
        let unit = self.unit();
        let written = match &unit.module.exprs[list as usize].kind {
            Expr::Name(name) => self.bound(*name).unwrap_or(list),
            _ => list,
        };
        let elements = match &unit.module.exprs[written as usize].kind {
            Expr::Call { args, .. } => args.first().map(|argument| argument.value),
            _ => Some(written),
        };
        let Some(Expr::List(elements)) = elements.map(|id| &unit.module.exprs[id as usize].kind)
        else {
            return false;
        };
        elements.iter().any(|id| {
            matches!(&unit.module.exprs[*id as usize].kind, Expr::Text(text) if self.text(*text) == "__proto__")
        })
    }

    fn asked(&mut self, callee: ExprId, args: &[Argument]) -> Facts {
        let unit = self.unit();
        if let Expr::Field(object, name) = &unit.module.exprs[callee as usize].kind {
            let name = self.text(*name);
            if let Some(facts) = self.asked_method(*object, &name, args) {
                return facts;
            }
        }
        self.asked_function(callee, args)
    }

    fn asked_method(&mut self, object: ExprId, name: &str, args: &[Argument]) -> Option<Facts> {
        let first = args.first().map(|argument| argument.value);
        match name {
            "includes" | "has" | "contains" | "hasOwnProperty" => Some(self.within(first?, object)),
            "startswith" | "startsWith" => Some(self.begins(object, first?)),
            "endswith" | "endsWith" => Some(Facts::yes(self.about_host(object))),
            "isdigit" | "isdecimal" | "isnumeric" | "isalnum" | "isalpha" | "isidentifier" => {
                Some(Facts::yes(self.about(object, Harms::ALL)))
            }
            "is_relative_to" => Some(Facts::yes(self.about(object, Harm::Path.only()))),
            "test" | "match" | "fullmatch" | "search" | "exec" => {
                self.matched(object, name, first?)
            }
            _ => None,
        }
        .filter(|facts| !(facts.yes.is_empty() && facts.no.is_empty()))
    }

    fn begins(&mut self, object: ExprId, with: ExprId) -> Facts {
        let value = self.eval(object);
        let with = self.eval(with);
        let text = match &with.shape {
            Shape::Const(text) => text.to_string(),
            _ if value.shape == Shape::Resolved && !with.is_tainted() => {
                return Facts::yes(self.about_value(&value, Harm::Path.only()));
            }
            _ => return Facts::default(),
        };
        let fixed = text
            .split_once("://")
            .is_some_and(|(_, rest)| rest.contains('/'));
        match text.as_str() {
            "//" | "/\\" => Facts::no(self.about_value(&value, Harm::Redirect.only())),
            ".." | "../" => Facts::no(self.about_value(&value, Harm::Path.only())),
            _ if fixed => Facts::yes(self.about_value(&value, ADDRESS)),
            _ if value.shape == Shape::Resolved => {
                Facts::yes(self.about_value(&value, Harm::Path.only()))
            }
            _ => Facts::default(),
        }
    }

    /// A regular expression against a value: `re.test(x)`, `x.match(re)`, `re.fullmatch(p, x)`.
    fn matched(&mut self, object: ExprId, name: &str, first: ExprId) -> Option<Facts> {
        let holder = self.eval(object);
        let given = self.eval(first);
        let (pattern, value) = match (&holder.shape, &given.shape) {
            (Shape::Regex(pattern), _) => (pattern.to_string(), given.clone()),
            (_, Shape::Regex(pattern)) => (pattern.to_string(), holder.clone()),
            _ => return None,
        };
        let is_whole = name == "fullmatch" || is_anchored(&pattern, name == "match");
        let is_narrow = !pattern.contains(".*") && !pattern.contains(".+");
        (is_whole && is_narrow).then(|| Facts::yes(self.about_value(&value, Harms::ALL)))
    }

    fn asked_function(&mut self, callee: ExprId, args: &[Argument]) -> Facts {
        let called = self.eval(callee);
        let first = args.first().map(|argument| argument.value);
        let path = match &called.shape {
            Shape::Path(path) => self.paths.text(*path).to_string(),
            Shape::Func(key) | Shape::Bound(key, _) => {
                let key = *key;
                let values = args
                    .iter()
                    .map(|argument| self.eval(argument.value))
                    .collect();
                let span = self.span_of(callee);
                let given = Given {
                    values,
                    named: vec![],
                    spread: None,
                    written: args,
                    span,
                };
                return Facts::yes(self.checks_if_true(key, &given));
            }
            _ => self.called_name(callee),
        };
        let last = path.rsplit('.').next().unwrap_or_default();
        match path.as_str() {
            "isinstance" => {
                let kind = args.get(1).map(|argument| self.eval(argument.value));
                let is_number = kind.is_some_and(|kind| self.is_number_path(&kind));
                let harms = if is_number { Harms::ALL } else { TYPED };
                return first
                    .map(|id| Facts::yes(self.about(id, harms)))
                    .unwrap_or_default();
            }
            "isNaN" => {
                return first
                    .map(|id| Facts::no(self.about(id, Harms::ALL)))
                    .unwrap_or_default();
            }
            "isFinite" | "Number.isInteger" | "Number.isFinite" | "Number.isSafeInteger" => {
                return first
                    .map(|id| Facts::yes(self.about(id, Harms::ALL)))
                    .unwrap_or_default();
            }
            "re.match" | "re.fullmatch" | "re.search" => return self.python_match(last, args),
            _ => {}
        }
        let narrow = [
            "isAlphanumeric",
            "isUUID",
            "isInt",
            "isNumeric",
            "isMongoId",
            "isSlug",
            "validate",
        ];
        let is_narrow = narrow.contains(&last) || path.ends_with("ObjectId.isValid");
        let is_host_check = last == "url_has_allowed_host_and_scheme" || last == "is_safe_url";
        if is_narrow || is_host_check || is_checker(last) {
            return first
                .map(|id| Facts::yes(self.about(id, Harms::ALL)))
                .unwrap_or_default();
        }
        Facts::default()
    }

    fn python_match(&mut self, name: &str, args: &[Argument]) -> Facts {
        let (Some(pattern), Some(value)) = (args.first(), args.get(1)) else {
            return Facts::default();
        };
        let pattern = self.eval(pattern.value);
        let value = self.eval(value.value);
        let text = match &pattern.shape {
            Shape::Const(text) | Shape::Regex(text) => text.to_string(),
            _ => return Facts::default(),
        };
        let is_whole = name == "fullmatch" || is_anchored(&text, name == "match");
        match is_whole && !text.contains(".*") && !text.contains(".+") {
            true => Facts::yes(self.about_value(&value, Harms::ALL)),
            false => Facts::default(),
        }
    }

    /// The last name of what is called.
    pub(crate) fn called_name(&self, callee: ExprId) -> String {
        let unit = self.unit();
        match &unit.module.exprs[callee as usize].kind {
            Expr::Field(object, name) if self.text(*name) == "default" => self.called_name(*object),
            Expr::Name(name) | Expr::Field(_, name) => self.text(*name),
            // `(0, module.name)(…)`, as compilers write it.
            Expr::Sequence(parts) => parts
                .last()
                .map(|last| self.called_name(*last))
                .unwrap_or_default(),
            _ => String::new(),
        }
    }

    fn is_number_path(&self, value: &Value) -> bool {
        match &value.shape {
            Shape::Path(path) => matches!(&**self.paths.text(*path), "int" | "float" | "bool"),
            _ => false,
        }
    }

    /// A statement that fails unless its argument is as it should be.
    pub(crate) fn check_by_statement(&mut self, id: ExprId) {
        let unit = self.unit();
        let Expr::Call { callee, args, .. } = &unit.module.exprs[id as usize].kind else {
            return;
        };
        if let Expr::Field(object, name) = &unit.module.exprs[*callee as usize].kind
            && self.text(*name) == "relative_to"
        {
            let facts = self.about(*object, Harm::Path.only());
            facts.into_iter().for_each(|fact| self.clear(fact));
        }
        let called = self.eval(*callee);
        let name = match &called.shape {
            Shape::Path(path) => self.paths.text(*path).to_string(),
            Shape::Unknown => self.called_name(*callee),
            _ => return,
        };
        let last = name.rsplit('.').next().unwrap_or_default();
        let converts = matches!(name.as_str(), "int" | "float" | "uuid.UUID");
        if (converts || is_checker(last))
            && let Some(first) = args.first()
        {
            let facts = self.about(first.value, Harms::ALL);
            facts.into_iter().for_each(|fact| self.clear(fact));
        }
    }
}

/// What a value without a text can no longer do.
fn forbidden(text: &str) -> Harms {
    match text {
        ".." | "/" | "\\" | "../" => Harm::Path.only(),
        "//" | "://" => Harm::Redirect.only(),
        "<" => Harm::Html.only().and(Harm::Dom.only()),
        "\n" | "\r" => Harm::Header.only().and(Harm::Log.only()),
        "__proto__" => Harm::Prototype.only(),
        _ => Harms::NONE,
    }
}

fn is_anchored(pattern: &str, starts_by_itself: bool) -> bool {
    let begins = starts_by_itself || pattern.starts_with('^') || pattern.starts_with("\\A");
    begins && (pattern.ends_with('$') || pattern.ends_with("\\Z") || pattern.ends_with("\\z"))
}
