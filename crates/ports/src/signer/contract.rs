//! What every signer does. `signer_contract!` makes a test of each sentence.

use model::attestation::{Layout, PredicateType, Signed, Subject};
use model::verification::{Origin, Refusal, needed, shortcomings};
use model::{Digest, Timestamp};

use super::{Presented, Signer, SignerError};

/// Makes a test of each sentence of the signer's contract.
///
/// `$make` is an async function without arguments; it returns a signer that signs now, and whatever
/// must live as long.
#[macro_export]
macro_rules! signer_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::signer::contract,
            what_was_signed_verifies_as_what_it_is
            what_was_signed_about_one_image_says_nothing_about_another
            a_document_that_was_changed_is_refused_wherever_the_change_is
            what_is_kept_as_another_kind_is_refused
            a_document_that_nobody_can_read_is_refused
            a_predicate_that_is_no_json_is_not_signed
            all_that_was_signed_is_laid_out_as_bytes_that_hash_to_their_names
            laying_out_twice_makes_the_same_bytes
        }
    };
}

fn subject() -> Subject {
    Subject {
        name: "127.0.0.1:7100/shop".into(),
        digest: Digest::of(b"the image's manifest"),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        size_bytes: 20,
    }
}

async fn signed(signer: &dyn Signer) -> Vec<Signed> {
    let (mut all, about) = (Vec::new(), subject());
    for (kind, predicate) in [
        (PredicateType::Signature, "{}"),
        (PredicateType::Provenance, r#"{"runDetails":{}}"#),
        (
            PredicateType::Decision,
            r#"{"verificationResult":"PASSED"}"#,
        ),
    ] {
        let made = signer.sign(&about, kind, predicate.into(), Timestamp::now());
        all.push(made.await.expect("signed"));
    }
    all
}

async fn refusals(signer: &dyn Signer, image: &Digest, presented: Vec<Presented>) -> Vec<Refusal> {
    let report = signer.verify(image, presented, Timestamp::now()).await;
    let refused = |row: model::verification::Row| row.outcome.err();
    report.rows.into_iter().filter_map(refused).collect()
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn what_was_signed_verifies_as_what_it_is(signer: &dyn Signer) {
        let all = signed(signer).await;
        let presented = all.iter().map(Presented::of).collect();
        let image = subject().digest;
        let report = signer.verify(&image, presented, Timestamp::now()).await;
        let mut needs = needed(&[model::verification::Act::Build]);
        needs.insert(PredicateType::Decision);
        assert_eq!(shortcomings(&needs, &report, Origin::Release), []);
        let documents: usize = all.iter().map(|signed| signed.documents.len()).sum();
        assert_eq!(report.rows.len(), documents);
    }

    pub async fn what_was_signed_about_one_image_says_nothing_about_another(signer: &dyn Signer) {
        let presented: Vec<_> = signed(signer).await.iter().map(Presented::of).collect();
        let other = Digest::of(b"another image");
        let expected: usize = presented.iter().map(|all| all.documents.len()).sum();
        let refused = refusals(signer, &other, presented).await;
        assert_eq!(refused.len(), expected);
        for why in refused {
            assert!(matches!(why, Refusal::WrongSubject { .. }), "{why:?}");
        }
    }

    /// Every seventh byte of each document and signature: all are covered by the whole length.
    pub async fn a_document_that_was_changed_is_refused_wherever_the_change_is(
        signer: &dyn Signer,
    ) {
        let image = subject().digest;
        for made in signed(signer).await {
            for (number, document) in made.documents.iter().enumerate() {
                for at in (number..document.text.len()).step_by(7) {
                    let mut changed = Presented::of(&made);
                    changed.documents = vec![document.clone()];
                    let mut bytes = document.text.clone().into_bytes();
                    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                    changed.documents[0].text = String::from_utf8(bytes).expect("text");
                    let refused = refusals(signer, &image, vec![changed]).await;
                    assert_eq!(refused.len(), 1, "byte {at}: {document:?}");
                }
            }
        }
    }

    pub async fn what_is_kept_as_another_kind_is_refused(signer: &dyn Signer) {
        let image = subject().digest;
        for made in signed(signer).await {
            let mut presented = Presented::of(&made);
            presented.kind = Some(PredicateType::Spdx);
            let refused = refusals(signer, &image, vec![presented]).await;
            assert_eq!(refused.len(), made.documents.len());
            for why in refused {
                assert!(matches!(why, Refusal::WrongKind { .. }), "{why:?}");
            }
        }
    }

    pub async fn a_document_that_nobody_can_read_is_refused(signer: &dyn Signer) {
        let made = signed(signer).await.remove(0);
        for (media_type, text) in [
            (
                "application/vnd.example+json",
                made.documents[0].text.as_str(),
            ),
            ("", ""),
        ] {
            let mut presented = Presented::of(&made);
            presented.documents.truncate(1);
            presented.documents[0].media_type = media_type.into();
            presented.documents[0].text = text.into();
            let refused = refusals(signer, &subject().digest, vec![presented]).await;
            assert_eq!(refused, [Refusal::UnknownMediaType(media_type.into())]);
        }
        for cut in [0, 1, 100] {
            let mut presented = Presented::of(&made);
            for document in &mut presented.documents {
                document.text.truncate(cut);
            }
            for why in refusals(signer, &subject().digest, vec![presented]).await {
                assert!(matches!(why, Refusal::Malformed(_)), "{why:?}");
            }
        }
    }

    pub async fn a_predicate_that_is_no_json_is_not_signed(signer: &dyn Signer) {
        for bad in ["", "{", "{}{}", "\u{1}"] {
            let made = signer
                .sign(
                    &subject(),
                    PredicateType::Spdx,
                    bad.into(),
                    Timestamp::now(),
                )
                .await;
            assert!(
                matches!(made, Err(SignerError::BadPredicate { .. })),
                "{bad:?}"
            );
        }
    }

    pub async fn all_that_was_signed_is_laid_out_as_bytes_that_hash_to_their_names(
        signer: &dyn Signer,
    ) {
        let all = signed(signer).await;
        let artifacts = signer.lay_out(&subject(), &all).expect("laid out");
        let count = |layout| artifacts.iter().filter(|a| a.layout == layout).count();
        assert_eq!(count(Layout::Referrer), all.len());
        assert_eq!(count(Layout::ReferrersTag), 1);
        for artifact in &artifacts {
            let mut parts = artifact.parts.iter().chain([&artifact.manifest]);
            assert!(parts.all(|part| Digest::of(&part.bytes) == part.digest));
            let manifest: serde_json::Value =
                serde_json::from_slice(&artifact.manifest.bytes).expect("JSON");
            assert_eq!(manifest["mediaType"], artifact.manifest.media_type.as_str());
        }
    }

    pub async fn laying_out_twice_makes_the_same_bytes(signer: &dyn Signer) {
        let all = signed(signer).await;
        let first = signer.lay_out(&subject(), &all).expect("laid out");
        assert_eq!(signer.lay_out(&subject(), &all).expect("again"), first);
    }
}

pub use sentences::*;
