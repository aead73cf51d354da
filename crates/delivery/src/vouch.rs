//! What is signed about images: made, kept as evidence, and checked again.

use std::time::{Duration, Instant};

use bytes::Bytes;
use model::attestation::{Document, Kept, PredicateType, Signed, Subject};
use model::transparency::Inclusion;
use model::verification::{Act, Origin, Report, Shortcoming, needed, shortcomings};
use model::{AppName, Digest, Failure, FailureCode};
use ports::{Presented, ProgressSink, Recorded};
use serde::Deserialize;

use crate::Delivery;
use crate::report::StageReport;

/// How long to wait before a signing service is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What was found out about an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// A line a document.
    pub report: Report,
    /// Why it does not verify; nothing is good.
    pub shortcomings: Vec<Shortcoming>,
}

impl Judgement {
    /// Fails when anything is missing or does not hold.
    pub fn require(self, what: &str) -> Result<Report, Failure> {
        if self.shortcomings.is_empty() {
            return Ok(self.report);
        }
        let failure = Failure::new(FailureCode::NotVerified, format!("{what} does not verify"))
            .hint("run `mayfly up` to build and sign it again");
        let why = self.shortcomings.iter();
        Err(why.fold(failure, |failure, why| failure.because(why.to_string())))
    }
}

impl Delivery {
    /// The image as what is signed names it.
    pub(crate) async fn subject(&self, app: &AppName, image: &Digest) -> Result<Subject, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Manifest {
            media_type: String,
        }
        let bytes = self.blob(image).await?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::internal("an image's manifest").because(error.to_string()))?;
        Ok(Subject {
            name: self.ports.registry.repository(app),
            digest: *image,
            media_type: manifest.media_type,
            size_bytes: bytes.len() as u64,
        })
    }

    /// Signs that `predicate` holds for an image. While a signing service does not answer, it waits
    /// as long as the settings say, and fails then: nothing goes on unsigned.
    pub(crate) async fn vouch(
        &self,
        subject: &Subject,
        kind: PredicateType,
        predicate: &[u8],
        report: &StageReport<'_>,
    ) -> Result<Signed, Failure> {
        let begun = Instant::now();
        let mut told = false;
        loop {
            let (now, predicate) = (self.ports.clock.now(), predicate.to_vec());
            let signed = self
                .ports
                .signer
                .sign(subject, kind.clone(), predicate, now);
            let error = match signed.await {
                Ok(signed) => return Ok(signed),
                Err(error) => error,
            };
            let failure = Failure::of(&error);
            if !failure.retryable || begun.elapsed() + ASK_AGAIN > self.settings.sign_within {
                return Err(failure);
            }
            if !std::mem::replace(&mut told, true) {
                report.notice(&format!("{failure}; waiting for it"));
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Keeps what was signed, with one flush.
    pub(crate) async fn keep(&self, signed: &[Signed]) -> Result<Vec<Kept>, Failure> {
        let documents = signed.iter().flat_map(|one| &one.documents);
        let texts = documents.map(|document| (None, Bytes::from(document.text.clone())));
        self.ports
            .blobs
            .put_all(texts.collect())
            .await
            .map_err(|error| Failure::of(&error))?;
        Ok(signed.iter().map(Signed::kept).collect())
    }

    /// What was kept, with its texts. A text that is lost or damaged fails.
    pub(crate) async fn unkept(&self, kept: &[Kept]) -> Result<Vec<Signed>, Failure> {
        let mut signed = Vec::with_capacity(kept.len());
        for one in kept {
            signed.push(self.unkept_one(one).await?);
        }
        Ok(signed)
    }

    async fn unkept_one(&self, kept: &Kept) -> Result<Signed, Failure> {
        let mut documents = Vec::with_capacity(kept.documents.len());
        for document in &kept.documents {
            let text = self.blob(&document.text).await?;
            documents.push(Document {
                media_type: document.media_type.clone(),
                text: String::from_utf8_lossy(&text).into_owned(),
                signature: document.signature.clone(),
            });
        }
        Ok(Signed {
            kind: kept.kind.clone(),
            image: kept.image,
            by: kept.by.clone(),
            at: kept.at,
            documents,
        })
    }

    /// Whether `signed` is all that an image of this server must have when `acts` were done to it.
    pub(crate) async fn judge(
        &self,
        image: &Digest,
        signed: &[Signed],
        acts: &[Act],
        recorded: Option<Recorded>,
    ) -> Judgement {
        let presented = signed.iter().map(|one| Presented {
            recorded: recorded.clone(),
            ..Presented::of(one)
        });
        let now = self.ports.clock.now();
        let signer = &self.ports.signer;
        let report = signer.verify(image, presented.collect(), now).await;
        Judgement {
            shortcomings: shortcomings(&needed(acts), &report, Origin::Release),
            report,
        }
    }

    pub(crate) async fn blob(&self, digest: &Digest) -> Result<Bytes, Failure> {
        let blob = self.ports.blobs.get(digest).await;
        blob.map_err(|error| Failure::of(&error))
    }
}

/// What the log's entry of a release says about the documents that `evidence` names.
pub(crate) fn recorded(inclusion: Inclusion, evidence: &[u8]) -> Recorded {
    Recorded {
        inclusion,
        evidence: Some(String::from_utf8_lossy(evidence).into_owned()),
    }
}
