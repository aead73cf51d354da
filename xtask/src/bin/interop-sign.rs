//! What `cargo xtask interop` has signed and verified: by the room that the server uses, without a
//! server around it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use attest::{
    Identity, IdentityTokens, KeyFolder, KeySigner, Keyless, KeylessSigner, PublicKey, Services,
    Trust, TrustedKey, TrustedRoot, layout,
};
use model::attestation::{Artifact, Part, PredicateType, Subject};
use model::{Digest, Timestamp};
use ports::{KeyRing, Presented, Signer, SignerError};
use serde_json::{Value, json};

/// `sign FOLDER NAME` signs `FOLDER/manifest.json` with the keys in `FOLDER/keys` as the image
/// `NAME`, and writes all that goes into a registry; `verify FOLDER PUBLIC_KEY KIND` verifies the
/// layers in `FOLDER/found.json` for the image of `FOLDER/manifest.json`: all of them have to hold,
/// and one of them has to be of that kind. `sign-keyless FOLDER NAME SUBJECT ISSUER CLOCK` signs
/// with `FOLDER/token` by the services of `FOLDER/signing_config.json`, and
/// `verify-keyless FOLDER SUBJECT ISSUER KIND CLOCK` verifies; both trust
/// `FOLDER/trusted_root.json`, and their clock is that many seconds ahead.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match run(&words).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[String]) -> Result<()> {
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sign", folder, name] => sign(Path::new(folder), name).await,
        ["verify", folder, key, kind] => {
            let key = PublicKey::from_pem(&fs::read_to_string(key)?)?;
            let trust = Trust::default().with_keys(vec![TrustedKey::always(key)]);
            verify(Path::new(folder), &trust, &wanted(kind)?, Timestamp::now())
        }
        ["sign-keyless", folder, name, subject, issuer, clock] => {
            let identity = identity(subject, issuer);
            sign_keyless(Path::new(folder), name, identity, ahead(clock)?).await
        }
        ["verify-keyless", folder, subject, issuer, kind, clock] => {
            let folder = Path::new(folder);
            let keyless = keyless(folder, identity(subject, issuer))?;
            let trust = Trust::default().with_keyless(keyless);
            verify(folder, &trust, &wanted(kind)?, ahead(clock)?)
        }
        _ => bail!("sign | verify | sign-keyless | verify-keyless"),
    }
}

/// What a clock says that is `seconds` ahead, or behind.
fn ahead(seconds: &str) -> Result<Timestamp> {
    let seconds = jiff::SignedDuration::from_secs(seconds.parse()?);
    Ok(Timestamp::now() + seconds)
}

fn wanted(kind: &str) -> Result<PredicateType> {
    match kind {
        "signature" => Ok(PredicateType::Signature),
        "spdx" => Ok(PredicateType::Spdx),
        _ => bail!("no kind `{kind}`"),
    }
}

async fn sign(folder: &Path, name: &str) -> Result<()> {
    let now = Timestamp::now();
    let manifest = fs::read(folder.join("manifest.json"))?;
    let subject = subject(&manifest, name);
    let keys = KeyFolder::open(&folder.join("keys"), now)?;
    let signer = KeySigner::new(keys.clone(), Trust::default());
    let mut signed = Vec::new();
    for (kind, predicate) in predicates() {
        let predicate = predicate.to_string().into_bytes();
        signed.push(signer.sign(&subject, kind, predicate, now).await?);
    }
    write(folder, &signer.lay_out(&subject, &signed)?)?;
    let export = keys.export(&format!("{name}@{}", subject.digest)).await;
    for (file, content) in &export.files {
        fs::write(folder.join(file), content)?;
    }
    let commands = serde_json::to_vec(&export.commands)?;
    Ok(fs::write(folder.join("commands.json"), commands)?)
}

/// Signs all or nothing: a failure leaves no file. It says which error it is, in Rust's words.
async fn sign_keyless(folder: &Path, name: &str, identity: Identity, now: Timestamp) -> Result<()> {
    let subject = subject(&fs::read(folder.join("manifest.json"))?, name);
    let config = fs::read_to_string(folder.join("signing_config.json"))?;
    let tokens = Arc::new(TokenFile(folder.join("token")));
    let keyless = keyless(folder, identity)?;
    let services = Services::read(&config, now)?;
    let signer = KeylessSigner::new(services, tokens, keyless, Trust::default());
    let mut signed = Vec::new();
    for (kind, predicate) in predicates() {
        let predicate = predicate.to_string().into_bytes();
        let one = signer.sign(&subject, kind, predicate, now).await;
        signed.push(one.map_err(|error| anyhow!("{error:?}"))?);
    }
    write(folder, &signer.lay_out(&subject, &signed)?)
}

