//! Rules by the shape of the code, with ast-grep.
//!
//! Comments that silence a rule are not looked at: the app's source does not decide what is found.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{LazyLock, Mutex};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use ast_grep_config::{GlobalRules, RuleConfig};
use ast_grep_core::Node;
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
    let mut places = vec![Places::default(); ready.rules.len()];
    let mut all = Places::default();
    for found in ready.needs.find_overlapping_iter(text) {
        let rule = ready.needing[found.pattern().as_usize()];
        let is_everywhere = ready.rules[rule].about.anywhere;
        for of in [&mut places[rule], &mut all] {
            of.at.push(found.start());
            of.is_everywhere |= is_everywhere;
        }
    }
    if all.at.is_empty() {
        return vec![];
    }
    places
        .iter_mut()
        .for_each(|places| places.at.sort_unstable());
    all.at.sort_unstable();
    let tree = language.ast_grep(text);
    let rules = ready.rules.iter().zip(places);
    let mut search = Search {
        wanted: rules
            .filter(|(_, places)| !places.at.is_empty())
            .map(|(trial, places)| (trial, places, 0))
            .collect(),
        places: all,
        raws: Vec::new(),
    };
    search.below(tree.root());
    search.raws
}

/// A search for the rules that a file may break, where it has the texts that they need.
struct Search<'r> {
    /// Each with the places of its texts, and how often it has matched.
    wanted: Vec<(&'r Trial, Places, usize)>,
    /// The places of all texts.
    places: Places,
    raws: Vec<Raw>,
}

impl<'r> Search<'r> {
    /// Looks at a node and at those below it, parents first. What a rule needs lies in what it matches,
    /// so nothing is looked at that has none of it.
    fn below<'t>(&mut self, root: Node<'t, StrDoc<SupportLang>>) {
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            let range = node.range();
            if !self.places.touch(&range) {
                continue;
            }
            let kind = usize::from(node.kind_id());
            for (trial, places, count) in &mut self.wanted {
                if *count >= MATCHES || !trial.kinds.contains(kind) || !places.touch(&range) {
                    continue;
                }
                if let Some(found) = trial.rule.matcher.match_node(node.clone()) {
                    *count += 1;
                    self.raws.push(raw(trial, &found));
                }
            }
            let children: Vec<_> = node.children().collect();
            waiting.extend(children.into_iter().rev());
        }
    }
}

/// Where a file has texts that rules need.
#[derive(Clone, Default)]
struct Places {
    /// Sorted.
    at: Vec<usize>,
    /// Whether what a rule matches may be elsewhere.
    is_everywhere: bool,
}

impl Places {
    /// Whether something in a range may match.
    fn touch(&self, range: &Range<usize>) -> bool {
        let first = self.at.partition_point(|place| *place < range.start);
        let is_inside = self.at.get(first).is_some_and(|place| *place < range.end);
        self.is_everywhere || is_inside
    }
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
    // Hundreds of texts: the larger table is the one that is read fastest.
    let needs = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .build(&needs)
        .unwrap_or_else(|error| panic!("needs of rules: {error}"));
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
