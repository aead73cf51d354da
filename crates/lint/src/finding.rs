//! Makes findings of what was found.

use std::collections::HashMap;

use model::digest::Digest;
use model::finding::{
    self, Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Gate, TraceStep,
    blocks_by_default,
};

use crate::check::Scanned;
use crate::ir::{Span, Tongue};
use crate::language::is_documentation;
use crate::place::Lines;
use crate::report::UnreadReason;
use crate::rules::{Rule, Rules};
use crate::scan::{Raw, RawFix, Trouble};
use crate::sources::Sources;
use crate::taint::{Reach, Way};

/// A trace longer than this says nothing more.
const TRACE: usize = 16;

/// Lines longer than this were written by a program, and nobody can mend them there.
const GENERATED: usize = 4_000;

/// Makes findings, and reads the files that they need.
pub(crate) struct Maker<'a> {
    sources: &'a dyn Sources,
    paths: Vec<String>,
    texts: HashMap<usize, Vec<u8>>,
    /// Where credentials lie: no finding shows them, whatever it is about.
    hidden: HashMap<usize, Vec<Span>>,
    findings: Vec<Finding>,
}

/// A place of one finding.
pub(crate) struct At {
    /// The file, by its place in the list.
    pub(crate) file: usize,
    /// The place; `None` for the file as a whole.
    pub(crate) span: Option<Span>,
}

impl<'a> Maker<'a> {
    /// Of an app's files.
    pub(crate) fn new(sources: &'a dyn Sources, scanned: &[Scanned]) -> Self {
        let paths = scanned.iter().map(|one| one.listed.path.clone()).collect();
        let mut hidden: HashMap<usize, Vec<Span>> = HashMap::new();
        for (file, one) in scanned.iter().enumerate() {
            let masked = one.scan.raws.iter().filter(|raw| raw.masked.is_some());
            hidden
                .entry(file)
                .or_default()
                .extend(masked.map(|raw| raw.span));
        }
        Self {
            sources,
            paths,
            texts: HashMap::new(),
            hidden,
            findings: vec![],
        }
    }

    /// The path of a file.
    pub(crate) fn path(&self, file: usize) -> &str {
        &self.paths[file]
    }

    /// The place of a file in the list.
    pub(crate) fn file(&self, path: &str) -> Option<usize> {
        self.paths.iter().position(|known| known == path)
    }

    /// The content of a file.
    pub(crate) fn text(&mut self, file: usize) -> &[u8] {
        let (sources, path) = (self.sources, &self.paths[file]);
        self.texts
            .entry(file)
            .or_insert_with(|| sources.read(path).unwrap_or_default())
    }

    /// Findings of single files, and of what was not read of them.
    pub(crate) fn add_raws(&mut self, scanned: &[Scanned]) {
        for (file, one) in scanned.iter().enumerate() {
            for raw in &one.scan.raws {
                self.add_raw(file, raw);
            }
            for trouble in &one.scan.troubles {
                self.add(trouble.rule(), At { file, span: None }, None, vec![]);
            }
        }
    }

    fn add_raw(&mut self, file: usize, raw: &Raw) {
        let at = At {
            file,
            span: Some(raw.span),
        };
        let Some(finding) = self.add(&raw.rule, at, raw.confidence, vec![]) else {
            return;
        };
        if let Some(masked) = &raw.masked {
            self.findings[finding].snippet = masked.clone();
        }
        if let Some(fix) = &raw.fix {
            let fix = self.fix(file, fix);
            self.findings[finding].next =
                format!("apply the patch, or: {}", self.findings[finding].next);
            self.findings[finding].fix = Some(fix);
        }
    }

    /// Findings of input that reaches where it does harm.
    pub(crate) fn add_reaches(&mut self, reaches: &[Reach], units: &[usize]) {
        for reach in reaches {
            let tongue = match reach.tongue {
                Tongue::Python => "python",
                Tongue::JavaScript => "js",
            };
            let rule = format!("{tongue}-{}", reach.harm.slug());
            let at = At {
                file: units[reach.unit as usize],
                span: Some(reach.span),
            };
            let trace = self.trace(&reach.ways, units);
            self.add(&rule, at, Some(reach.confidence), trace);
        }
    }

    /// Findings of files whose analysis was stopped.
    pub(crate) fn add_stopped(&mut self, stopped: &[u32], units: &[usize]) {
        for unit in stopped {
            let at = At {
                file: units[*unit as usize],
                span: None,
            };
            self.add("unread-too-complex", at, None, vec![]);
        }
    }

