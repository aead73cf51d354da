//! Signs with the server's key.

use async_trait::async_trait;
use model::attestation::{Artifact, Document, PredicateType, Signed, SignedBy, Subject};
use model::verification::Report;
use model::{Digest, Timestamp};
use ports::{Presented, Signer, SignerError};
use serde_json::value::RawValue;

use crate::bundle::Bundle;
use crate::dsse::{self, Envelope};
use crate::key_folder::KeyFolder;
use crate::media_type::{BUNDLE, SIMPLE_SIGNING};
use crate::trust::Trust;
use crate::{layout, simple_signing, statement};

/// Signs with the current key of a [`KeyFolder`], and verifies with all of them.
#[derive(Debug, Clone)]
pub struct KeySigner {
    keys: KeyFolder,
    trust: Trust,
}

impl KeySigner {
    /// A signer with `keys`. What else counts at verification is in `trust`: the transparency
    /// log's key, and others' keys and certificates.
    pub fn new(keys: KeyFolder, trust: Trust) -> Self {
        Self { keys, trust }
    }

    fn signed(
        &self,
        subject: &Subject,
        kind: PredicateType,
        predicate: &RawValue,
        at: Timestamp,
    ) -> Result<Signed, SignerError> {
        let statement = statement::make(subject, &kind, predicate);
        let statement = statement.map_err(|cause| bad_predicate(&kind, cause))?;
        let (key, signature) = self.keys.sign(&dsse::encoding(&statement), at)?;
        let envelope = Envelope::new(&statement, &signature);
        let mut documents = vec![Document {
            media_type: BUNDLE.into(),
            text: Bundle::with_key(envelope, key).text(),
            signature: None,
        }];
        if kind == PredicateType::Signature {
            documents.insert(0, self.simply_signed(subject, at)?);
        }
        Ok(Signed {
            kind,
            image: subject.digest,
            by: SignedBy::Key(key),
            at,
            documents,
        })
    }

    fn simply_signed(&self, subject: &Subject, at: Timestamp) -> Result<Document, SignerError> {
        let text = simple_signing::make(subject);
        let text = text.map_err(|cause| bad_predicate(&PredicateType::Signature, cause))?;
        let (_, signature) = self.keys.sign(text.as_bytes(), at)?;
        Ok(Document {
            media_type: SIMPLE_SIGNING.into(),
            signature: Some(layout::written(&signature)),
            text,
        })
    }
}

#[async_trait]
impl Signer for KeySigner {
    async fn sign(
        &self,
        subject: &Subject,
        kind: PredicateType,
        predicate: Vec<u8>,
        at: Timestamp,
    ) -> Result<Signed, SignerError> {
        let predicate = as_json(&kind, predicate)?;
        self.signed(subject, kind, &predicate, at)
    }

    fn lay_out(&self, subject: &Subject, signed: &[Signed]) -> Result<Vec<Artifact>, SignerError> {
        layout::lay_out(subject, signed)
    }

    async fn verify(&self, image: &Digest, presented: Vec<Presented>, now: Timestamp) -> Report {
        // The keys are read each time: one may have been revoked since.
        let trust = self.trust.clone().with_keys(self.keys.trusted());
        trust.verify(image, &presented, now)
    }
}

/// A predicate as it was written; refused when it is no JSON.
pub(crate) fn as_json(
    kind: &PredicateType,
    predicate: Vec<u8>,
) -> Result<Box<RawValue>, SignerError> {
    serde_json::from_slice(&predicate).map_err(|cause| bad_predicate(kind, cause))
}

