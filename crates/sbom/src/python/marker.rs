//! Environment markers: when a requirement counts.
//!
//! What is not known of an image's interpreter makes a comparison hold: an edge too many points at
//! a package that is there anyway, one too few hides why it is.
//!
//! Source: Python packaging, "Dependency specifiers".

use std::cmp::Ordering;
use std::collections::BTreeSet;

use model::inventory::pep503;

/// What a marker may ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Environment {
    /// `3.13`; the third number is not known.
    python: Option<String>,
    machine: Option<String>,
}

impl Environment {
    /// The environment of the packages in `site`, by the name of the folder that holds it:
    /// `lib/python3.13/site-packages`.
    pub(super) fn of(site: &str, machine: Option<&str>) -> Self {
        let version = site.split('/').rev().find_map(|part| {
            let version = part.strip_prefix("python")?;
            let numbers = version
                .split('.')
                .all(|number| number.parse::<u16>().is_ok());
            (numbers && version.contains('.')).then(|| version.to_owned())
        });
        Self {
            python: version,
            machine: machine.map(str::to_owned),
        }
    }

    fn value(&self, variable: &str) -> Option<&str> {
        match variable {
            "python_version" => self.python.as_deref(),
            "sys_platform" => Some("linux"),
            "os_name" => Some("posix"),
            "platform_system" => Some("Linux"),
            "platform_python_implementation" => Some("CPython"),
            "implementation_name" => Some("cpython"),
            "platform_machine" => self.machine.as_deref(),
            _ => None,
        }
    }
}

/// A marker that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Marker {
    All(Vec<Marker>),
    Any(Vec<Marker>),
    Compare {
        left: Term,
        operator: String,
        right: Term,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Term {
    Text(String),
    Variable(String),
}

/// Parentheses within parentheses.
const DEEPEST: usize = 30;
/// The longest marker that is read.
const LONGEST: usize = 4_096;

impl Marker {
    /// Reads a marker; none for an empty one, and for what is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() || text.len() > LONGEST {
            return None;
        }
        let mut reader = Reader {
            tokens: tokens(text)?,
            depth: 0,
        };
        let marker = reader.any()?;
        reader.tokens.is_empty().then_some(marker)
    }

    /// Whether it holds when these extras are asked for.
    pub(super) fn holds(&self, environment: &Environment, extras: &BTreeSet<String>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(environment, extras)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(environment, extras)),
            Self::Compare {
                left,
                operator,
                right,
            } => compare(left, operator, right, environment, extras),
        }
    }
}

fn compare(
    left: &Term,
    operator: &str,
    right: &Term,
    environment: &Environment,
    extras: &BTreeSet<String>,
) -> bool {
    if let (Term::Variable(name), Term::Text(value)) | (Term::Text(value), Term::Variable(name)) =
        (left, right)
        && name == "extra"
    {
        let asked = extras.contains(&pep503(value));
        return if operator == "!=" { !asked } else { asked };
    }
    let value = |term: &Term| match term {
        Term::Text(text) => Some(text.clone()),
        Term::Variable(name) => environment.value(name).map(str::to_owned),
    };
    let Some((one, other)) = value(left).zip(value(right)) else {
        return full_version_may_hold(left, operator, right, environment);
    };
    let versions = [left, right]
        .iter()
        .any(|term| **term == Term::Variable("python_version".into()));
    let order = if versions {
        by_version(&one, &other)
    } else {
        None
    };
    let order = order.unwrap_or_else(|| one.cmp(&other));
    match operator {
        "==" | "===" if versions && other.ends_with(".*") => {
            format!("{one}.").starts_with(other.trim_end_matches('*'))
        }
        "==" | "===" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        ">=" => order.is_ge(),
        "~=" => order.is_ge() && major(&one) == major(&other),
        "in" => other.contains(&one),
        "not in" => !other.contains(&one),
        _ => true,
    }
}

/// Of `python_full_version` two numbers of three are known: that is often enough.
fn full_version_may_hold(
    left: &Term,
    operator: &str,
    right: &Term,
    environment: &Environment,
) -> bool {
    let (Term::Variable(name), Term::Text(wanted)) = (left, right) else {
        return true;
    };
    let full = name == "python_full_version" || name == "implementation_version";
    let Some(known) = environment.python.as_deref().filter(|_| full) else {
        return true;
    };
    let wanted: String = wanted.split('.').take(2).collect::<Vec<_>>().join(".");
    match (operator, by_version(known, &wanted)) {
        ("<" | "<=", Some(order)) => order.is_le(),
        (">" | ">=", Some(order)) => order.is_ge(),
        ("==" | "===" | "~=", Some(order)) => order.is_eq(),
        _ => true,
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

/// Compares numbers with dots; missing ones are 0.
fn by_version(one: &str, other: &str) -> Option<Ordering> {
    let numbers = |text: &str| {
        let parts = text.trim_end_matches(".*").split('.');
        parts
            .map(|part| part.trim().parse::<u32>().ok())
            .collect::<Option<Vec<_>>>()
    };
    let (mut one, mut other) = (numbers(one)?, numbers(other)?);
    let length = one.len().max(other.len());
    one.resize(length, 0);
    other.resize(length, 0);
    Some(one.cmp(&other))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    And,
    Or,
    Operator(String),
    Term(Term),
}

/// The tokens in reverse, to be taken from the end.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            '"' | '\'' => {
                let (text, after) = rest[1..].split_once(first)?;
                (Token::Term(Term::Text(text.to_owned())), after)
            }
            '<' | '>' | '=' | '!' | '~' => {
                let end = rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len());
                (Token::Operator(rest[..end].to_owned()), &rest[end..])
            }
            letter if letter.is_ascii_alphabetic() => {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                (self::word(word), after)
            }
            _ => return None,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    tokens.reverse();
    Some(tokens)
}

