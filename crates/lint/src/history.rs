//! Credentials in texts that are no longer part of an app: what its history still shows.

use model::digest::Digest;
use model::finding::{Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Place};
use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::place::Lines;
use crate::rules::Rules;
use crate::secret;

/// Rises whenever the same text would be told otherwise.
pub const VERSION: u32 = 1;

/// A credential in one text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The rule that knows its form.
    pub rule_id: String,
    /// From 1.
    pub line: u32,
    /// How sure it is.
    pub confidence: Confidence,
    /// The value as it may be shown.
    pub masked: String,
    /// Of the value itself, by which the same one is known again.
    pub value: Digest,
}

/// Where the history holds a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The commit's id.
    pub commit: &'a str,
    /// Its day, as people write it.
    pub day: &'a str,
    /// Relative to the app's folder.
    pub file: &'a str,
}

/// Whether a file of that path may hold a text at all.
pub fn is_text(path: &str) -> bool {
    Language::of(path) != Language::Opaque
}

/// The credentials in a text.
pub fn secrets(path: &str, text: &str) -> Vec<Secret> {
    let raws = secret::scan(path, text);
    if raws.is_empty() {
        return vec![];
    }
    let lines = Lines::of(text.as_bytes());
    let of = |raw: crate::scan::Raw| {
        let (start, end) = (raw.span.start as usize, raw.span.end as usize);
        let rule = Rules::get().find(&raw.rule)?;
        Some(Secret {
            line: lines.place(raw.span.start).line,
            confidence: raw.confidence.unwrap_or(rule.confidence),
            masked: raw.masked.unwrap_or_default(),
            value: Digest::of(text.get(start..end)?.as_bytes()),
            rule_id: raw.rule,
        })
    };
    raws.into_iter().filter_map(of).collect()
}

impl Secret {
    /// As a finding, which never stops a run: what was committed cannot be mended by a change. None
    /// when the rule is gone.
    pub fn finding(&self, origin: &Origin<'_>) -> Option<Finding> {
        let rule = Rules::get().find(&self.rule_id)?;
        let commit: String = origin.commit.chars().take(12).collect();
        let remedy = "revoke the value where it was issued and make a new one; who has a copy of \
                      the repository has the old one, whatever is deleted or rewritten";
        Some(Finding {
            fingerprint: Fingerprint(String::new()),
            gate: rule.gate,
            rule_id: format!("{}-in-history", rule.id),
            severity: rule.severity,
            confidence: self.confidence,
            blocks: false,
            cwe: Some(rule.cwe),
            file: origin.file.to_owned(),
            line: self.line,
            column: 1,
            end: Place {
                line: self.line,
                column: 1,
            },
            snippet: format!("{} in commit {commit} of {}", self.masked, origin.day),
            trace: vec![],
            why: rule.why.clone(),
            fix: Some(Fix {
                kind: FixKind::Advice,
                safety: FixSafety::Review,
                from: String::new(),
                to: remedy.to_owned(),
                patch: None,
                file_digest: None,
            }),
            purl: None,
            path: vec![],
            aliases: vec![],
            introduced_by_this_change: None,
            retryable: false,
            next: format!("revoke the value, then see what still has it: `git show {commit}`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_again_and_never_shown() {
        let value = ["ghp_", "a8Kd02LqZx7Rt5Wm1Vn9Yb3Hc6Jg4Pfa8Kd0"].concat();
        let value = &value[..40];
        let one = secrets("app.py", &format!("k = '{value}'\n"));
        let other = secrets("lib/b.js", &format!("// old\nconst k = \"{value}\";\n"));
        assert_eq!((one.len(), one[0].line, other[0].line), (1, 1, 2));
        assert_eq!(one[0].value, other[0].value);
        let origin = Origin {
            commit: "0123456789abcdef0123456789abcdef01234567",
            day: "2026-01-02",
            file: "app.py",
        };
        let finding = one[0].finding(&origin).expect("a finding");
        assert!(!finding.blocks);
        assert!(
            finding
                .snippet
                .contains("commit 0123456789ab of 2026-01-02")
        );
        assert!(!format!("{finding:?}{:?}", one[0]).contains(&value[6..20]));
    }
}