    /// The way of a value, as people read it.
    pub(crate) fn trace(&mut self, ways: &[Way], units: &[usize]) -> Vec<TraceStep> {
        let mut trace: Vec<TraceStep> = Vec::new();
        for way in ways.iter().take(TRACE) {
            let file = units[way.unit as usize];
            let line = Lines::of(self.text(file)).place(way.span.start).line;
            let step = TraceStep {
                file: self.paths[file].clone(),
                line,
                what: way.what.clone(),
            };
            if trace.last() != Some(&step) {
                trace.push(step);
            }
        }
        trace
    }

    /// Adds a finding of a rule; where the same place has one already, the surer stays.
    pub(crate) fn add(
        &mut self,
        rule: &str,
        at: At,
        confidence: Option<Confidence>,
        trace: Vec<TraceStep>,
    ) -> Option<usize> {
        let rules = Rules::get();
        let rule = rules
            .find(rule)
            .unwrap_or_else(|| panic!("there is no rule `{rule}`"));
        let finding = self.finding(rule, at, confidence, trace);
        let same = self.findings.iter().position(|other| {
            other.rule_id == finding.rule_id
                && other.file == finding.file
                && other.line == finding.line
        });
        match same {
            Some(same) if self.findings[same].confidence >= finding.confidence => None,
            Some(same) => {
                self.findings[same] = finding;
                Some(same)
            }
            None => {
                self.findings.push(finding);
                Some(self.findings.len() - 1)
            }
        }
    }

    fn finding(
        &mut self,
        rule: &Rule,
        at: At,
        confidence: Option<Confidence>,
        trace: Vec<TraceStep>,
    ) -> Finding {
        let confidence = confidence.map_or(rule.confidence, |less| less.min(rule.confidence));
        let path = self.paths[at.file].clone();
        let mut is_generated = false;
        let (start, end, snippet) = match at.span {
            Some(span) => {
                let hidden = self.hidden.get(&at.file).cloned().unwrap_or_default();
                let lines = Lines::of(self.text(at.file));
                let snippet = lines.snippet(span, &hidden);
                is_generated = lines.length(span.start) > GENERATED;
                (lines.place(span.start), lines.place(span.end), snippet)
            }
            None => Default::default(),
        };
        let snippet = if is_about_keys(rule) {
            without_texts(&snippet)
        } else {
            snippet
        };
        let blocks = blocks_by_default(rule.gate, rule.severity, confidence)
            && !is_for_tests(&path)
            && !(rule.gate == Gate::Code && (is_of_others(&path) || is_generated))
            && !(is_about_keys(rule) && is_documentation(&path));
        Finding {
            fingerprint: Fingerprint(String::new()),
            gate: rule.gate,
            rule_id: rule.id.clone(),
            severity: rule.severity,
            confidence,
            blocks,
            cwe: Some(rule.cwe),
            file: path,
            line: start.line,
            column: start.column,
            end,
            snippet,
            trace,
            why: rule.why.clone(),
            fix: Some(advice(rule)),
            purl: None,
            path: vec![],
            aliases: vec![],
            introduced_by_this_change: None,
            retryable: false,
            next: rule.mend.clone(),
        }
    }

    fn fix(&mut self, file: usize, fix: &RawFix) -> Fix {
        let path = self.paths[file].clone();
        let hidden = self.hidden.get(&file).cloned().unwrap_or_default();
        let text = self.text(file);
        let (start, end) = (fix.span.start as usize, fix.span.end as usize);
        let (first, last) = (line_start(text, start), line_end(text, end));
        let shows_key = hidden
            .iter()
            .any(|key| (key.start as usize) < last && key.end as usize > first);
        let from = String::from_utf8_lossy(&text[start..end]).into_owned();
        Fix {
            kind: FixKind::Replace,
            safety: fix.safety,
            from,
            to: fix.to.clone(),
            patch: (!shows_key).then(|| patch(&path, text, fix)),
            file_digest: Some(Digest::of(text)),
        }
    }

    /// All findings, what blocks first.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        drop_covered(&mut self.findings);
        finding::sort(&mut self.findings);
        finding::stamp(&mut self.findings);
        self.findings
    }
}

/// Whether what a rule finds is a key or a password itself.
fn is_about_keys(rule: &Rule) -> bool {
    rule.gate == Gate::Code && matches!(rule.cwe, 798 | 1188 | 321)
}

