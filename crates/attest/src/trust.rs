//! Whom to believe, and whether a document is theirs.

use std::sync::Arc;

use model::attestation::{Document, PredicateType, SignedBy};
use model::signing_key::Validity;
use model::verification::{Refusal, Report, Row, Verified};
use model::{Digest, Timestamp};
use ports::Presented;

use crate::bundle::{self, Bundle};
use crate::dsse::{self, Envelope, Opened};
use crate::keyless::{Keyless, Proven};
use crate::log::LogVerifier;
use crate::media_type::{BUNDLE, ENVELOPE, SIMPLE_SIGNING};
use crate::public_key::PublicKey;
use crate::statement::Statement;
use crate::{recorded, simple_signing};

/// A key, and when its signatures count.
#[derive(Debug, Clone)]
pub struct TrustedKey {
    /// The key.
    pub key: PublicKey,
    /// When it counts.
    pub validity: Validity,
}

impl TrustedKey {
    /// A key of somebody else, which counts whenever.
    pub fn always(key: PublicKey) -> Self {
        let validity = Validity::starting(Timestamp::MIN);
        Self { key, validity }
    }
}

/// All whom to believe. Trusts nobody by default.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    keys: Vec<TrustedKey>,
    log: Option<LogVerifier>,
    keyless: Option<Arc<Keyless>>,
}

/// What a document says, and who says so, before its time is looked at.
struct Said<'a> {
    kind: PredicateType,
    by: By<'a>,
}

enum By<'a> {
    Key(&'a TrustedKey),
    /// Whose time is proven already.
    Certificate(Proven),
}

impl Trust {
    /// Believes `keys` too.
    #[must_use]
    pub fn with_keys(mut self, keys: Vec<TrustedKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Believes what the transparency log proves.
    #[must_use]
    pub fn with_log(mut self, log: LogVerifier) -> Self {
        self.log = Some(log);
        self
    }

    /// Believes identities that certificates vouch for.
    #[must_use]
    pub fn with_keyless(mut self, keyless: Keyless) -> Self {
        self.keyless = Some(Arc::new(keyless));
        self
    }

    /// What holds of the documents that are presented for `image`: a row a document.
    pub fn verify(&self, image: &Digest, presented: &[Presented], now: Timestamp) -> Report {
        let rows = presented.iter().flat_map(|one| {
            let rows = one.documents.iter();
            rows.map(|document| self.row(image, one, document, now))
        });
        let rows = rows.collect();
        Report { rows }
    }

    fn row(
        &self,
        image: &Digest,
        presented: &Presented,
        document: &Document,
        now: Timestamp,
    ) -> Row {
        let outcome = self.verified(image, presented, document, now);
        let found = outcome.as_ref().ok().map(|verified| verified.kind.clone());
        let kind = presented.kind.clone().or(found);
        Row { kind, outcome }
    }

    fn verified(
        &self,
        image: &Digest,
        presented: &Presented,
        document: &Document,
        now: Timestamp,
    ) -> Result<Verified, Refusal> {
        let said = self.said(image, document)?;
        let log = self.log.as_ref();
        let recorded = presented.recorded.as_ref();
        let proven_at = recorded
            .map(|recorded| recorded::proven_at(log, recorded, document))
            .transpose()?;
        let (by, proven_at) = match said.by {
            By::Certificate(proven) => (proven.by, Some(proven.at)),
            By::Key(trusted) => {
                let counts = trusted.validity.counts(proven_at.unwrap_or(now));
                counts.map_err(Refusal::Key)?;
                (SignedBy::Key(trusted.key.id()), proven_at)
            }
        };
        let kind = said.kind;
        match presented.kind.clone() {
            Some(expected) if expected != kind => Err(Refusal::WrongKind {
                expected,
                found: kind,
            }),
            _ => Ok(Verified {
                kind,
                by,
                proven_at,
            }),
        }
    }

    fn said(&self, image: &Digest, document: &Document) -> Result<Said<'_>, Refusal> {
        match document.media_type.as_str() {
            SIMPLE_SIGNING => self.simply_signed(image, document),
            ENVELOPE => self.in_envelope(image, &Envelope::read(&document.text)?),
            BUNDLE => self.in_bundle(image, &Bundle::read(&document.text)?),
            other => Err(Refusal::UnknownMediaType(other.into())),
        }
    }

    fn simply_signed(&self, image: &Digest, document: &Document) -> Result<Said<'_>, Refusal> {
        let signature = document.signature.as_deref().unwrap_or_default();
        let signature = dsse::decode("signature", signature)?;
        simple_signing::about(&document.text, image)?;
        let by = By::Key(self.any_key(document.text.as_bytes(), &[signature])?);
        let kind = PredicateType::Signature;
        Ok(Said { kind, by })
    }

    fn in_envelope(&self, image: &Digest, envelope: &Envelope) -> Result<Said<'_>, Refusal> {
        let opened = envelope.open()?;
        let by = By::Key(self.any_key(&opened.message, &opened.signatures)?);
        let kind = Statement::read(&opened.statement)?.about(image)?;
        Ok(Said { kind, by })
    }

    fn in_bundle(&self, image: &Digest, bundle: &Bundle) -> Result<Said<'_>, Refusal> {
        let opened = bundle.dsse_envelope.open()?;
        let by = match &bundle.verification_material.public_key {
            Some(named) => By::Key(self.named_key(&named.hint, &opened)?),
            None => By::Certificate(self.certified(bundle, &opened)?),
        };
        let kind = Statement::read(&opened.statement)?.about(image)?;
        Ok(Said { kind, by })
    }

    fn certified(&self, bundle: &Bundle, opened: &Opened) -> Result<Proven, Refusal> {
        let keyless = self
            .keyless
            .as_ref()
            .ok_or_else(|| Refusal::Certificate("no authority is trusted".into()))?;
        keyless.verified(bundle, opened)
    }

    fn any_key(&self, message: &[u8], signatures: &[Vec<u8>]) -> Result<&TrustedKey, Refusal> {
        let signed = |trusted: &&TrustedKey| {
            let mut all = signatures.iter();
            all.any(|signature| trusted.key.signed(message, signature))
        };
        self.keys.iter().find(signed).ok_or(Refusal::NoKeyFits)
    }

    fn named_key(&self, hint: &str, opened: &Opened) -> Result<&TrustedKey, Refusal> {
        let is_named = |trusted: &&TrustedKey| bundle::hint(trusted.key.id()) == hint;
        let Some(trusted) = self.keys.iter().find(is_named) else {
            return Err(Refusal::WrongKey);
        };
        let mut signatures = opened.signatures.iter();
        match signatures.any(|signature| trusted.key.signed(&opened.message, signature)) {
            true => Ok(trusted),
            false => Err(Refusal::BadSignature),
        }
    }
}
