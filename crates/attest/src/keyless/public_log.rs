//! Entries of a public log: Rekor's tiles (v2), and its first version.
//!
//! Source: sigstore/protobuf-specs, sigstore_rekor.proto; sigstore/rekor-tiles, api/proto;
//! C2SP tlog-checkpoint and signed-note.

use base64::prelude::{BASE64_STANDARD, Engine};
use model::transparency::Checkpoint;
use model::verification::Refusal;
use model::{Digest, Timestamp};
use serde_json::{Value, json};
use signed_note::{Note, Signature};
use tlog_tiles::record_hash;

use super::certificate::Certificate;
use super::trusted_root::{Log, TrustedRoot};
use crate::bundle::{InclusionProof, LogEntry, Material};
use crate::dsse::{self, Opened};
use crate::log::check_entry;
use crate::public_key::Hash;

fn refused(why: impl ToString) -> Refusal {
    Refusal::Log(why.to_string())
}

/// The times at which public logs say that they took the signature. Every entry must hold, and
/// there must be one when a log is trusted. Rekor's tiles say no time.
pub(super) fn all(
    root: &TrustedRoot,
    material: &Material,
    opened: &Opened,
    signature: &[u8],
    certificate: &Certificate,
) -> Result<Vec<Timestamp>, Refusal> {
    if material.tlog_entries.is_empty() && !root.logs.is_empty() {
        return Err(refused("there is none"));
    }
    let mut times = Vec::new();
    for entry in &material.tlog_entries {
        let log = log_of(root, entry)?;
        let body = dsse::decode("canonicalizedBody", &entry.canonicalized_body)?;
        check_body(entry, &body, opened, signature, certificate)?;
        if let Some(proof) = &entry.inclusion_proof {
            check_inclusion(log, entry, proof, &body)?;
        }
        let promised = promised_time(log, entry)?;
        if entry.inclusion_proof.is_none() && promised.is_none() {
            return Err(refused("it has no proof"));
        }
        times.extend(promised);
    }
    Ok(times)
}

fn log_of<'a>(root: &'a TrustedRoot, entry: &LogEntry) -> Result<&'a Log, Refusal> {
    let id = dsse::decode("keyId", &entry.log_id.key_id)?;
    let log = root.logs.iter().find(|log| log.id == id);
    log.ok_or_else(|| refused("it is in a log that is not trusted"))
}

/// Whether an entry is about this signature, over this text, with this certificate.
fn check_body(
    entry: &LogEntry,
    body: &[u8],
    opened: &Opened,
    signature: &[u8],
    certificate: &Certificate,
) -> Result<(), Refusal> {
    let body: Value = serde_json::from_slice(body).map_err(refused)?;
    let kind = entry.kind_version.kind.as_str();
    let version = entry.kind_version.version.as_str();
    if body["kind"] != kind || body["apiVersion"] != version {
        return Err(refused("it is of another kind than it says"));
    }
    let signature = BASE64_STANDARD.encode(signature);
    let der = BASE64_STANDARD.encode(&certificate.der);
    let hash = |text: &[u8]| Hash::Sha256.of(text);
    let is_about = match (kind, version) {
        ("hashedrekord", "0.0.2") => {
            let spec = &body["spec"]["hashedRekordV002"];
            spec["data"]["digest"] == BASE64_STANDARD.encode(hash(&opened.message))
                && spec["data"]["algorithm"] == "SHA2_256"
                && spec["signature"]["content"] == signature
                && spec["signature"]["verifier"]["x509Certificate"]["rawBytes"] == der
        }
        ("dsse", "0.0.2") => {
            let spec = &body["spec"]["dsseV002"];
            let made = &spec["signatures"][0];
            spec["payloadHash"]["digest"] == BASE64_STANDARD.encode(hash(&opened.statement))
                && spec["payloadHash"]["algorithm"] == "SHA2_256"
                && made["content"] == signature
                && made["verifier"]["x509Certificate"]["rawBytes"] == der
        }
        ("dsse", "0.0.1") => {
            let spec = &body["spec"];
            let made = &spec["signatures"][0];
            let digest = Digest::of(&opened.statement);
            spec["payloadHash"]["value"] == digest.hex()
                && spec["payloadHash"]["algorithm"] == "sha256"
                && made["signature"] == signature
                && is_pem_of(&made["verifier"], &certificate.der)
        }
        ("intoto", "0.0.2") => {
            let content = &body["spec"]["content"];
            let made = &content["envelope"]["signatures"][0];
            let digest = Digest::of(&opened.statement);
            content["payloadHash"]["value"] == digest.hex()
                && content["payloadHash"]["algorithm"] == "sha256"
                // This kind encodes it twice.
                && made["sig"] == BASE64_STANDARD.encode(&signature)
                && is_pem_of(&made["publicKey"], &certificate.der)
        }
        _ => return Err(refused(format!("the kind {kind} {version} is not known"))),
    };
    match is_about {
        true => Ok(()),
        false => Err(refused("it is about something else")),
    }
}

