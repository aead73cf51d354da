//! The document that a policy sees as `input`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;
use crate::advisory::{AdvisoryKind, Certainty, Hit, Origin};
use crate::attestation::{PredicateType, SignedBy};
use crate::digest::Digest;
use crate::finding::{Finding, FixKind};
use crate::verification::Report;

/// Which shape `input` has. It grows when a field changes its meaning or goes.
pub const INPUT_VERSION: u32 = 1;

/// Why a policy is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// A run wants to roll out what it built.
    Release,
    /// A release that serves was matched against newer vulnerability data.
    Rescan,
    /// `mayfly verify --policy FILE`: the document is a [`VerificationInput`].
    Verify,
}

/// Whether a piece of evidence says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceState {
    /// The stage ran to its end, and the rest of the object is what it found.
    Done,
    /// The stage did not run; the rest of the object says nothing.
    Missing,
    /// The stage ran and cannot say; the rest of the object says nothing.
    Inconclusive,
}

/// Everything that a policy may decide by. Each field is always there, and none grants more by
/// being `null`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// [`INPUT_VERSION`].
    pub version: u32,
    /// Why it is asked.
    pub occasion: Occasion,
    /// When. A policy has no other clock, so that a recorded question can be asked again.
    pub now: Timestamp,
    /// What is to be released.
    pub app: AppFacts,
    /// Who asked for the run.
    pub creator: Creator,
    /// What it was built from.
    pub source: SourceFacts,
    /// What the checks of the source found: code, secrets, config, dependencies, licences.
    pub findings: FindingsFacts,
    /// How the app's own tests ended.
    pub tests: TestsFacts,
    /// What is in the image, in numbers.
    pub sbom: SbomFacts,
    /// Which of it is known to be vulnerable.
    pub vulnerabilities: VulnerabilitiesFacts,
    /// Who built it, as the signed statement says.
    pub provenance: ProvenanceFacts,
    /// What it wants to reach.
    pub egress: EgressFacts,
    /// Who can reach it.
    pub access: AccessFacts,
    /// How large it is.
    pub size: SizeFacts,
    /// How long it is to live.
    pub ttl: TtlFacts,
    /// The exceptions that were granted to it.
    pub exemptions: ExemptionFacts,
}

/// What is to be released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppFacts {
    /// Its name.
    pub name: String,
    /// `static`, `node`, `python` or `front_and_back`.
    pub kind: String,
    /// When it was first brought up; `null` for a new app.
    pub created_at: Option<Timestamp>,
    /// The image's manifest.
    pub image: Digest,
    /// Hosts of its own besides the one that its name gives.
    pub hosts: Vec<String>,
}

/// What kind of caller somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreatorKind {
    /// A person.
    Person,
    /// A program that acts for a person.
    Agent,
    /// A program that acts for itself: continuous integration.
    Service,
}

/// Who asked for the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creator {
    /// `uid:1000` on the machine itself, an address or a URI elsewhere.
    pub id: String,
    /// What kind of caller.
    pub kind: CreatorKind,
    /// The groups that the kernel or the identity provider names.
    pub groups: Vec<String>,
}

/// What the image was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// The folder's content.
    pub snapshot: Digest,
    /// Where its repository is; `null` for a plain folder.
    pub repository: Option<String>,
    /// The commit; `null` for a plain folder.
    pub commit: Option<String>,
    /// Whether the folder differs from its commit; `null` for a plain folder.
    pub dirty: Option<bool>,
}

/// What the checks of the source found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingsFacts {
    /// Whether they ran.
    pub state: EvidenceState,
    /// Why they cannot say, in words.
    pub why: Option<String>,
    /// Files that could not be read or understood.
    pub unread: u32,
    /// How many there are in `list`.
    pub total: u32,
    /// What was found, worst first.
    pub list: Vec<FindingFacts>,
}

/// One finding, as far as a policy needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingFacts {
    /// Its identity over time.
    pub fingerprint: String,
    /// `code`, `secrets`, `config`, `dependencies`, `licences`, `tests`.
    pub gate: String,
    /// The rule that matched.
    pub rule_id: String,
    /// `info`, `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// `low`, `medium`, `high`.
    pub confidence: String,
    /// Whether it blocks where no policy says otherwise.
    pub blocks: bool,
    /// Of the Common Weakness Enumeration.
    pub cwe: Option<u32>,
    /// Relative to the app's folder; empty when no file is at fault.
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: u32,
    /// Why it matters.
    pub why: String,
    /// How to mend it, in words.
    pub fix: Option<String>,
    /// The package at fault.
    pub purl: Option<String>,
    /// Whether the release before did not have it; `null` without one.
    pub introduced_by_this_change: Option<bool>,
}

