//! What a policy answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;

/// The rule of the message that stands where a policy could not be evaluated. No exemption lifts it.
pub const NOT_EVALUATED: &str = "policy.not_evaluated";

/// What comes of a policy. There is no third: what cannot be decided fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Pass,
    /// At least one rule denies, or the policy could not be evaluated.
    Fail,
}

/// Which of a policy's three sets a rule adds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryPoint {
    /// What must not be.
    Deny,
    /// What somebody should know.
    Warn,
    /// What is denied and let pass, because somebody granted it.
    Exempt,
}

impl EntryPoint {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deny, Self::Warn, Self::Exempt];

    /// As policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
            Self::Exempt => "exempt",
        }
    }
}

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The rule's name.
    pub rule: String,
    /// What is the matter, for people.
    pub msg: String,
    /// A command or a setting that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The finding or vulnerability that it is about; exemptions name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whatever else the rule adds.
    #[serde(flatten)]
    pub details: BTreeMap<String, Value>,
}

impl Message {
    /// A message with no more than a name and a text.
    pub fn new(rule: impl Into<String>, msg: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            msg: msg.into(),
            next: None,
            fingerprint: None,
            details: BTreeMap::new(),
        }
    }

    /// Whether `exempt`, which a policy granted, lets this pass: it names the same rule, and the
    /// same finding or none.
    pub fn is_lifted_by(&self, exempt: &Self) -> bool {
        let same = exempt.fingerprint.is_none() || exempt.fingerprint == self.fingerprint;
        self.rule != NOT_EVALUATED && self.rule == exempt.rule && same
    }
}

/// Where a policy comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyOrigin {
    /// It came with mayfly.
    BuiltIn,
    /// A folder of the server.
    Folder(String),
    /// A commit of a git repository.
    Repository {
        /// Its URL.
        url: String,
        /// The commit.
        commit: String,
    },
}

impl std::fmt::Display for PolicyOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("the one that came with mayfly"),
            Self::Folder(folder) => f.write_str(folder),
            Self::Repository { url, commit } => write!(f, "{url} at {commit}"),
        }
    }
}

/// A policy that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLoad {
    /// Where it comes from.
    pub origin: PolicyOrigin,
    /// Of its files.
    pub digest: Digest,
}

/// A rule that had a part in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidingRule {
    /// What it added to.
    pub entry: EntryPoint,
    /// Its name, as its messages give it; none where the policy computes names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The policy's file.
    pub file: String,
    /// Where it begins, from 1.
    pub line: u32,
    /// The places of the input that it can look at: `vulnerabilities.list[].severity`.
    pub looks_at: Vec<String>,
}

/// What a policy decided, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What comes of it.
    pub verdict: Verdict,
    /// Of the policy's files.
    pub policy: Digest,
    /// Of the question, as JSON without spaces and with sorted keys.
    pub input: Digest,
    /// What speaks against it; empty when it passes.
    pub deny: Vec<Message>,
    /// What somebody should know, and what was denied and let pass.
    pub warn: Vec<Message>,
    /// The exemptions that the policy granted.
    pub exempt: Vec<Message>,
    /// The rules that spoke.
    pub rules: Vec<DecidingRule>,
}

impl Decision {
    /// What stands for a decision of `policy` about `question` that could not be made: a denial.
    pub fn not_evaluated(policy: Digest, question: &str, why: &str) -> Self {
        let msg = format!("the policy cannot be evaluated: {why}");
        Self {
            verdict: Verdict::Fail,
            policy,
            input: Digest::of(question.as_bytes()),
            deny: vec![Message::new(NOT_EVALUATED, msg)],
            warn: Vec::new(),
            exempt: Vec::new(),
            rules: Vec::new(),
        }
    }
}

/// Takes out what was denied and let pass. Returns what still denies, and what was lifted.
///
/// A lifted message becomes a warning, so that nobody forgets it.
pub fn lift(deny: Vec<Message>, exempt: &[Message]) -> (Vec<Message>, Vec<Message>) {
    let is_lifted = |message: &Message| exempt.iter().any(|one| message.is_lifted_by(one));
    let (lifted, standing) = deny.into_iter().partition(is_lifted);
    (standing, lifted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(rule: &str, fingerprint: Option<&str>) -> Message {
        Message {
            fingerprint: fingerprint.map(str::to_owned),
            ..Message::new(rule, "x")
        }
    }

    #[test]
    fn an_exemption_lifts_its_own_rule_and_finding_and_never_a_failed_policy() {
        for (denied, exempt, lifted) in [
            (about("a", Some("f-1")), about("a", Some("f-1")), true),
            (about("a", Some("f-1")), about("a", None), true),
            (about("a", None), about("a", None), true),
            (about("a", Some("f-1")), about("a", Some("f-2")), false),
            (about("a", None), about("a", Some("f-1")), false),
            (about("a", Some("f-1")), about("b", Some("f-1")), false),
            (
                about(NOT_EVALUATED, None),
                about(NOT_EVALUATED, None),
                false,
            ),
        ] {
            let (standing, gone) = lift(vec![denied.clone()], &[exempt]);
            assert_eq!(standing.is_empty(), lifted, "{denied:?}");
            assert_eq!(gone.is_empty(), !lifted, "{denied:?}");
        }
    }

    #[test]
    fn a_message_keeps_what_its_rule_adds() {
        let text = r#"{"rule":"egress","msg":"no","host":"x.org","next":null}"#;
        let message: Message = serde_json::from_str(text).expect("a message");
        assert_eq!(message.details["host"], "x.org");
        assert_eq!(message.next, None);
        for bad in [
            r#"{"rule":"a"}"#,
            r#"{"msg":"a"}"#,
            r#""a""#,
            r#"{"rule":1,"msg":"a"}"#,
        ] {
            assert!(serde_json::from_str::<Message>(bad).is_err(), "{bad}");
        }
    }
}