pub(crate) fn bad_predicate(kind: &PredicateType, cause: serde_json::Error) -> SignerError {
    let kind = kind.clone();
    SignerError::BadPredicate { kind, cause }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use model::transparency::Inclusion;
    use model::verification::Refusal;
    use ports::{KeyRing, Recorded};

    use super::*;
    use crate::log::{Log, LogKey, LogVerifier};
    use crate::public_key::PublicKey;
    use crate::trust::TrustedKey;

    ports::signer_contract!(signer);

    async fn signer() -> (KeySigner, tempfile::TempDir) {
        let home = tempfile::tempdir().expect("a folder");
        // The suite signs now: the key began a little before.
        let keys = KeyFolder::open(&home.path().join("keys"), hours(-10)).expect("keys");
        (KeySigner::new(keys, Trust::default()), home)
    }

    fn hours(hours: i64) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(hours)
    }

    fn subject() -> Subject {
        Subject {
            name: "127.0.0.1:7100/shop".into(),
            digest: Digest::of(b"manifest"),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            size_bytes: 8,
        }
    }

    async fn made(
        signer: &KeySigner,
        kind: PredicateType,
        predicate: &str,
        at: Timestamp,
    ) -> Signed {
        let made = signer.sign(&subject(), kind, predicate.into(), at).await;
        made.expect("signed")
    }

    async fn signature(signer: &KeySigner) -> Signed {
        made(signer, PredicateType::Signature, "{}", hours(-5)).await
    }

    async fn refusals(signer: &KeySigner, signed: &Signed, now: Timestamp) -> Vec<Option<Refusal>> {
        let presented = vec![Presented::of(signed)];
        let report = signer.verify(&subject().digest, presented, now).await;
        let rows = report.rows.into_iter();
        rows.map(|row| row.outcome.err()).collect()
    }

    #[tokio::test]
    async fn signing_twice_makes_the_same_bytes() {
        let (signer, _home) = signer().await;
        let at = Timestamp::now();
        let mut twice = Vec::new();
        for _ in 0..2 {
            let made = made(&signer, PredicateType::Spdx, r#"{"a":1}"#, at).await;
            twice.push(made.to_bytes());
        }
        assert_eq!(twice[0], twice[1]);
    }

    #[tokio::test]
    async fn another_servers_signature_is_refused_until_its_key_is_trusted() {
        let (ours, _home) = signer().await;
        let (theirs, _other) = signer().await;
        let signed = signature(&theirs).await;
        let expected = [Some(Refusal::NoKeyFits), Some(Refusal::WrongKey)];
        assert_eq!(refusals(&ours, &signed, hours(0)).await, expected);
        let pem = theirs.keys.keys().await[0].public_pem.clone();
        let key = PublicKey::from_pem(&pem).expect("a key");
        let trust = Trust::default().with_keys(vec![TrustedKey::always(key)]);
        let trusting = KeySigner::new(ours.keys.clone(), trust);
        assert_eq!(refusals(&trusting, &signed, hours(0)).await, [None, None]);
    }

    #[tokio::test]
    async fn a_named_key_that_did_not_sign_is_told_from_one_that_is_not_known() {
        let (ours, _home) = signer().await;
        let (theirs, _other) = signer().await;
        let mut signed = signature(&theirs).await;
        let hint = |key: &SignedBy| match key {
            SignedBy::Key(id) => crate::bundle::hint(*id),
            SignedBy::Identity { .. } => panic!("a key signed"),
        };
        let own = signature(&ours).await;
        let text = &mut signed.documents[1].text;
        *text = text.replace(&hint(&signed.by), &hint(&own.by));
        let found = refusals(&ours, &signed, hours(0)).await;
        assert_eq!(found[1], Some(Refusal::BadSignature));
    }

    #[tokio::test]
    async fn without_proof_of_its_time_what_a_replaced_or_revoked_key_signed_counts_no_more() {
        let (signer, _home) = signer().await;
        let signed = signature(&signer).await;
        let id = signer.keys.keys().await[0].id;
        assert_eq!(refusals(&signer, &signed, hours(0)).await, [None, None]);
        for early in refusals(&signer, &signed, hours(-20)).await {
            assert!(matches!(early, Some(Refusal::Key(_))), "{early:?}");
        }
        signer.keys.rotate(hours(-1)).await.expect("a new key");
        assert_eq!(refusals(&signer, &signed, hours(-2)).await, [None, None]);
        for late in refusals(&signer, &signed, hours(0)).await {
            assert!(matches!(late, Some(Refusal::Key(_))), "{late:?}");
        }
        let revoked = signer.keys.revoke(id, hours(-3), hours(0));
        revoked.await.expect("revoked");
        for late in refusals(&signer, &signed, hours(-2)).await {
            assert!(matches!(late, Some(Refusal::Key(_))), "{late:?}");
        }
        assert_eq!(refusals(&signer, &signed, hours(-4)).await, [None, None]);
    }

    /// A log with the entries, and the proof of the last one.
    fn recorded(home: &tempfile::TempDir, entries: &[String]) -> (LogVerifier, Inclusion) {
        let key = LogKey::open(&home.path().join("log.pem")).expect("a key");
        let mut log = Log::open(&home.path().join("log"), key.clone()).expect("a log");
        let size = log.append(0, entries).expect("added").size;
        let proof = log.prove_inclusion(size - 1).expect("a proof");
        (key.verifier(), proof)
    }

    #[tokio::test]
    async fn the_logs_proof_of_its_time_keeps_a_signature_of_a_replaced_or_revoked_key() {
        let (signer, home) = signer().await;
        let signed = signature(&signer).await;
        let evidence = String::from_utf8(signed.to_bytes()).expect("text");
        let digest = Digest::of(evidence.as_bytes());
        let entry = |at| format!(r#"{{"at":"{at}","evidence":"{digest}"}}"#);
        let right = entry(hours(-4));
        let (log, good) = recorded(&home, &["{}".into(), right.clone()]);
        let other_home = tempfile::tempdir().expect("a folder");
        let (_, foreign) = recorded(&other_home, std::slice::from_ref(&right));
        let (_, stranger) = recorded(&home, &["{}".into(), right, "{}".into()]);
        let mut moved = good.clone();
        moved.entry = entry(hours(-5));
        let signer = KeySigner::new(signer.keys.clone(), Trust::default().with_log(log));
        let id = signer.keys.keys().await[0].id;
        let outcomes = async |inclusion: &Inclusion, evidence: &str| {
            let mut presented = Presented::of(&signed);
            presented.recorded = Some(Recorded {
                inclusion: inclusion.clone(),
                evidence: Some(evidence.into()),
            });
            let image = subject().digest;
            let report = signer.verify(&image, vec![presented], hours(0)).await;
            report
                .rows
                .into_iter()
                .map(|row| row.outcome)
                .collect::<Vec<_>>()
        };
        signer.keys.rotate(hours(-1)).await.expect("a new key");
        signer
            .keys
            .revoke(id, hours(-3), hours(0))
            .await
            .expect("revoked");
        for outcome in outcomes(&good, &evidence).await {
            let proven = outcome
                .expect("the log proves it")
                .proven_at
                .expect("a time");
            assert!(proven < hours(-3));
        }
        for (proof, text) in [
            (&foreign, evidence.as_str()),
            (&stranger, &evidence),
            (&moved, &evidence),
            (&good, "{}"),
        ] {
            for outcome in outcomes(proof, text).await {
                assert!(matches!(outcome, Err(Refusal::Log(_))), "{outcome:?}");
            }
        }
        signer
            .keys
            .revoke(id, hours(-6), hours(0))
            .await
            .expect("revoked");
        for outcome in outcomes(&good, &evidence).await {
            assert!(matches!(outcome, Err(Refusal::Key(_))), "{outcome:?}");
        }
    }

    #[tokio::test]
    async fn an_attestation_tag_holds_envelopes_that_verify() {
        let (signer, _home) = signer().await;
        let made = made(&signer, PredicateType::Spdx, "{}", hours(-1)).await;
        let artifacts = signer.lay_out(&subject(), &[made]);
        let tagged = artifacts.expect("laid out").remove(0);
        assert_eq!(tagged.tag, Some(layout::tag(&subject().digest, ".att")));
        let text = String::from_utf8(tagged.parts[0].bytes.clone()).expect("text");
        let document = layout::document(&tagged.parts[0].media_type, text, &serde_json::json!({}));
        let presented = Presented {
            kind: None,
            documents: vec![document],
            recorded: None,
        };
        let image = subject().digest;
        let report = signer.verify(&image, vec![presented], hours(0)).await;
        assert_eq!(report.rows[0].kind, Some(PredicateType::Spdx));
        assert!(report.rows[0].outcome.is_ok(), "{report:?}");
    }
}
