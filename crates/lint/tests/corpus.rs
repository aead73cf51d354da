//! How many of the faults in small apps are found, and how much of what is found is one.
//!
//! There are two sets: `corpus`, which the rules grew with, and `second`, which was written afterwards.
//! In each, a folder below `bad` or `good` is an app, and `expected.txt` names the faults.

mod bench;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use model::finding::{Confidence, Finding, Gate, Severity};

/// A fault is where it is said to be within as many lines.
const LINES: u32 = 3;

struct Expected {
    file: String,
    cwe: u32,
    line: u32,
}

/// The sets, each checked once.
static SETS: [Set; 2] = [Set::new("corpus"), Set::new("second")];

struct Set {
    name: &'static str,
    found: OnceLock<Vec<Finding>>,
}

impl Set {
    const fn new(name: &'static str) -> Self {
        let found = OnceLock::new();
        Self { name, found }
    }

    fn root(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests")
            .join(self.name)
    }

    /// Checks every app by itself, and names its files by their path in the set.
    fn found(&self) -> &[Finding] {
        self.found.get_or_init(|| check_all(&self.root()))
    }
}

fn expected(root: &Path) -> Vec<Expected> {
    let text = fs::read_to_string(root.join("expected.txt")).expect("a table of faults");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let mut next = || words.next().expect("three words").to_owned();
        let file = next();
        Expected {
            file,
            cwe: next().parse().expect("a number"),
            line: next().parse().expect("a number"),
        }
    };
    lines.map(parse).collect()
}

fn check_all(root: &Path) -> Vec<Finding> {
    let mut apps = BTreeSet::new();
    for kind in ["bad", "good"] {
        for entry in fs::read_dir(root.join(kind)).expect("a folder of apps") {
            let name = entry.expect("an entry").file_name();
            apps.insert(format!("{kind}/{}", name.to_string_lossy()));
        }
    }
    let mut found = Vec::new();
    for app in apps {
        for mut finding in bench::check(bench::folder(&root.join(&app))).findings {
            finding.file = format!("{app}/{}", finding.file);
            found.push(finding);
        }
    }
    found
}

/// What counts against precision: all that asks somebody to act.
fn is_loud(finding: &Finding) -> bool {
    finding.gate == Gate::Code
        && finding.severity >= Severity::Medium
        && finding.confidence >= Confidence::Medium
}

#[test]
fn nine_of_ten_faults_are_found_and_nine_of_ten_findings_are_faults() {
    SETS.iter().for_each(weigh);
}

fn weigh(set: &Set) {
    let expected = expected(&set.root());
    let found = set.found();
    let is_fault = |finding: &Finding, fault: &Expected| {
        finding.file == fault.file
            && finding.cwe == Some(fault.cwe)
            && finding.line.abs_diff(fault.line) <= LINES
    };
    let missed: Vec<String> = expected
        .iter()
        .filter(|fault| !found.iter().any(|finding| is_fault(finding, fault)))
        .map(|fault| format!("{}:{} CWE-{}", fault.file, fault.line, fault.cwe))
        .collect();
    let loud: Vec<&Finding> = found.iter().filter(|finding| is_loud(finding)).collect();
    let wrong: Vec<String> = loud
        .iter()
        .filter(|finding| !expected.iter().any(|fault| is_fault(finding, fault)))
        .map(|finding| {
            format!(
                "{}:{} {} {:?}",
                finding.file, finding.line, finding.rule_id, finding.confidence
            )
        })
        .collect();
    let recall = 1.0 - missed.len() as f64 / expected.len() as f64;
    let precision = 1.0 - wrong.len() as f64 / loud.len() as f64;
    println!(
        "{}: recall {recall:.3} of {}, precision {precision:.3} of {}",
        set.name,
        expected.len(),
        loud.len()
    );
    println!("missed: {missed:#?}\nwrong: {wrong:#?}");
    assert!(
        recall >= 0.9 && precision >= 0.9,
        "missed {missed:#?}, wrong {wrong:#?}"
    );
}

#[test]
fn nothing_in_a_good_app_stops_it() {
    for set in &SETS {
        let blocks = set
            .found()
            .iter()
            .filter(|finding| finding.file.starts_with("good/") && finding.blocks);
        let blocks: Vec<String> = blocks
            .map(|f| format!("{}:{} {}", f.file, f.line, f.rule_id))
            .collect();
        assert!(blocks.is_empty(), "{}: {blocks:#?}", set.name);
    }
}

#[test]
fn each_set_has_sixty_apps_of_each_kind() {
    for set in &SETS {
        for kind in ["bad", "good"] {
            let apps = fs::read_dir(set.root().join(kind))
                .expect("a folder of apps")
                .count();
            assert!(apps >= 60, "{} {kind}: {apps}", set.name);
        }
    }
}