/// Whether a Base64 text holds a certificate in PEM.
fn is_pem_of(text: &Value, der: &[u8]) -> bool {
    let pem = BASE64_STANDARD.decode(text.as_str().unwrap_or_default());
    let pem = pem.ok().and_then(|pem| String::from_utf8(pem).ok());
    let read = pem.and_then(|pem| {
        der::Document::from_pem(pem.trim())
            .map(|(_, read)| read)
            .ok()
    });
    read.is_some_and(|read| read.as_bytes() == der)
}

fn check_inclusion(
    log: &Log,
    entry: &LogEntry,
    proof: &InclusionProof,
    body: &[u8],
) -> Result<(), Refusal> {
    let checkpoint = checkpoint(log, &proof.checkpoint.envelope)?;
    let root = BASE64_STANDARD.encode(checkpoint.root.as_bytes());
    if root != proof.root_hash || checkpoint.size.to_string() != proof.tree_size {
        return Err(refused("the proof is for another checkpoint"));
    }
    if is_of_tiles(entry) && entry.log_index != proof.log_index {
        return Err(refused("the proof is for another entry"));
    }
    let index = proof.log_index.parse().map_err(refused)?;
    let mut path = Vec::new();
    for hash in &proof.hashes {
        let hash = dsse::decode("hashes", hash)?.try_into();
        let hash = hash.map_err(|_| refused("a hash has another length"))?;
        path.push(Digest::from_bytes(hash));
    }
    check_entry(&checkpoint, index, record_hash(body), &path).map_err(refused)
}

/// Whether it is an entry of the second version, which counts within one log only.
fn is_of_tiles(entry: &LogEntry) -> bool {
    let kind = &entry.kind_version;
    kind.version == "0.0.2" && kind.kind != "intoto"
}

/// Reads a checkpoint that the log signed. It signs by whatever name, with the beginning of its id.
fn checkpoint(log: &Log, note: &str) -> Result<Checkpoint, Refusal> {
    let read = Note::from_bytes(note.as_bytes()).map_err(refused)?;
    let (_, signatures) = note.rsplit_once("\n\n").unwrap_or_default();
    let is_signed = signatures.lines().any(|line| {
        let signature = Signature::from_bytes(line.as_bytes());
        signature.is_ok_and(|signature| {
            log.id.first_chunk() == Some(&signature.id().to_be_bytes())
                && log.key.signed(read.text(), signature.signature())
        })
    });
    if !is_signed {
        return Err(refused("the log did not sign the checkpoint"));
    }
    let text = tlog_tiles::Checkpoint::from_bytes(read.text()).map_err(refused)?;
    Ok(Checkpoint {
        origin: text.origin().into(),
        size: text.size(),
        root: Digest::from_bytes(text.hash().0),
        note: note.into(),
    })
}

/// The time that a log of the first version promised to have taken the entry at.
fn promised_time(log: &Log, entry: &LogEntry) -> Result<Option<Timestamp>, Refusal> {
    let Some(promise) = &entry.inclusion_promise else {
        return Ok(None);
    };
    let number = |text: &str| text.parse::<i64>().map_err(refused);
    let time = number(&entry.integrated_time)?;
    // The canonical form: its keys are in order.
    let message = json!({
        "body": entry.canonicalized_body,
        "integratedTime": time,
        "logID": hex(&log.id),
        "logIndex": number(&entry.log_index)?,
    });
    let signature = promise["signedEntryTimestamp"].as_str().unwrap_or_default();
    let signature = dsse::decode("signedEntryTimestamp", signature)?;
    let at = Timestamp::from_second(time).map_err(refused)?;
    let holds = log.valid.holds(at) && log.key.signed(message.to_string().as_bytes(), &signature);
    match holds {
        true => Ok(Some(at)),
        false => Err(refused("the promise does not hold")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
