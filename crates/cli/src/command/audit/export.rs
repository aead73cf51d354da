//! A folder that an auditor verifies on another machine, with tools that are not mayfly's.

use std::path::Path;

use api::types::Query;
use api::{Client, ClientError};
use model::attestation::PredicateType;
use model::event::Happening;
use model::failure::{Failure, FailureCode};
use serde::Serialize;

use super::all;
use crate::command::key::write;
use crate::exit::Exit;
use crate::face::{self, Reader};
use crate::witness;

const README: &str = include_str!("export/README.txt");
const VERIFY: &str = include_str!("export/verify.py");
/// What a public Ed25519 key in DER begins with (RFC 8410, section 4).
const ED25519: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Exported {
    folder: String,
    entries: u64,
    releases: usize,
}

/// Writes the folder.
pub(super) async fn export(
    client: &mut Client,
    folder: &Path,
    reader: Reader,
) -> Result<Exit, Failure> {
    require_empty(folder)?;
    let checkpoint = witness::check(client).await?;
    let events = all(client, None).await?;
    let count = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
    let mut entries = String::new();
    for event in events.iter().take(count) {
        entries.push_str(&String::from_utf8_lossy(&event.canonical_bytes()));
        entries.push('\n');
    }
    let key = client.log_key().await?;
    let (body, signature) = halves(&checkpoint.note)?;
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let signature_file = folder.join("checkpoint.sig");
    std::fs::write(signature_file, signature).map_err(|error| unwritable(folder, &error))?;
    let mut files = vec![
        ("README.txt".to_owned(), README.to_owned()),
        ("verify.py".to_owned(), VERIFY.to_owned()),
        ("entries.ndjson".to_owned(), entries),
        ("checkpoint".to_owned(), checkpoint.note.clone()),
        ("checkpoint.body".to_owned(), body),
        ("log.vkey".to_owned(), format!("{key}\n")),
        ("log.pem".to_owned(), pem(&key)?),
    ];
    let keys = client.export_keys(&Query::new()).await?;
    files.extend(
        keys.files
            .into_iter()
            .map(|(name, text)| (format!("keys/{name}"), text)),
    );
    let mut releases = 0;
    for event in &events {
        let Happening::ReleaseCreated {
            release,
            verification: Some(_),
            ..
        } = event.what
        else {
            continue;
        };
        let Some(app) = &event.app else { continue };
        let query = Query::from([("release".to_owned(), release.to_string())]);
        let dossier = match client.dossier(app, &query).await {
            Ok(dossier) => dossier,
            // Its app is gone, and its image with it; the log still tells of it.
            Err(ClientError::Refused(failure)) if failure.code == FailureCode::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        releases += 1;
        let place = format!("releases/{app}.r{release}");
        files.push((format!("{place}/image.json"), dossier.manifest.clone()));
        files.push((format!("{place}/evidence.json"), dossier.evidence.clone()));
        for signed in &dossier.statements {
            let bundles = signed.documents.iter();
            for bundle in bundles.filter(|one| one.media_type.contains("sigstore.bundle")) {
                let name = file_name(&signed.kind);
                files.push((format!("{place}/{name}.sigstore.json"), bundle.text.clone()));
            }
        }
    }
    write(folder, &files)?;
    let exported = Exported {
        folder: folder.display().to_string(),
        entries: checkpoint.size,
        releases,
    };
    match reader {
        Reader::Program => face::json(&exported),
        Reader::Person => face::line(&format!(
            "{}: {} entries, {releases} releases; README.txt says how to verify them",
            exported.folder, exported.entries
        )),
    }
    Ok(Exit::Ok)
}

fn require_empty(folder: &Path) -> Result<(), Failure> {
    let is_empty = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    match is_empty {
        true => Ok(()),
        false => Err(Failure::new(
            FailureCode::Usage,
            format!("`{}` is not an empty folder", folder.display()),
        )
        .hint("name a new folder")),
    }
}

/// What was signed, and the signature's bytes (C2SP signed-note).
fn halves(note: &str) -> Result<(String, Vec<u8>), Failure> {
    let parts = || {
        let (body, signatures) = note.split_once("\n\n")?;
        let encoded = signatures.lines().next()?.rsplit(' ').next()?;
        let signature = base64(encoded)?;
        // Four bytes say which key it is.
        Some((format!("{body}\n"), signature.get(4..)?.to_vec()))
    };
    parts().ok_or_else(|| Failure::internal("the log's checkpoint cannot be read"))
}

/// The log's key for openssl.
fn pem(verifier: &str) -> Result<String, Failure> {
    // Base64 has `+` too; names and ids have none.
    let key = verifier.splitn(3, '+').nth(2).and_then(base64);
    let key = key.filter(|key| key.len() == 33);
    let key = key.ok_or_else(|| Failure::internal("the log's key cannot be read"))?;
    let der = [&ED25519[..], &key[1..]].concat();
    let text = encode(&der);
    Ok(format!(
        "-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
    ))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use ::base64::prelude::{BASE64_STANDARD, Engine};
    BASE64_STANDARD.decode(text).ok()
}

fn encode(bytes: &[u8]) -> String {
    use ::base64::prelude::{BASE64_STANDARD, Engine};
    BASE64_STANDARD.encode(bytes)
}

fn file_name(kind: &PredicateType) -> String {
    kind.to_string()
        .to_lowercase()
        .replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

fn unwritable(folder: &Path, error: &std::io::Error) -> Failure {
    let text = format!("`{}` cannot be written to", folder.display());
    Failure::new(FailureCode::Usage, text).because(error.to_string())
}
