//! What a check or a scan saw, as an object that a person understands and an agent can act on.

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// What looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Rules over the app's own code.
    Code,
    /// Credentials in files.
    Secrets,
    /// mayfly.toml, package scripts, requirements, Dockerfiles, manifests.
    Config,
    /// Names and sources of packages.
    Dependencies,
    /// Known vulnerabilities.
    Vulnerabilities,
    /// Licences of packages.
    Licences,
    /// The app's own tests.
    Tests,
}

impl Gate {
    /// As events and results write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Secrets => "secrets",
            Self::Config => "config",
            Self::Dependencies => "dependencies",
            Self::Vulnerabilities => "vulnerabilities",
            Self::Licences => "licences",
            Self::Tests => "tests",
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad it is when somebody uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Helps an attacker who has something else already.
    Low,
    /// Does harm under conditions.
    Medium,
    /// Does harm to the app's data or users.
    High,
    /// Hands over the app.
    Critical,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// It may be as intended.
    Low,
    /// Likely, but what decides lies outside of what was read.
    Medium,
    /// The code itself shows it.
    High,
}

/// What a finding does to its run, where no policy says otherwise.
///
/// A secret stops it, and a code rule that is both serious and sure; the rest warns.
pub fn blocks_by_default(gate: Gate, severity: Severity, confidence: Confidence) -> bool {
    let serious = severity >= Severity::High && confidence == Confidence::High;
    match gate {
        Gate::Secrets | Gate::Code => serious,
        Gate::Config
        | Gate::Dependencies
        | Gate::Vulnerabilities
        | Gate::Licences
        | Gate::Tests => false,
    }
}

/// A finding's identity, which survives that lines move: `f-` and 20 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in a text. Lines and columns count from 1; a column counts characters.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Place {
    /// From 1; 0 for a file as a whole.
    pub line: u32,
    /// From 1; 0 for a file as a whole.
    pub column: u32,
}

/// One step on the way from where a value enters to where it does harm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    /// Relative to the app's folder.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// What happens there.
    pub what: String,
}

/// How a finding is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixKind {
    /// The text `from` becomes `to`.
    Replace,
    /// A package goes to another version.
    Upgrade,
    /// Somebody has to write it; `to` says what.
    Advice,
}

/// Whether a fix may be applied without looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixSafety {
    /// The app does the same, but safely.
    Safe,
    /// The app may behave otherwise; somebody should look.
    Review,
}

/// A way to mend a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What has to be done.
    pub kind: FixKind,
    /// Whether it may be applied without looking.
    pub safety: FixSafety,
    /// The text there is; empty for advice.
    pub from: String,
    /// The text that should be, or the advice.
    pub to: String,
    /// A unified diff, where the fix is mechanical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// The content that the patch is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_digest: Option<Digest>,
}

/// One observation by a check or a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its identity over time.
    pub fingerprint: Fingerprint,
    /// What looked.
    pub gate: Gate,
    /// The rule that matched.
    pub rule_id: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether it stops the run.
    pub blocks: bool,
    /// Of the Common Weakness Enumeration.
    pub cwe: Option<u32>,
    /// Relative to the app's folder; empty when no file is at fault.
    pub file: String,
    /// Where it begins, from 1; 0 for the file as a whole.
    pub line: u32,
    /// Where it begins, from 1; 0 for the file as a whole.
    pub column: u32,
    /// Where it ends.
    pub end: Place,
    /// The text at fault; secrets are masked.
    pub snippet: String,
    /// The way of the value, from where it enters.
    pub trace: Vec<TraceStep>,
    /// Why it matters, in a sentence for people who do not write code.
    pub why: String,
    /// How to mend it.
    pub fix: Option<Fix>,
    /// The package at fault.
    pub purl: Option<String>,
    /// The packages that bring it in, the app's own dependency first.
    pub path: Vec<String>,
    /// Other names of the same fault.
    pub aliases: Vec<String>,
    /// Whether the release before had it not; `None` where that is unknown.
    pub introduced_by_this_change: Option<bool>,
    /// Whether it may pass later without a change.
    pub retryable: bool,
    /// What to do next: a command or an edit.
    pub next: String,
}

