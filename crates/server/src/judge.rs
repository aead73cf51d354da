//! What a client judges by itself: whether a release or an image elsewhere verifies, and whether
//! the log that a server shows is the one that it showed before.

use std::path::Path;

use api::supply::Dossier;
use attest::{Identity, Keyless, LogVerifier, PublicKey, Trust, TrustedKey, TrustedRoot, layout};
use model::attestation::{Document, PredicateType};
use model::event::{Event, Happening};
use model::policy::{Decision, PredicateFacts, Verdict, VerificationInput};
use model::transparency::{Checkpoint, Consistency};
use model::verification::{Origin, Report, needed, shortcomings};
use model::{Digest, Failure, FailureCode, Timestamp};
use policy::Policies;
use ports::{LogError, Presented, Recorded};
use serde::{Deserialize, Serialize};
use store::registry::{self, Login};

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// The image.
    pub image: Digest,
    /// A line a document.
    pub report: Report,
    /// Where the log tells of it; `None` when it does not have to.
    pub entry: Option<LogEntry>,
    /// What the documents that hold say.
    #[serde(skip)]
    pub predicates: Vec<PredicateFacts>,
    /// What the caller's policy decided; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Why it does not verify; nothing is good.
    pub shortcomings: Vec<String>,
}

impl Judgement {
    /// The same, as the policy in the text `policy` (Rego v1) decides about it. A policy that
    /// cannot be loaded fails; one that denies makes it not verify.
    pub fn by_policy(mut self, name: &str, policy: &str, now: Timestamp) -> Result<Self, Failure> {
        let loaded = Policies::load([(name, policy)].into_iter().collect());
        let loaded = loaded.map_err(|error| Failure::of(&error))?;
        let predicates = std::mem::take(&mut self.predicates);
        let asked = VerificationInput::new(self.image, now, &self.report, predicates);
        let asked =
            serde_json::to_value(asked).map_err(|error| Failure::internal(error.to_string()))?;
        let decision = loaded.decide(&asked);
        let denied = decision.deny.iter();
        self.shortcomings
            .extend(denied.map(|message| format!("policy {}: {}", message.rule, message.msg)));
        if decision.verdict == Verdict::Fail && decision.deny.is_empty() {
            self.shortcomings.push("the policy denies it".to_owned());
        }
        self.decision = Some(decision);
        Ok(self)
    }
}

/// What those of `documents` say that hold, by the rows of a report about the same.
fn predicates<'a>(
    documents: impl Iterator<Item = &'a Document>,
    report: &Report,
) -> Vec<PredicateFacts> {
    let rows = report.rows.iter().zip(documents);
    let said = rows.filter_map(|(row, document)| {
        let verified = row.outcome.as_ref().ok()?;
        Some(PredicateFacts {
            kind: verified.kind.clone(),
            predicate: attest::predicate(document),
        })
    });
    said.collect()
}

/// Where the log tells of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Its number, from 0.
    pub index: u64,
    /// How many entries the log had when this was proven.
    pub size: u64,
    /// When it was recorded.
    pub at: Timestamp,
}

/// Whom to believe about an image elsewhere.
#[derive(Debug, Clone)]
pub enum Believed {
    /// Whoever has this key: its public part in PEM.
    Key(String),
    /// Whom a certificate names.
    Identity {
        /// An address or a URI.
        identity: String,
        /// The issuer's URL.
        issuer: String,
        /// A Sigstore trusted root, as its file has it.
        trusted_root: String,
    },
}

/// Judges a release of a server by what the server hands out, and by nothing else.
pub fn judge(dossier: &Dossier, now: Timestamp) -> Result<Judgement, Failure> {
    let log = LogVerifier::new(&dossier.log_key).map_err(|error| Failure::of(&error))?;
    let image = dossier.subject.digest;
    let recorded = dossier.inclusion.clone().map(|inclusion| Recorded {
        inclusion,
        evidence: Some(dossier.evidence.clone()),
    });
    let presented: Vec<_> = dossier.statements.iter().map(Presented::of).collect();
    let presented: Vec<_> = presented
        .into_iter()
        .map(|one| Presented {
            recorded: recorded.clone(),
            ..one
        })
        .collect();
    let report = trust(dossier, log.clone())?.verify(&image, &presented, now);
    let lacks = shortcomings(&needed(&dossier.acts), &report, Origin::Release);
    let mut lacks: Vec<String> = lacks.iter().map(ToString::to_string).collect();
    let entry = match entry(dossier, &log) {
        Ok(entry) => Some(entry),
        Err(why) => {
            lacks.push(format!("transparency log: {why}"));
            None
        }
    };
    let documents = dossier.statements.iter().flat_map(|one| &one.documents);
    Ok(Judgement {
        predicates: predicates(documents, &report),
        decision: None,
        image,
        report,
        entry,
        shortcomings: lacks,
    })
}

fn trust(dossier: &Dossier, log: LogVerifier) -> Result<Trust, Failure> {
    let mut keys = Vec::new();
    for known in &dossier.keys {
        keys.push(TrustedKey {
            key: key(&known.public_pem)?,
            validity: known.validity.clone(),
        });
    }
    let trust = Trust::default().with_log(log).with_keys(keys);
    match &dossier.keyless {
        None => Ok(trust),
        Some(keyless) => Ok(trust.with_keyless(identity(
            &keyless.identity,
            &keyless.issuer,
            &keyless.trusted_root,
        )?)),
    }
}