/// How the app's own tests ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsFacts {
    /// Whether they ran. An app without tests has `done` and a total of 0.
    pub state: EvidenceState,
    /// Why they cannot say, in words.
    pub why: Option<String>,
    /// How many ran.
    pub total: u32,
    /// How many of them failed.
    pub failed: u32,
}

/// What is in the image, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SbomFacts {
    /// Whether it was listed.
    pub state: EvidenceState,
    /// Why it cannot say, in words.
    pub why: Option<String>,
    /// The list itself; `null` without one.
    pub digest: Option<Digest>,
    /// Whether nothing was met that may hide a package.
    pub complete: bool,
    /// How many packages.
    pub packages: u32,
    /// By package URL type: `{"deb": 60, "pypi": 8}`.
    pub by_ecosystem: BTreeMap<String, u32>,
    /// By SPDX expression.
    pub licences: BTreeMap<String, u32>,
    /// Packages whose licence is not known.
    pub unlicensed: u32,
    /// Packages whose licence the allow-list does not have.
    pub licences_outside: u32,
}

/// Which packages are known to be vulnerable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilitiesFacts {
    /// Whether the image was matched against data.
    pub state: EvidenceState,
    /// Why it cannot say, in words.
    pub why: Option<String>,
    /// The newest record that is not dated in the future; `null` without data.
    pub data_modified: Option<Timestamp>,
    /// How old that is; `null` without data.
    pub data_age_seconds: Option<u64>,
    /// How old the server lets it be.
    pub max_age_seconds: u64,
    /// How many packages were matched.
    pub packages: u32,
    /// Packages of ecosystems that the data does not cover.
    pub uncovered: u32,
    /// How many there are in `list`.
    pub total: u32,
    /// What was found, worst first.
    pub list: Vec<VulnerabilityFacts>,
}

/// One known vulnerability of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilityFacts {
    /// The record's name: `GHSA-…`, `PYSEC-…`, `MAL-…`.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// Its identity over time, as a finding's.
    pub fingerprint: String,
    /// The package.
    pub purl: String,
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// `unknown`, `none`, `low`, `medium`, `high`, `critical`.
    pub severity: String,
    /// Ten times the CVSS score, 0 to 100; `null` when the record has none.
    pub score_tenths: Option<u32>,
    /// Whether a version without it exists.
    pub has_fix: bool,
    /// The nearest such version; `null` without one.
    pub fixed_in: Option<String>,
    /// Whether the package does harm by intent.
    pub malicious: bool,
    /// Whether the record is about no fault: nobody keeps the package any more.
    pub notice: bool,
    /// Whether a part of the record or the version could not be compared, and was taken for the
    /// worst.
    pub assumed: bool,
    /// Whether it comes with the base image, and not by the app's own wish.
    pub from_base: bool,
    /// Whether the app itself asks for it; a package of a package is not direct.
    pub direct: bool,
    /// Package URLs from what the app asks for to the package.
    pub path: Vec<String>,
}

/// Who built the image, as the signed statement says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvenanceFacts {
    /// Whether there is a statement that verifies.
    pub state: EvidenceState,
    /// Why it cannot say, in words.
    pub why: Option<String>,
    /// The builder's URI.
    pub builder: Option<String>,
    /// `hosted` on a server that the app's authors do not administrate, else `local`.
    pub placement: Option<String>,
    /// The image that the statement is about.
    pub image: Option<Digest>,
    /// The source that the statement names.
    pub snapshot: Option<Digest>,
    /// Who signed it: `key sha256:…`, or an identity.
    pub signed_by: Option<String>,
}

/// What the app wants to reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressFacts {
    /// How many there are in `list`.
    pub total: u32,
    /// As mayfly.toml writes them: `host` or `host:port`.
    pub list: Vec<String>,
}

/// Who can reach an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Programs on this machine.
    Machine,
    /// Its creator, from elsewhere too.
    Owner,
    /// Everybody in the organisation.
    Org,
    /// Whoever has the link.
    Link,
    /// Everybody.
    Public,
}

impl Audience {
    /// Whether anybody but programs on this machine can reach it.
    pub fn reaches_beyond_the_machine(self) -> bool {
        self != Self::Machine
    }
}

/// Who can reach the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessFacts {
    /// Who. Only `machine` is not reachable by others.
    pub audience: Audience,
}

