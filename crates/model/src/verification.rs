//! Whether what was signed about an image is enough, and why not.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::attestation::{PredicateType, SignedBy};
use crate::digest::Digest;
use crate::signing_key::KeyRefusal;

/// Why a signed document says nothing about an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Nothing here reads it.
    #[error("the media type `{0}` is unknown")]
    UnknownMediaType(String),
    /// It is not what its media type says.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// It names a key that is not trusted.
    #[error("a key signed it that is not trusted")]
    WrongKey,
    /// It names no key, and none of the trusted ones made its signature.
    #[error("none of the trusted keys signed it as it is")]
    NoKeyFits,
    /// The key is the right one, and did not sign this.
    #[error("the signature does not fit: the document or the signature was changed")]
    BadSignature,
    /// It is about something else.
    #[error("it is about {}, not about {expected}", found.join(", "))]
    WrongSubject {
        /// The image that was asked for.
        expected: Digest,
        /// What it names.
        found: Vec<String>,
    },
    /// It is kept as one kind and says that it is another.
    #[error("it is kept as {expected}, and says that it is {found}")]
    WrongKind {
        /// As which it is kept.
        expected: PredicateType,
        /// What it says.
        found: PredicateType,
    },
    /// The key's signatures did not count then.
    #[error("{0}")]
    Key(KeyRefusal),
    /// Nobody trusted vouches for the certificate.
    #[error("the certificate is not trusted: {0}")]
    Certificate(String),
    /// Somebody else signed it.
    #[error("{found} signed it")]
    WrongIdentity {
        /// Who.
        found: String,
    },
    /// A certificate is good for minutes, and nothing says when it was used.
    #[error("nothing proves when it was signed")]
    NoTime,
    /// The timestamp is not one of a trusted authority, or for something else.
    #[error("the timestamp does not hold: {0}")]
    Timestamp(String),
    /// The entry of the public log is missing, or for something else.
    #[error("the log's entry does not hold: {0}")]
    Log(String),
}

/// What a document that holds says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// What it says.
    pub kind: PredicateType,
    /// Who says so.
    pub by: SignedBy,
    /// Until when at the latest it was signed, when a log or an authority proves it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven_at: Option<Timestamp>,
}

/// One line of a verification's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// As which kind it is kept; `None` when it cannot be told.
    pub kind: Option<PredicateType>,
    /// What became of it.
    pub outcome: Result<Verified, Refusal>,
}

/// All that was looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// A line a document.
    pub rows: Vec<Row>,
}

/// What was done to an image that leaves a statement behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It was built.
    Build,
    /// Its tests ran.
    Tests,
    /// Its content was listed.
    Sbom,
    /// It was looked up in vulnerability data.
    Scan,
    /// A policy decided about it.
    Policy,
}

/// The kinds of statements that an image must have when `done` was done to it.
pub fn needed(done: &[Act]) -> BTreeSet<PredicateType> {
    let of = |act: &Act| -> &[PredicateType] {
        match act {
            Act::Build => &[PredicateType::Signature, PredicateType::Provenance],
            Act::Tests => &[PredicateType::TestResult],
            Act::Sbom => &[PredicateType::Spdx, PredicateType::CycloneDx],
            Act::Scan => &[PredicateType::Vulnerabilities],
            Act::Policy => &[PredicateType::Decision],
        }
    };
    done.iter().flat_map(of).cloned().collect()
}

/// Whose documents a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A release of this server: nobody else can put a document there, so one that does not hold
    /// was tampered with.
    Release,
    /// Anywhere else: strangers may have left their own documents beside the good ones.
    Outside,
}

/// Why an image does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Shortcoming {
    /// Nothing of that kind is there.
    #[error("{0}: missing")]
    Missing(PredicateType),
    /// What is there does not hold.
    #[error("{}: {why}", kind.as_ref().map_or("unknown document".into(), ToString::to_string))]
    Refused {
        /// As which kind it is kept.
        kind: Option<PredicateType>,
        /// Why it does not hold.
        why: Refusal,
    },
}