/// The log's entry of the release; it must tell of this very image and evidence.
fn entry(dossier: &Dossier, log: &LogVerifier) -> Result<LogEntry, String> {
    let proof = dossier.inclusion.as_ref();
    let proof = proof.ok_or("it does not have the release yet")?;
    let checkpoint = log
        .check_inclusion(proof)
        .map_err(|error| error.to_string())?;
    let event: Event = serde_json::from_str(&proof.entry).map_err(|error| error.to_string())?;
    let expected = Happening::ReleaseCreated {
        release: dossier.release,
        image: dossier.subject.digest,
        verification: Some(Digest::of(dossier.evidence.as_bytes())),
    };
    if event.app.as_ref() != Some(&dossier.app) || event.what != expected {
        return Err("its entry is about something else".to_owned());
    }
    Ok(LogEntry {
        index: proof.index,
        size: checkpoint.size,
        at: event.at,
    })
}

/// Judges an image in a registry elsewhere: it needs a signature of whom the caller believes, and
/// what else `kinds` asks for.
pub async fn judge_outside(
    reference: &str,
    believed: &Believed,
    kinds: &[PredicateType],
    credentials: Option<&Path>,
    now: Timestamp,
) -> Result<Judgement, Failure> {
    let found = registry::find(reference, login(reference, credentials)?).await;
    let found = found.map_err(|error| Failure::of(&error))?;
    let image: Digest = found.digest.parse().map_err(|_| {
        let text = format!(
            "the image has the digest `{}`; only SHA-256 is known",
            found.digest
        );
        Failure::new(FailureCode::NotVerified, text)
    })?;
    let presented: Vec<_> = found
        .attached
        .into_iter()
        .map(|one| Presented {
            kind: None,
            documents: vec![layout::document(
                &one.media_type,
                one.text,
                &one.annotations,
            )],
            recorded: None,
        })
        .collect();
    let trust = match believed {
        Believed::Key(pem) => Trust::default().with_keys(vec![TrustedKey::always(key(pem)?)]),
        Believed::Identity {
            identity: who,
            issuer,
            trusted_root,
        } => Trust::default().with_keyless(identity(who, issuer, trusted_root)?),
    };
    let report = trust.verify(&image, &presented, now);
    let kinds = kinds.iter().cloned().collect();
    let lacks = shortcomings(&kinds, &report, Origin::Outside);
    let documents = presented.iter().flat_map(|one| &one.documents);
    Ok(Judgement {
        predicates: predicates(documents, &report),
        decision: None,
        image,
        entry: None,
        shortcomings: lacks.iter().map(ToString::to_string).collect(),
        report,
    })
}

fn key(pem: &str) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(pem).map_err(|error| {
        Failure::new(FailureCode::Usage, "the public key cannot be read").because(error.to_string())
    })
}

fn identity(subject: &str, issuer: &str, trusted_root: &str) -> Result<Keyless, Failure> {
    let root = TrustedRoot::read(trusted_root).map_err(|error| {
        Failure::new(FailureCode::Usage, "the trusted root cannot be read")
            .because(error.to_string())
    })?;
    Ok(Keyless {
        root,
        identities: vec![Identity {
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
        }],
    })
}

/// What docker's settings in the file `credentials` say for a reference's registry.
pub fn login(reference: &str, credentials: Option<&Path>) -> Result<Option<Login>, Failure> {
    let host = registry::host(reference);
    let Some((host, credentials)) = host.zip(credentials.filter(|path| path.exists())) else {
        return Ok(None);
    };
    registry::of_docker(credentials, &host).map_err(|error| {
        Failure::new(
            FailureCode::Usage,
            format!("the login for `{host}` cannot be read"),
        )
        .because(error.to_string())
        .hint(format!("run `docker login {host}` again"))
    })
}

/// What a client remembers of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// What verifies it.
    pub key: String,
    /// The newest promise that was seen.
    pub checkpoint: String,
}

impl Remembered {
    /// How many entries the log had.
    pub fn size(&self) -> Result<u64, Failure> {
        let read = LogVerifier::new(&self.key).and_then(|log| log.read(&self.checkpoint));
        let checkpoint = read.map_err(|error| Failure::of(&error))?;
        Ok(checkpoint.size)
    }

    /// Fails unless the log that shows `key` and `proof` now is this one, grown or not.
    pub fn check(&self, key: &str, proof: &Consistency) -> Result<Checkpoint, Failure> {
        let checked = || -> Result<Checkpoint, LogError> {
            if self.key != key {
                let why = "it is another log than the one that was seen before";
                return Err(LogError::Rewritten(why.to_owned()));
            }
            let log = LogVerifier::new(&self.key)?;
            log.check_consistency(&log.read(&self.checkpoint)?, proof)
        };
        checked().map_err(|error| rewritten(&error))
    }
}

/// Reads a promise of a log that is seen for the first time.
pub fn first_sight(key: &str, checkpoint: &str) -> Result<Checkpoint, Failure> {
    let read = LogVerifier::new(key).and_then(|log| log.read(checkpoint));
    read.map_err(|error| Failure::of(&error))
}

fn rewritten(error: &LogError) -> Failure {
    Failure::new(
        FailureCode::NotVerified,
        "this server's log is not what it was",
    )
    .because(error.to_string())
    .hint(
        "find out who changed it; if you have made the server anew yourself, run `mayfly audit \
             trust`",
    )
}