/// A line of code without what stands in quotes.
fn without_texts(line: &str) -> String {
    let mut shown = String::new();
    let mut quote = None;
    for letter in line.chars() {
        match quote {
            None => {
                shown.push(letter);
                quote = matches!(letter, '"' | '\'' | '`').then_some(letter);
            }
            Some(mark) if mark == letter => {
                shown.push('…');
                shown.push(letter);
                quote = None;
            }
            Some(_) => {}
        }
    }
    shown
}

fn advice(rule: &Rule) -> Fix {
    Fix {
        kind: FixKind::Advice,
        safety: FixSafety::Review,
        from: String::new(),
        to: rule.mend.clone(),
        patch: None,
        file_digest: None,
    }
}

/// Of two findings of one weakness in one line the surer stays: a pattern and taint see the same.
fn drop_covered(findings: &mut Vec<Finding>) {
    let mut best: HashMap<(String, u32, Option<u32>), Confidence> = HashMap::new();
    for finding in findings.iter() {
        let key = (finding.file.clone(), finding.line, finding.cwe);
        let sure = best.entry(key).or_insert(finding.confidence);
        *sure = (*sure).max(finding.confidence);
    }
    let mut seen: HashMap<(String, u32, Option<u32>), ()> = HashMap::new();
    findings.retain(|finding| {
        if finding.line == 0 {
            return true;
        }
        let key = (finding.file.clone(), finding.line, finding.cwe);
        best.get(&key) == Some(&finding.confidence) && seen.insert(key, ()).is_none()
    });
}

/// Code that only tests run stops no app.
fn is_for_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let in_folder = path.split('/').rev().skip(1).any(|folder| {
        matches!(
            folder,
            "test" | "tests" | "__tests__" | "spec" | "fixtures" | "testdata" | "e2e" | "cypress"
        )
    });
    let by_name = name.starts_with("test_")
        || name.ends_with("_test.py")
        || name.starts_with("conftest.")
        || [".test.", ".spec."].iter().any(|mark| name.contains(mark));
    in_folder || by_name
}

/// Libraries that lie beside the app's code are what others wrote: nobody here can mend them.
fn is_of_others(path: &str) -> bool {
    let in_folder = path.split('/').rev().skip(1).any(|folder| {
        matches!(
            folder,
            "vendor"
                | "vendors"
                | "third_party"
                | "third-party"
                | "site-packages"
                | "bower_components"
        )
    });
    in_folder || path.ends_with(".min.js")
}

/// A unified diff of one replacement, with the lines it touches.
fn patch(path: &str, text: &[u8], fix: &RawFix) -> String {
    let lines = Lines::of(text);
    let first = lines.place(fix.span.start).line;
    let last = lines.place(fix.span.end).line;
    let before: Vec<String> = (first..=last).map(|number| lines.line(number)).collect();
    let start = line_start(text, fix.span.start as usize);
    let end = line_end(text, fix.span.end as usize);
    let mut after = String::from_utf8_lossy(&text[start..fix.span.start as usize]).into_owned();
    after.push_str(&fix.to);
    after.push_str(&String::from_utf8_lossy(&text[fix.span.end as usize..end]));
    let after: Vec<&str> = after.lines().collect();
    let mut diff = format!(
        "--- a/{path}\n+++ b/{path}\n@@ -{first},{} +{first},{} @@\n",
        before.len(),
        after.len()
    );
    before
        .iter()
        .for_each(|line| diff.push_str(&format!("-{line}\n")));
    after
        .iter()
        .for_each(|line| diff.push_str(&format!("+{line}\n")));
    diff
}

fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |before| before + 1)
}

fn line_end(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end)
}

impl Trouble {
    /// The rule that speaks of it.
    fn rule(&self) -> &'static str {
        match self {
            Self::TooLarge => "unread-too-large",
            Self::Syntax => "unread-syntax",
            Self::TooDeep => "unread-too-deep",
            Self::Encoding => "unread-encoding",
            Self::Died => "unread-died",
            Self::Unreadable => "unread-unreadable",
        }
    }

    /// As reports say it.
    pub(crate) fn reason(&self) -> UnreadReason {
        match self {
            Self::TooLarge => UnreadReason::TooLarge,
            Self::Syntax => UnreadReason::Syntax,
            Self::TooDeep => UnreadReason::TooDeep,
            Self::Encoding => UnreadReason::Encoding,
            Self::Died => UnreadReason::Died,
            Self::Unreadable => UnreadReason::Unreadable,
        }
    }
}