fn identity(subject: &str, issuer: &str) -> Identity {
    Identity {
        subject: subject.into(),
        issuer: issuer.into(),
    }
}

fn keyless(folder: &Path, identity: Identity) -> Result<Keyless> {
    let root = fs::read_to_string(folder.join("trusted_root.json"))?;
    Ok(Keyless {
        root: TrustedRoot::read(&root)?,
        identities: vec![identity],
    })
}

struct TokenFile(PathBuf);

impl IdentityTokens for TokenFile {
    fn token(&self) -> Result<String, SignerError> {
        let read = fs::read_to_string(&self.0);
        read.map_err(|error| SignerError::Identity {
            why: error.to_string(),
        })
    }
}

fn subject(manifest: &[u8], name: &str) -> Subject {
    Subject {
        name: name.into(),
        digest: Digest::of(manifest),
        media_type: attest::media_type::MANIFEST.into(),
        size_bytes: manifest.len() as u64,
    }
}

/// The smallest documents of each kind that cosign takes for one.
fn predicates() -> [(PredicateType, Value); 4] {
    let spdx = json!({
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "name": "app",
        "dataLicense": "CC0-1.0",
        "documentNamespace": "urn:mayfly:sbom:app",
        "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: mayfly"] },
    });
    let cyclonedx = json!({ "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1 });
    let provenance = json!({
        "buildDefinition": {
            "buildType": model::provenance::BUILD_TYPE,
            "externalParameters": {},
        },
        "runDetails": { "builder": { "id": "urn:mayfly:builder:local" } },
    });
    [
        (PredicateType::Signature, json!({})),
        (PredicateType::Provenance, provenance),
        (PredicateType::Spdx, spdx),
        (PredicateType::CycloneDx, cyclonedx),
    ]
}

fn write(folder: &Path, artifacts: &[Artifact]) -> Result<()> {
    let part = |part: &Part| -> Result<Value> {
        let text = String::from_utf8(part.bytes.clone()).context("all of it is JSON")?;
        Ok(json!({ "media_type": part.media_type, "digest": part.digest, "text": text }))
    };
    let mut list = Vec::new();
    for artifact in artifacts {
        let parts: Result<Vec<_>> = artifact.parts.iter().map(part).collect();
        list.push(json!({
            "layout": artifact.layout,
            "tag": artifact.tag,
            "manifest": part(&artifact.manifest)?,
            "parts": parts?,
        }));
    }
    Ok(fs::write(
        folder.join("artifacts.json"),
        serde_json::to_vec(&list)?,
    )?)
}

fn verify(folder: &Path, trust: &Trust, kind: &PredicateType, now: Timestamp) -> Result<()> {
    let image = Digest::of(&fs::read(folder.join("manifest.json"))?);
    let presented = found(&folder.join("found.json"))?;
    let report = trust.verify(&image, &presented, now);
    for row in &report.rows {
        println!("{row:?}");
    }
    if let Some(why) = report
        .rows
        .iter()
        .find_map(|row| row.outcome.as_ref().err())
    {
        bail!("refused: {why}");
    }
    let mut kinds = report.rows.iter().filter_map(|row| row.kind.as_ref());
    match kinds.any(|found| found == kind) {
        true => Ok(()),
        false => bail!("refused: {kind} is missing"),
    }
}

fn found(file: &PathBuf) -> Result<Vec<Presented>> {
    let layers: Vec<Value> = serde_json::from_slice(&fs::read(file)?)?;
    let presented = layers.iter().map(|layer| {
        let text = |field: &str| layer[field].as_str().unwrap_or_default().to_owned();
        let document = layout::document(&text("media_type"), text("text"), &layer["annotations"]);
        Presented {
            kind: None,
            documents: vec![document],
            recorded: None,
        }
    });
    Ok(presented.collect())
}
