//! Signs as an identity: with a key that lives for one signature.

use std::sync::Arc;

use async_trait::async_trait;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use model::attestation::{Artifact, Document, PredicateType, Signed, Subject};
use model::verification::Report;
use model::{Digest, Timestamp};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::rand_core::OsRng;
use p256::pkcs8::{EncodePublicKey, LineEnding};
use ports::{Presented, Signer, SignerError};
use serde::Deserialize;

use crate::bundle::{Bundle, Material, RawBytes, SignedTimestamp, Timestamps};
use crate::dsse::{self, Envelope};
use crate::key_signer::{as_json, bad_predicate};
use crate::keyless::{Asked, Keyless, Services};
use crate::media_type::BUNDLE;
use crate::public_key::Hash;
use crate::trust::Trust;
use crate::{layout, statement};

/// Where identity tokens come from: a file that a CI system keeps fresh, or its URL.
pub trait IdentityTokens: Send + Sync {
    /// A token for the audience `sigstore`, good for some minutes.
    fn token(&self) -> Result<String, SignerError>;
}

/// Signs as the identity of a token, with services that a trusted root vouches for.
#[derive(Clone)]
pub struct KeylessSigner {
    asked: Asked,
    tokens: Arc<dyn IdentityTokens>,
    keyless: Keyless,
    trust: Trust,
}

impl KeylessSigner {
    /// A signer by `services`. What it makes is verified with `keyless` before it is handed out;
    /// `trust` is what else counts at verification.
    pub fn new(
        services: Services,
        tokens: Arc<dyn IdentityTokens>,
        keyless: Keyless,
        trust: Trust,
    ) -> Self {
        Self {
            asked: Asked::new(services),
            trust: trust.with_keyless(keyless.clone()),
            tokens,
            keyless,
        }
    }

    fn signed(
        &self,
        subject: &Subject,
        kind: PredicateType,
        predicate: Vec<u8>,
        at: Timestamp,
    ) -> Result<Signed, SignerError> {
        let predicate = as_json(&kind, predicate)?;
        let statement = statement::make(subject, &kind, &predicate);
        let statement = statement.map_err(|cause| bad_predicate(&kind, cause))?;
        let bundle = self.bundle(&statement, at)?;
        let opened = bundle.dsse_envelope.open();
        let proven = opened.and_then(|opened| self.keyless.verified(&bundle, &opened));
        let proven = proven.map_err(|why| SignerError::BadDocument {
            kind: kind.clone(),
            why: why.to_string(),
        })?;
        Ok(Signed {
            kind,
            image: subject.digest,
            by: proven.by,
            at,
            documents: vec![Document {
                media_type: BUNDLE.into(),
                text: bundle.text(),
                signature: None,
            }],
        })
    }

    fn bundle(&self, statement: &[u8], at: Timestamp) -> Result<Bundle, SignerError> {
        let token = self.tokens.token()?;
        let holder = Claims::read(&token)?.holder(at)?;
        let key = SigningKey::random(&mut OsRng);
        let pem = key.verifying_key().to_public_key_pem(LineEnding::LF);
        let pem = pem.map_err(|error| unsignable(&error))?;
        let proof = sign(&key, holder.as_bytes())?;
        let certificate = self.asked.certificate(&token, &pem, &proof)?;
        let message = dsse::encoding(statement);
        let signature = sign(&key, &message)?;
        let timestamp = self.asked.timestamp(&signature)?;
        let entry = self.asked.log_entry(&message, &signature, &certificate)?;
        let material = Material {
            certificate: Some(RawBytes {
                raw_bytes: BASE64_STANDARD.encode(&certificate),
            }),
            tlog_entries: vec![entry],
            timestamp_verification_data: Some(Timestamps {
                rfc3161_timestamps: vec![SignedTimestamp {
                    signed_timestamp: BASE64_STANDARD.encode(timestamp),
                }],
            }),
            ..Material::default()
        };
        Ok(Bundle::new(material, Envelope::new(statement, &signature)))
    }
}

#[async_trait]
impl Signer for KeylessSigner {
    async fn sign(
        &self,
        subject: &Subject,
        kind: PredicateType,
        predicate: Vec<u8>,
        at: Timestamp,
    ) -> Result<Signed, SignerError> {
        let (signer, subject) = (self.clone(), subject.clone());
        let work = move || signer.signed(&subject, kind, predicate, at);
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| unsignable(&error))?
    }

    fn lay_out(&self, subject: &Subject, signed: &[Signed]) -> Result<Vec<Artifact>, SignerError> {
        layout::lay_out(subject, signed)
    }

    async fn verify(&self, image: &Digest, presented: Vec<Presented>, now: Timestamp) -> Report {
        self.trust.verify(image, &presented, now)
    }
}

