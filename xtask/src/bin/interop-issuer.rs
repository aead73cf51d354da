//! What `cargo xtask interop keyless` needs beside the real services: an issuer of identity tokens,
//! and an endpoint for certificate transparency that is the test's own. It signs receipts for
//! certificates and keeps no log of them.
//!
//! Source: OpenID Connect Discovery 1.0; RFC 7515, RFC 7517 and RFC 7518 (ES256); RFC 6962,
//! sections 3.2 and 4.2.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use der::asn1::ObjectIdentifier;
use der::{Decode, Encode};
use ed25519_dalek::pkcs8::EncodePrivateKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, Signature, SigningKey};
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use p256::pkcs8::{EncodePublicKey, LineEnding};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use x509_cert::Certificate;

/// Argument: a folder, for the public key of the endpoint (`certificates.pub`) and a pair of keys
/// for the public log (`log.pem`, `log.pub`). Prints its port; ends when its input does.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("in which folder?")?;
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    let keys = Keys {
        issuer: format!("http://127.0.0.1:{port}"),
        tokens: SigningKey::random(&mut OsRng),
        nobodys: SigningKey::random(&mut OsRng),
        certificates: SigningKey::random(&mut OsRng),
    };
    fs::write(folder.join("certificates.pub"), pem(&keys.certificates)?)?;
    make_log_key(&folder)?;
    println!("{port}");
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(configuration))
        .route("/keys", get(public_keys))
        .route("/token", get(token))
        .route("/certificates/ct/v1/add-pre-chain", post(receipt))
        .with_state(Arc::new(keys));
    let ended =
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
    let serve = axum::serve(listener, routes).with_graceful_shutdown(async {
        let _ = ended.await;
    });
    Ok(serve.await?)
}

struct Keys {
    issuer: String,
    tokens: SigningKey,
    /// Of no issuer: what it signs is a forgery.
    nobodys: SigningKey,
    certificates: SigningKey,
}

fn pem(key: &SigningKey) -> Result<String> {
    Ok(key.verifying_key().to_public_key_pem(LineEnding::LF)?)
}

fn make_log_key(folder: &Path) -> Result<()> {
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    let key = ed25519_dalek::SigningKey::from_bytes(&seed);
    let private = key.to_pkcs8_pem(LineEnding::LF)?;
    fs::write(folder.join("log.pem"), private.as_bytes())?;
    let public = key.verifying_key().to_public_key_pem(LineEnding::LF)?;
    Ok(fs::write(folder.join("log.pub"), public)?)
}

async fn configuration(State(keys): State<Arc<Keys>>) -> Json<Value> {
    let issuer = &keys.issuer;
    Json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/keys"),
        "authorization_endpoint": format!("{issuer}/nobody-is-asked"),
        "token_endpoint": format!("{issuer}/token"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

async fn public_keys(State(keys): State<Arc<Keys>>) -> Json<Value> {
    let point = keys.tokens.verifying_key().to_encoded_point(false);
    let half = |bytes: Option<&p256::FieldBytes>| {
        BASE64_URL_SAFE_NO_PAD.encode(bytes.map(|bytes| bytes.as_slice()).unwrap_or_default())
    };
    Json(json!({ "keys": [{
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
        "x": half(point.x()), "y": half(point.y()),
    }]}))
}

/// What a token is to say.
#[derive(Deserialize)]
struct Wish {
    email: String,
    audience: String,
    /// When it was issued, in seconds from now.
    issued: i64,
    /// How long it is good from then on, in seconds.
    lifetime: i64,
    signer: SignedWith,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum SignedWith {
    Issuer,
    Nobody,
}

async fn token(State(keys): State<Arc<Keys>>, Query(wish): Query<Wish>) -> String {
    let issued = i64::try_from(unix_millis() / 1000).unwrap_or(0) + wish.issued;
    let header = json!({ "alg": "ES256", "kid": "1", "typ": "JWT" });
    let claims = json!({
        "iss": keys.issuer,
        "sub": "1",
        "aud": wish.audience,
        "email": wish.email,
        "email_verified": true,
        "iat": issued,
        "exp": issued + wish.lifetime,
    });
    let [header, claims] =
        [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
    let key = match wish.signer {
        SignedWith::Issuer => &keys.tokens,
        SignedWith::Nobody => &keys.nobodys,
    };
    let message = format!("{header}.{claims}");
    let signature: Signature = key.sign(message.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
    format!("{message}.{signature}")
}

/// A certificate that is about to be made, and those above it.
#[derive(Deserialize)]
struct Chain {
    chain: Vec<String>,
}

async fn receipt(
    State(keys): State<Arc<Keys>>,
    Json(chain): Json<Chain>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let made = receipt_of(&keys.certificates, &chain);
    made.map(Json)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error:#}")))
}

/// The extension that marks a certificate as not made yet.
const POISON: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.3");

fn receipt_of(key: &SigningKey, chain: &Chain) -> Result<Value> {
    let read = |number: usize| -> Result<Certificate> {
        let text = chain.chain.get(number).context("a chain of two")?;
        Ok(Certificate::from_der(&BASE64_STANDARD.decode(text)?)?)
    };
    let (mut certificate, issuer) = (read(0)?.tbs_certificate, read(1)?.tbs_certificate);
    let extensions = certificate.extensions.as_mut().context("no extensions")?;
    extensions.retain(|extension| extension.extn_id != POISON);
    let millis = unix_millis();
    let message = signed_part(
        millis,
        &issuer.subject_public_key_info.to_der()?,
        &certificate.to_der()?,
    );
    let signature: DerSignature = key.sign(&message);
    let id = Sha256::digest(key.verifying_key().to_public_key_der()?.as_bytes());
    Ok(json!({
        "sct_version": 0,
        "id": BASE64_STANDARD.encode(id),
        "timestamp": millis,
        "extensions": "",
        "signature": BASE64_STANDARD.encode(digitally_signed(signature.as_bytes())),
    }))
}

fn signed_part(millis: u64, issuer: &[u8], certificate: &[u8]) -> Vec<u8> {
    const VERSION_AND_KIND: [u8; 2] = [0, 0];
    const PRECERTIFICATE: [u8; 2] = [0, 1];
    const NO_EXTENSIONS: [u8; 2] = [0, 0];
    let length = u32::try_from(certificate.len()).unwrap_or(u32::MAX);
    [
        VERSION_AND_KIND.as_slice(),
        &millis.to_be_bytes(),
        &PRECERTIFICATE,
        &Sha256::digest(issuer),
        &length.to_be_bytes()[1..],
        certificate,
        &NO_EXTENSIONS,
    ]
    .concat()
}

/// A signature as TLS writes it: SHA-256, ECDSA, its length, itself.
fn digitally_signed(signature: &[u8]) -> Vec<u8> {
    let length = u16::try_from(signature.len()).unwrap_or(u16::MAX);
    [&[4, 3], length.to_be_bytes().as_slice(), signature].concat()
}

fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