/// How large the app is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeFacts {
    /// All of the folder's files.
    pub source_bytes: u64,
    /// How many files the folder has.
    pub source_files: u64,
    /// The image's layers, as they are sent.
    pub image_bytes: u64,
    /// The memory that it may use.
    pub memory_bytes: u64,
}

/// How long the app is to live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TtlFacts {
    /// From now on; `null` when nobody set an end.
    pub seconds: Option<u64>,
    /// When it goes; `null` when nobody set an end.
    pub expires_at: Option<Timestamp>,
}

/// The exceptions that were granted to the app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptionFacts {
    /// How many there are in `list`.
    pub total: u32,
    /// All of them, expired ones too.
    pub list: Vec<Exemption>,
}

/// One exception, granted with `mayfly exempt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// A fingerprint, a rule of the checks, a rule of the policy, or a vulnerability's name.
    pub target: String,
    /// Only what lies at or below this path of the source; `.` for all of it, never `null`.
    pub path: String,
    /// When it ends.
    pub until: Timestamp,
    /// Why it was granted.
    pub reason: String,
    /// Who granted it.
    pub granted_by: String,
    /// What kind of caller that is.
    pub granted_by_kind: CreatorKind,
    /// When.
    pub granted_at: Timestamp,
}

/// What `mayfly verify --policy FILE` asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationInput {
    /// [`INPUT_VERSION`].
    pub version: u32,
    /// [`Occasion::Verify`].
    pub occasion: Occasion,
    /// When.
    pub now: Timestamp,
    /// The image that was verified.
    pub image: Digest,
    /// What was found.
    pub verification: VerificationFacts,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerificationFacts {
    /// How many there are in `rows`.
    pub total: u32,
    /// One a document.
    pub rows: Vec<RowFacts>,
    /// What the documents that hold say. One that does not hold says nothing.
    pub predicates: Vec<PredicateFacts>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// It is signed by somebody trusted, and about this image.
    Holds,
    /// It says nothing.
    Refused,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFacts {
    /// The predicate's URI; `null` when it cannot be told.
    pub kind: Option<PredicateType>,
    /// What became of it.
    pub outcome: RowOutcome,
    /// Why it was refused, in words.
    pub why: Option<String>,
    /// Who says so: `{"key": …}` or `{"identity": {"subject": …, "issuer": …}}`.
    pub by: Option<SignedBy>,
    /// Until when at the latest it was signed, when a log or an authority proves it.
    pub proven_at: Option<Timestamp>,
}

/// What a document that holds says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredicateFacts {
    /// The predicate's URI.
    pub kind: PredicateType,
    /// The predicate.
    pub predicate: Value,
}

impl FindingFacts {
    /// What a policy is told about a finding.
    pub fn of(finding: &Finding) -> Self {
        let fix = finding.fix.as_ref().map(|fix| match fix.kind {
            FixKind::Advice => fix.to.clone(),
            FixKind::Replace => format!("write `{}`", fix.to),
            FixKind::Upgrade => format!("use {} or later", fix.to),
        });
        Self {
            fingerprint: finding.fingerprint.to_string(),
            gate: finding.gate.to_string(),
            rule_id: finding.rule_id.clone(),
            severity: word(&finding.severity),
            confidence: word(&finding.confidence),
            blocks: finding.blocks,
            cwe: finding.cwe,
            file: finding.file.clone(),
            line: finding.line,
            why: finding.why.clone(),
            fix,
            purl: finding.purl.clone(),
            introduced_by_this_change: finding.introduced_by_this_change,
        }
    }
}

impl TestsFacts {
    /// Nobody ran them.
    pub fn missing() -> Self {
        Self {
            state: EvidenceState::Missing,
            why: None,
            total: 0,
            failed: 0,
        }
    }
}

impl ProvenanceFacts {
    /// Nothing signed says anything.
    pub fn unsaid(state: EvidenceState, why: Option<String>) -> Self {
        Self {
            state,
            why,
            builder: None,
            placement: None,
            image: None,
            snapshot: None,
            signed_by: None,
        }
    }
}

impl FindingsFacts {
    /// Nobody looked.
    pub fn missing() -> Self {
        Self {
            state: EvidenceState::Missing,
            why: None,
            unread: 0,
            total: 0,
            list: Vec::new(),
        }
    }

    /// All of `list`, of which `unread` files could not be read as a whole.
    pub fn done(list: &[Finding], unread: usize) -> Self {
        let list: Vec<_> = list.iter().map(FindingFacts::of).collect();
        Self {
            state: EvidenceState::Done,
            why: None,
            unread: count(unread),
            total: count(list.len()),
            list,
        }
    }
}