fn word(word: &str) -> Token {
    match word {
        "and" => Token::And,
        "or" => Token::Or,
        "in" | "not" => Token::Operator(word.to_owned()),
        // The names of old tools.
        "os.name" => Token::Term(Term::Variable("os_name".into())),
        "sys.platform" => Token::Term(Term::Variable("sys_platform".into())),
        "platform.machine" => Token::Term(Term::Variable("platform_machine".into())),
        other => Token::Term(Term::Variable(other.to_owned())),
    }
}

struct Reader {
    tokens: Vec<Token>,
    depth: usize,
}

impl Reader {
    fn any(&mut self) -> Option<Marker> {
        let mut parts = vec![self.all()?];
        while self.take(&Token::Or) {
            parts.push(self.all()?);
        }
        Some(Marker::Any(parts))
    }

    fn all(&mut self) -> Option<Marker> {
        let mut parts = vec![self.one()?];
        while self.take(&Token::And) {
            parts.push(self.one()?);
        }
        Some(Marker::All(parts))
    }

    fn one(&mut self) -> Option<Marker> {
        if self.take(&Token::Open) {
            self.depth += 1;
            if self.depth > DEEPEST {
                return None;
            }
            let inner = self.any()?;
            self.depth -= 1;
            return self.take(&Token::Close).then_some(inner);
        }
        let left = self.term()?;
        let operator = match self.tokens.pop()? {
            Token::Operator(not) if not == "not" => match self.tokens.pop()? {
                Token::Operator(inside) if inside == "in" => "not in".to_owned(),
                _ => return None,
            },
            Token::Operator(operator) => operator,
            _ => return None,
        };
        Some(Marker::Compare {
            left,
            operator,
            right: self.term()?,
        })
    }

    fn term(&mut self) -> Option<Term> {
        match self.tokens.pop()? {
            Token::Term(term) => Some(term),
            _ => None,
        }
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.tokens.last() == Some(token);
        if there {
            self.tokens.pop();
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_hold_as_pip_reads_them() {
        let here = Environment::of("opt/venv/lib/python3.13/site-packages", Some("x86_64"));
        let extras = BTreeSet::from(["async".to_owned()]);
        for (marker, holds) in [
            ("python_version < '3.9'", false),
            ("python_version >= \"3.9\"", true),
            ("python_version == '3.13'", true),
            ("python_version == '3.*'", true),
            ("python_version in '2.7 3.13'", true),
            ("python_full_version < '3.11.3'", false),
            ("python_full_version >= '3.13.1'", true),
            ("'3.9' <= python_version", true),
            ("sys_platform == 'win32'", false),
            ("sys_platform != \"win32\" and os_name == 'posix'", true),
            (
                "platform_machine == 'aarch64' or platform_machine == 'x86_64'",
                true,
            ),
            (
                "(os_name == 'nt' or sys_platform == 'linux') and python_version > '3'",
                true,
            ),
            ("platform_system not in 'Windows Darwin'", true),
            ("platform_python_implementation == 'PyPy'", false),
            ("extra == 'async'", true),
            ("extra == 'dotenv'", false),
            ("extra == \"ASYNC\" and python_version < '3'", false),
            ("platform_release >= '20'", true),
            ("implementation_name=='cpython'", true),
        ] {
            let read = Marker::parse(marker).expect(marker);
            assert_eq!(read.holds(&here, &extras), holds, "{marker}");
        }
    }

    #[test]
    fn what_is_no_marker_is_none() {
        let deep = "(".repeat(50_000);
        for bad in [
            "",
            "a",
            "a ==",
            "== a",
            "(a == 'b'",
            "a == 'b' c",
            "a == \"b",
            "€",
            &deep,
        ] {
            assert_eq!(Marker::parse(bad), None, "{}", &bad[..bad.len().min(20)]);
        }
    }

    #[test]
    fn the_versions_of_an_unknown_interpreter_may_be_any() {
        let unknown = Environment::of("usr/lib/python3/dist-packages", None);
        for marker in ["python_version < '3'", "python_version > '3'"] {
            let read = Marker::parse(marker).expect(marker);
            assert!(read.holds(&unknown, &BTreeSet::new()));
        }
    }
}