/// Gives every finding its identity: of gate, rule, file, the text at fault without its layout, and
/// the how-manieth of its like it is. Lines are no part of it, so that an edit above changes nothing.
pub fn stamp(findings: &mut [Finding]) {
    let mut seen: HashMap<String, u32> = HashMap::new();
    for finding in findings {
        let key = identity(finding);
        let nth = seen.entry(key.clone()).or_insert(0);
        let digest = Digest::of(format!("{key}\0{nth}").as_bytes()).to_string();
        *nth += 1;
        let hex = digest.rsplit(':').next().unwrap_or_default();
        finding.fingerprint = Fingerprint(format!("f-{}", &hex[..20.min(hex.len())]));
    }
}

fn identity(finding: &Finding) -> String {
    let text: String = finding.snippet.split_whitespace().collect();
    let purl = finding.purl.as_deref().unwrap_or_default();
    [
        finding.gate.as_str(),
        &finding.rule_id,
        &finding.file,
        purl,
        &text,
    ]
    .join("\0")
}

/// The order in which findings are shown: what blocks first, then the worst, then by place.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let rank = |f: &Finding| (!f.blocks, std::cmp::Reverse((f.severity, f.confidence)));
        rank(a).cmp(&rank(b)).then_with(|| {
            (&a.file, a.line, a.column, &a.rule_id).cmp(&(&b.file, b.line, b.column, &b.rule_id))
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(line: u32, snippet: &str) -> Finding {
        Finding {
            fingerprint: Fingerprint(String::new()),
            gate: Gate::Code,
            rule_id: "python-sql-injection".into(),
            severity: Severity::High,
            confidence: Confidence::High,
            blocks: true,
            cwe: Some(89),
            file: "app.py".into(),
            line,
            column: 1,
            end: Place { line, column: 9 },
            snippet: snippet.into(),
            trace: vec![],
            why: String::new(),
            fix: None,
            purl: None,
            path: vec![],
            aliases: vec![],
            introduced_by_this_change: None,
            retryable: false,
            next: String::new(),
        }
    }

    fn fingerprints(mut findings: Vec<Finding>) -> Vec<Fingerprint> {
        stamp(&mut findings);
        findings
            .into_iter()
            .map(|finding| finding.fingerprint)
            .collect()
    }

    #[test]
    fn a_fingerprint_survives_that_lines_and_layout_move() {
        let before = fingerprints(vec![finding(3, "run(a, b)")]);
        let after = fingerprints(vec![finding(30, "run(a,\n    b)")]);
        assert_eq!(before, after);
        assert_ne!(before, fingerprints(vec![finding(3, "run(a, c)")]));
    }

    #[test]
    fn two_of_a_kind_are_told_apart() {
        let both = fingerprints(vec![finding(3, "run(a)"), finding(9, "run(a)")]);
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn secrets_and_serious_sure_code_faults_stop_a_run() {
        use {Confidence as C, Severity as S};
        for (gate, severity, confidence, blocks) in [
            (Gate::Code, S::High, C::High, true),
            (Gate::Code, S::Critical, C::High, true),
            (Gate::Code, S::High, C::Medium, false),
            (Gate::Code, S::Medium, C::High, false),
            (Gate::Secrets, S::High, C::High, true),
            (Gate::Secrets, S::High, C::Medium, false),
            (Gate::Config, S::Critical, C::High, false),
        ] {
            assert_eq!(blocks_by_default(gate, severity, confidence), blocks);
        }
    }

    #[test]
    fn what_blocks_is_shown_first() {
        let mut warns = finding(1, "a");
        warns.blocks = false;
        let mut findings = vec![warns, finding(9, "b")];
        sort(&mut findings);
        assert_eq!(findings[0].line, 9);
    }

    #[test]
    fn a_finding_survives_json() {
        let one = finding(3, "run(a)");
        let text = serde_json::to_string(&one).expect("json");
        assert!(text.contains(r#""severity":"high""#), "{text}");
        assert_eq!(
            serde_json::from_str::<Finding>(&text).expect("a finding"),
            one
        );
    }
}