/// As JSON writes an enumeration's value.
fn word(value: &impl Serialize) -> String {
    let written = serde_json::to_value(value).unwrap_or_default();
    written.as_str().unwrap_or_default().to_owned()
}

impl VulnerabilityFacts {
    /// What a policy is told about a hit. `path` are the packages from what the app asks for to the
    /// one that has it; empty when that is not known.
    pub fn of(hit: &Hit, origin: Origin, path: Vec<String>) -> Self {
        Self {
            id: hit.id.clone(),
            aliases: hit.aliases.clone(),
            fingerprint: hit.fingerprint(),
            purl: hit.purl.clone(),
            name: hit.name.clone(),
            version: hit.version.clone(),
            severity: hit.rating.as_str().to_owned(),
            score_tenths: hit.score.as_ref().map(|score| u32::from(score.tenths)),
            has_fix: hit.fixed_in.is_some(),
            fixed_in: hit.fixed_in.clone(),
            malicious: hit.kind == AdvisoryKind::Malicious,
            notice: hit.kind == AdvisoryKind::Notice,
            assumed: hit.certainty == Certainty::Assumed,
            from_base: origin == Origin::Base,
            direct: path.len() == 1,
            path,
        }
    }
}

impl VerificationInput {
    /// The question about `image`. `predicates` are those of the report's rows that hold.
    pub fn new(
        image: Digest,
        now: Timestamp,
        report: &Report,
        predicates: Vec<PredicateFacts>,
    ) -> Self {
        let rows: Vec<RowFacts> = report.rows.iter().map(RowFacts::of).collect();
        Self {
            version: INPUT_VERSION,
            occasion: Occasion::Verify,
            now,
            image,
            verification: VerificationFacts {
                total: count(rows.len()),
                rows,
                predicates,
            },
        }
    }
}

impl RowFacts {
    fn of(row: &crate::verification::Row) -> Self {
        match &row.outcome {
            Ok(verified) => Self {
                kind: Some(verified.kind.clone()),
                outcome: RowOutcome::Holds,
                why: None,
                by: Some(verified.by.clone()),
                proven_at: verified.proven_at,
            },
            Err(refusal) => Self {
                kind: row.kind.clone(),
                outcome: RowOutcome::Refused,
                why: Some(refusal.to_string()),
                by: None,
                proven_at: None,
            },
        }
    }
}

impl ExemptionFacts {
    /// All of `list`.
    pub fn new(list: Vec<Exemption>) -> Self {
        Self {
            total: count(list.len()),
            list,
        }
    }
}

impl EgressFacts {
    /// All of `list`.
    pub fn new(list: Vec<String>) -> Self {
        Self {
            total: count(list.len()),
            list,
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing_key::KeyId;
    use crate::verification::{Refusal, Row, Verified};

    #[test]
    fn only_what_no_other_machine_reaches_stays_on_the_machine() {
        for (audience, beyond) in [
            (Audience::Machine, false),
            (Audience::Owner, true),
            (Audience::Org, true),
            (Audience::Link, true),
            (Audience::Public, true),
        ] {
            assert_eq!(audience.reaches_beyond_the_machine(), beyond);
        }
    }

    #[test]
    fn a_verification_is_told_row_by_row_with_nulls_for_what_is_not_there() {
        let by = SignedBy::Key(KeyId::of(b"key"));
        let kind = PredicateType::Provenance;
        let rows = vec![
            Row {
                kind: Some(kind.clone()),
                outcome: Ok(Verified {
                    kind,
                    by,
                    proven_at: None,
                }),
            },
            Row {
                kind: None,
                outcome: Err(Refusal::BadSignature),
            },
        ];
        let image = Digest::of(b"image");
        let input =
            VerificationInput::new(image, Timestamp::UNIX_EPOCH, &Report { rows }, Vec::new());
        let told = serde_json::to_value(&input).expect("a document");
        assert_eq!(told["occasion"], "verify");
        assert_eq!(told["verification"]["total"], 2);
        let rows = &told["verification"]["rows"];
        assert_eq!(rows[0]["kind"], "https://slsa.dev/provenance/v1");
        assert_eq!(rows[0]["outcome"], "holds");
        assert_eq!(rows[0]["proven_at"], Value::Null);
        assert!(rows[0]["by"]["key"].is_string());
        assert_eq!(rows[1]["outcome"], "refused");
        assert_eq!(rows[1]["kind"], Value::Null);
        assert!(rows[1]["why"].is_string());
        assert_eq!(rows[1].as_object().map(|row| row.len()), Some(5));
    }
}
