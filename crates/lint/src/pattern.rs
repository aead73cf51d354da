//! Rules by the shape of the code, with ast-grep.
//!
//! Comments that silence a rule are not looked at: the app's source does not decide what is found.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use aho_corasick::AhoCorasick;
use ast_grep_config::{GlobalRules, RuleConfig};
use ast_grep_core::matcher::{Matcher, MatcherExt, NodeMatch};
use ast_grep_core::tree_sitter::{LanguageExt, StrDoc};
use ast_grep_language::SupportLang;
use bit_set::BitSet;

use crate::ir::Span;
use crate::javascript::Dialect;
use crate::language::Language;
use crate::rules::{About, Rules};
use crate::scan::{Raw, RawFix};

/// More matches of one rule in one file say nothing new.
const MATCHES: usize = 50;

/// A rule, and the kinds of nodes that it can match.
struct Trial {
    rule: RuleConfig<SupportLang>,
    kinds: BitSet,
    about: About,
}

/// The rules of one language, ready to be tried.
struct Ready {
    rules: Vec<Trial>,
    /// Texts that rules need, and which rules need each.
    needs: AhoCorasick,
    needing: Vec<usize>,
}

static READY: LazyLock<Mutex<HashMap<SupportLang, &'static Ready>>> =
    LazyLock::new(Default::default);

/// What the patterns find in a file.
pub(crate) fn scan(language: Language, text: &str) -> Vec<Raw> {
    let Some(language) = grammar(language) else {
        return vec![];
    };
    let ready = ready(language);
    let mut wanted = vec![false; ready.rules.len()];
    for found in ready.needs.find_overlapping_iter(text) {
        wanted[ready.needing[found.pattern().as_usize()]] = true;
    }
    if !wanted.contains(&true) {
        return vec![];
    }
    let tree = language.ast_grep(text);
    let rules: Vec<&Trial> = ready
        .rules
        .iter()
        .zip(wanted)
        .filter(|(_, wanted)| *wanted)
        .map(|(rule, _)| rule)
        .collect();
    let mut counts = vec![0; rules.len()];
    let mut raws = Vec::new();
    for node in tree.root().dfs() {
        let kind = usize::from(node.kind_id());
        for (trial, count) in rules.iter().zip(&mut counts) {
            if *count >= MATCHES || !trial.kinds.contains(kind) {
                continue;
            }
            if let Some(found) = trial.rule.matcher.match_node(node.clone()) {
                *count += 1;
                raws.push(raw(trial, &found));
            }
        }
    }
    raws
}

fn raw(trial: &Trial, found: &NodeMatch<StrDoc<SupportLang>>) -> Raw {
    let range = found.range();
    let mut raw = Raw::new(&trial.rule.id, range.start, range.end);
    if let Some(fixer) = trial.rule.fixer.first() {
        let edit = found.make_edit(&trial.rule.matcher, fixer);
        let span = Span {
            start: edit.position as u32,
            end: (edit.position + edit.deleted_length) as u32,
        };
        let to = String::from_utf8_lossy(&edit.inserted_text).into_owned();
        raw.fix = Some(RawFix {
            span,
            to,
            safety: trial.about.safety,
        });
    }
    raw
}

fn grammar(language: Language) -> Option<SupportLang> {
    match language {
        Language::Python => Some(SupportLang::Python),
        Language::Script(Dialect::JavaScript) => Some(SupportLang::JavaScript),
        Language::Script(Dialect::TypeScript) => Some(SupportLang::TypeScript),
        Language::Script(Dialect::Tsx) => Some(SupportLang::Tsx),
        Language::Template | Language::Component => Some(SupportLang::Html),
        Language::Text | Language::Opaque => None,
    }
}

fn ready(language: SupportLang) -> &'static Ready {
    let mut all = READY
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    all.entry(language)
        .or_insert_with(|| Box::leak(Box::new(make_ready(language))))
}

fn make_ready(language: SupportLang) -> Ready {
    // TypeScript is JavaScript to a rule.
    let written = match language {
        SupportLang::TypeScript | SupportLang::Tsx => SupportLang::JavaScript,
        other => other,
    };
    let globals = GlobalRules::default();
    let mut rules = Vec::new();
    let mut needs: Vec<String> = Vec::new();
    let mut needing = Vec::new();
    for pattern in Rules::get()
        .patterns
        .iter()
        .filter(|rule| rule.config.language == written)
    {
        let mut config = pattern.config.clone();
        config.language = language;
        let id = config.id.clone();
        let rule = match RuleConfig::try_from(config, &globals) {
            Ok(rule) => rule,
            // Its grammar has no JSX; the other two of the family try the rule.
            Err(_) if language == SupportLang::TypeScript => continue,
            Err(error) => panic!("rule `{id}`: {error}: {error:?}"),
        };
        for need in &pattern.about.needs {
            needs.push(need.clone());
            needing.push(rules.len());
        }
        let kinds = rule.matcher.potential_kinds().unwrap_or_default();
        rules.push(Trial {
            rule,
            kinds,
            about: pattern.about.clone(),
        });
    }
    let needs = AhoCorasick::new(&needs).unwrap_or_else(|error| panic!("needs of rules: {error}"));
    Ready {
        rules,
        needs,
        needing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_one_in_each_language_that_it_is_for() {
        let languages = [
            SupportLang::Python,
            SupportLang::JavaScript,
            SupportLang::TypeScript,
            SupportLang::Tsx,
            SupportLang::Html,
        ];
        for language in languages {
            assert!(!make_ready(language).rules.is_empty(), "{language}");
        }
    }
}
