//! The rules: what each is about, why it matters, how it is mended.

use std::collections::HashMap;
use std::sync::OnceLock;

use ast_grep_config::{SerializableRuleConfig, from_multiple};
use ast_grep_language::SupportLang;
use model::finding::{Confidence, FixSafety, Gate, Severity};
use serde::Deserialize;

/// Every file below `rules/`, by its path there.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.in"));

/// One rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    /// Its name, as findings and exemptions use it.
    pub id: String,
    /// What looks.
    #[serde(default = "code")]
    pub gate: Gate,
    /// Of the Common Weakness Enumeration.
    pub cwe: u32,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is, unless what is found says less.
    pub confidence: Confidence,
    /// Why it matters, for people who do not write code.
    pub why: String,
    /// How to mend it.
    pub mend: String,
}

fn code() -> Gate {
    Gate::Code
}

/// What an ast-grep rule says of itself beside its pattern.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct About {
    pub(crate) cwe: u32,
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    /// Texts of which a file must hold one, for the rule to be tried at all.
    pub(crate) needs: Vec<String>,
    /// Whether those texts may stand outside of what the rule matches.
    #[serde(default)]
    pub(crate) anywhere: bool,
    /// Whether its fix may be applied without looking.
    #[serde(default = "review")]
    pub(crate) safety: FixSafety,
}

fn review() -> FixSafety {
    FixSafety::Review
}

/// A rule by its pattern.
#[derive(Clone)]
pub(crate) struct PatternRule {
    pub(crate) config: SerializableRuleConfig<SupportLang>,
    pub(crate) about: About,
}

/// All rules.
pub struct Rules {
    by_id: HashMap<String, Rule>,
    pub(crate) patterns: Vec<PatternRule>,
}

impl Rules {
    /// The rules that are compiled in. The files are part of the program: what is wrong in them is
    /// found by the tests.
    pub fn get() -> &'static Self {
        static RULES: OnceLock<Rules> = OnceLock::new();
        RULES.get_or_init(Self::read)
    }

    /// A rule by its name.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.by_id.get(id)
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<&Rule> {
        let mut all: Vec<&Rule> = self.by_id.values().collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    fn read() -> Self {
        let mut rules = Self {
            by_id: HashMap::new(),
            patterns: vec![],
        };
        for (path, text) in FILES {
            match path.starts_with("patterns/") {
                true => rules.read_patterns(path, text),
                false => rules.read_plain(path, text),
            }
        }
        rules
    }

    fn read_plain(&mut self, path: &str, text: &str) {
        let read = from_multiple::<Rule>(text);
        for rule in read.unwrap_or_else(|error| panic!("rules/{path}: {error}")) {
            self.by_id.insert(rule.id.clone(), rule);
        }
    }

    fn read_patterns(&mut self, path: &str, text: &str) {
        let read = from_multiple::<SerializableRuleConfig<SupportLang>>(text);
        for config in read.unwrap_or_else(|error| panic!("rules/{path}: {error}")) {
            let about = serde_json::to_value(&config.metadata).ok();
            let about = about.and_then(|value| serde_json::from_value::<About>(value).ok());
            let about =
                about.unwrap_or_else(|| panic!("rules/{path}: `{}` says too little", config.id));
            let rule = Rule {
                id: config.id.clone(),
                gate: Gate::Code,
                cwe: about.cwe,
                severity: about.severity,
                confidence: about.confidence,
                why: config.message.clone(),
                mend: config.note.clone().unwrap_or_default().trim().to_owned(),
            };
            self.by_id.insert(rule.id.clone(), rule);
            self.patterns.push(PatternRule { config, about });
        }
    }
}
