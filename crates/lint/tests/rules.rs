//! Every rule finds what it is for, and leaves alone what is right.

mod bench;

use std::collections::BTreeMap;
use std::path::Path;

use lint::Rules;
use model::finding::Gate;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/tests"))
}

#[test]
fn every_rule_finds_its_bad_files_and_none_of_its_good_ones() {
    let files = bench::folder(root());
    let mut wrong = Vec::new();
    // Each file is an app of its own, but for the cost of reading rules: one check for all of a rule.
    let mut by_rule: BTreeMap<String, Vec<(String, Vec<u8>)>> = BTreeMap::new();
    for (path, bytes) in files {
        let rule = path.split('/').next().expect("a folder").to_owned();
        by_rule.entry(rule).or_default().push((path, bytes));
    }
    let all: Vec<_> = by_rule.values().flatten().cloned().collect();
    let (auth, others): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|(path, _)| path.starts_with("missing-authentication/"));
    let mut found = bench::check(others).findings;
    for one in auth {
        found.extend(bench::check(vec![one]).findings);
    }
    for (rule, files) in &by_rule {
        for (path, _) in files {
            let is_found = found
                .iter()
                .any(|finding| &finding.file == path && &finding.rule_id == rule);
            let is_bad = path.rsplit('/').next().expect("a name").starts_with("bad");
            if is_found != is_bad {
                wrong.push(path.clone());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_code_rule_has_bad_and_good_files() {
    let files = bench::folder(root());
    let has = |rule: &str, kind: &str| {
        files
            .iter()
            .any(|(path, _)| path.starts_with(&format!("{rule}/{kind}")))
    };
    let code = Rules::get()
        .all()
        .into_iter()
        .filter(|rule| rule.gate == Gate::Code);
    let untested: Vec<&str> = code
        .map(|rule| rule.id.as_str())
        // What could not be read, and whom an app is open to, are tested beside what decides it.
        .filter(|id| !id.starts_with("unread-") && *id != "public-mutation")
        .filter(|id| !has(id, "bad") || !has(id, "good"))
        .collect();
    assert!(untested.is_empty(), "{untested:#?}");
}

#[test]
fn there_are_more_than_eighty_rules_and_each_says_why_and_how() {
    let rules = Rules::get().all();
    let code = rules
        .iter()
        .filter(|rule| rule.gate == Gate::Code && !rule.id.starts_with("unread-"));
    assert!(code.count() >= 80);
    for rule in rules {
        assert!(
            rule.why.ends_with('.') && rule.why.len() > 30,
            "{}: {}",
            rule.id,
            rule.why
        );
        assert!(rule.mend.len() > 10 && rule.cwe > 0, "{}", rule.id);
    }
}