/// What an image lacks to verify; nothing is good. An empty list of needs is a need for a
/// signature: an image about which nothing was said never verifies.
pub fn shortcomings(
    needed: &BTreeSet<PredicateType>,
    report: &Report,
    origin: Origin,
) -> Vec<Shortcoming> {
    let mut needed = needed.clone();
    needed.insert(PredicateType::Signature);
    let holds: BTreeSet<_> = (report.rows.iter())
        .filter_map(|row| row.outcome.as_ref().ok())
        .map(|verified| verified.kind.clone())
        .collect();
    let refused = report.rows.iter().filter_map(|row| {
        let why = row.outcome.as_ref().err()?.clone();
        let kind = row.kind.clone();
        let is_lacking = |kind| needed.contains(kind) && !holds.contains(kind);
        let matters = origin == Origin::Release || kind.as_ref().is_some_and(is_lacking);
        matters.then_some(Shortcoming::Refused { kind, why })
    });
    let is_named = |kind| (report.rows.iter()).any(|row| row.kind.as_ref() == Some(kind));
    let missing = (needed.difference(&holds))
        .filter(|kind| !is_named(*kind))
        .cloned()
        .map(Shortcoming::Missing);
    refused.chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing_key::KeyId;

    fn good(kind: PredicateType) -> Row {
        let by = SignedBy::Key(KeyId::of(b"key"));
        let verified = Verified {
            kind: kind.clone(),
            by,
            proven_at: None,
        };
        Row {
            kind: Some(kind),
            outcome: Ok(verified),
        }
    }

    fn bad(kind: Option<PredicateType>) -> Row {
        let outcome = Err(Refusal::BadSignature);
        Row { kind, outcome }
    }

    fn refused(kind: Option<PredicateType>) -> Shortcoming {
        let why = Refusal::BadSignature;
        Shortcoming::Refused { kind, why }
    }

    #[test]
    fn a_statement_is_needed_only_where_its_act_was_done() {
        use PredicateType::*;
        for (done, expected) in [
            (vec![], vec![]),
            (vec![Act::Build], vec![Signature, Provenance]),
            (
                vec![Act::Build, Act::Sbom],
                vec![Signature, Provenance, Spdx, CycloneDx],
            ),
            (
                vec![Act::Scan, Act::Policy],
                vec![Vulnerabilities, Decision],
            ),
            (vec![Act::Tests, Act::Tests], vec![TestResult]),
        ] {
            assert_eq!(needed(&done), expected.into_iter().collect(), "{done:?}");
        }
    }

    #[test]
    fn an_image_verifies_when_each_need_holds_and_nothing_of_its_own_is_refused() {
        use PredicateType::*;
        let stranger = || bad(None);
        for (needs, rows, release, outside) in [
            (vec![], vec![], vec![Shortcoming::Missing(Signature)], None),
            (vec![], vec![good(Signature)], vec![], None),
            (
                vec![Spdx],
                vec![good(Signature)],
                vec![Shortcoming::Missing(Spdx)],
                None,
            ),
            (
                vec![Spdx],
                vec![good(Signature), bad(Some(Spdx))],
                vec![refused(Some(Spdx))],
                None,
            ),
            (
                vec![Spdx],
                vec![good(Signature), good(Spdx), bad(Some(Spdx))],
                vec![refused(Some(Spdx))],
                Some(vec![]),
            ),
            (
                vec![],
                vec![good(Signature), stranger()],
                vec![refused(None)],
                Some(vec![]),
            ),
        ] {
            let needs = needs.into_iter().collect();
            let report = Report { rows };
            let outside = outside.unwrap_or_else(|| release.clone());
            for (origin, expected) in [(Origin::Release, release), (Origin::Outside, outside)] {
                let found = shortcomings(&needs, &report, origin);
                assert_eq!(found, expected, "{origin:?} {report:?}");
            }
        }
    }
}