fn sign(key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, SignerError> {
    let signature: Result<DerSignature, _> = key.sign_prehash(&Hash::Sha256.of(message));
    let signature = signature.map_err(|error| unsignable(&error))?;
    Ok(signature.as_bytes().to_vec())
}

fn unsignable(error: &dyn std::error::Error) -> SignerError {
    SignerError::BadDocument {
        kind: PredicateType::Signature,
        why: error.to_string(),
    }
}

/// What a token says. The certificate authority verifies it; here its obvious faults are told
/// before anybody is asked.
#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    email: Option<String>,
    aud: Audience,
    exp: i64,
    /// When it was issued.
    iat: Option<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

const AUDIENCE: &str = "sigstore";
/// How far two clocks that are right may be apart.
const LEEWAY_SECONDS: i64 = 300;

impl Claims {
    fn read(token: &str) -> Result<Self, SignerError> {
        let mut parts = token.trim().split('.');
        let (Some(_), Some(claims), Some(_), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refused("it has not three parts"));
        };
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(refused)?;
        serde_json::from_slice(&claims).map_err(refused)
    }

    /// Whom the token is about.
    fn holder(self, at: Timestamp) -> Result<String, SignerError> {
        let is_for_us = match &self.aud {
            Audience::One(audience) => audience == AUDIENCE,
            Audience::Many(all) => all.iter().any(|audience| audience == AUDIENCE),
        };
        if !is_for_us {
            let why = format!(
                "it is for the audience {:?}, not for `{AUDIENCE}`",
                self.aud
            );
            return Err(refused(why));
        }
        if self.exp <= at.as_second() {
            return Err(refused("it has expired, or this machine's clock is ahead"));
        }
        let issued = self.iat.unwrap_or(i64::MIN);
        if issued > at.as_second().saturating_add(LEEWAY_SECONDS) {
            return Err(refused(
                "it was issued in the future: this machine's clock is behind",
            ));
        }
        Ok(self.email.unwrap_or(self.sub))
    }
}

fn refused(why: impl ToString) -> SignerError {
    let why = why.to_string();
    SignerError::Identity { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.AAAA", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    fn holder(token: &str) -> Result<String, String> {
        let at = Timestamp::from_second(100).expect("a moment");
        let claims = Claims::read(token).and_then(|claims| claims.holder(at));
        claims.map_err(|error| error.to_string())
    }

    #[test]
    fn a_token_is_looked_at_before_anybody_is_asked() {
        let good = r#"{"sub":"7","email":"ann@example.org","aud":"sigstore","exp":101}"#;
        let robot = r#"{"sub":"repo:7","aud":["x","sigstore"],"exp":101}"#;
        assert_eq!(holder(&token(good)), Ok("ann@example.org".into()));
        assert_eq!(holder(&token(robot)), Ok("repo:7".into()));
        let just_issued = good.replace("\"exp\"", "\"iat\":400,\"exp\"");
        assert_eq!(holder(&token(&just_issued)), Ok("ann@example.org".into()));
        for (bad, why) in [
            (token(&good.replace("101", "100")), "expired"),
            (token(&good.replace("sigstore", "other")), "audience"),
            (
                token(&good.replace("\"exp\"", "\"iat\":401,\"exp\"")),
                "future",
            ),
            (token("{}"), "missing field"),
            ("e30.e30".into(), "three parts"),
            ("a.b.c.d".into(), "three parts"),
            ("e30.?.AAAA".into(), "Invalid"),
        ] {
            let told = holder(&bad).expect_err("a bad token");
            assert!(told.contains(why), "{told}");
        }
    }

    struct Fixed(String);

    impl IdentityTokens for Fixed {
        fn token(&self) -> Result<String, SignerError> {
            Ok(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_service_that_does_not_answer_is_told_and_nothing_is_signed() {
        // A port that nobody listens on: it was bound a moment ago, and is free again.
        let bound = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", bound.local_addr().expect("an address"));
        drop(bound);
        let services = Services {
            authority: url.clone(),
            log: url.clone(),
            clock: url,
        };
        let keyless = Keyless {
            root: crate::TrustedRoot::read("{}").expect("an empty root"),
            identities: Vec::new(),
        };
        let claims = r#"{"sub":"7","aud":"sigstore","exp":101}"#;
        let tokens = Arc::new(Fixed(token(claims)));
        let signer = KeylessSigner::new(services, tokens, keyless, Trust::default());
        let subject = Subject {
            name: "shop".into(),
            digest: Digest::of(b"manifest"),
            media_type: String::new(),
            size_bytes: 8,
        };
        let at = Timestamp::from_second(100).expect("a moment");
        let signed = signer.sign(&subject, PredicateType::Signature, "{}".into(), at);
        let failed = signed.await.expect_err("nobody answers");
        assert!(
            matches!(failed, SignerError::Unavailable { .. }),
            "{failed:?}"
        );
    }
}
