//! Signed manifests on their way into a registry, and what a forger does to them there.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::door::Door;

/// A manifest with its blobs.
#[derive(Debug, Clone, Deserialize)]
pub struct LaidOut {
    /// Which layout it belongs to.
    pub layout: String,
    /// The tag it goes by; else its digest.
    pub tag: Option<String>,
    manifest: Part,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Deserialize)]
struct Part {
    media_type: String,
    digest: String,
    text: String,
}

/// Where a forger changes one letter for another.
#[derive(Debug, Clone, Copy)]
pub struct Forgery {
    /// What is changed.
    pub name: &'static str,
    /// The text right before the letter, in the manifest or in one of its blobs.
    pub before: &'static str,
    /// How far behind.
    pub behind: usize,
    /// In which text.
    pub within: Within,
}

/// The text that a forger reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// As it is stored.
    Stored,
    /// The payload of an envelope, its Base64 undone.
    Payload,
}

/// A forgery in a text as it is stored.
pub const fn forgery(name: &'static str, before: &'static str, behind: usize) -> Forgery {
    Forgery {
        name,
        before,
        behind,
        within: Within::Stored,
    }
}

/// A forgery of what an envelope says.
pub const fn within_payload(name: &'static str, before: &'static str, behind: usize) -> Forgery {
    Forgery {
        within: Within::Payload,
        ..forgery(name, before, behind)
    }
}

/// Reads what was signed.
pub fn read(folder: &Path) -> Result<Vec<LaidOut>> {
    let text = std::fs::read(folder.join("artifacts.json"))?;
    Ok(serde_json::from_slice(&text)?)
}

/// The bundles of them.
pub fn bundles(all: &[LaidOut]) -> Vec<&str> {
    let parts = all.iter().flat_map(|one| &one.parts);
    let is_bundle = |part: &&Part| part.media_type.contains("sigstore.bundle");
    parts
        .filter(is_bundle)
        .map(|part| part.text.as_str())
        .collect()
}

/// The manifests of one layout: referrers have their list beside them.
pub fn only(all: &[LaidOut], layout: &str) -> Vec<LaidOut> {
    let with_list = |one: &&LaidOut| {
        one.layout == layout || (layout == "referrer" && one.layout == "referrers_tag")
    };
    all.iter().filter(with_list).cloned().collect()
}

/// Puts them all into a repository.
pub fn push(door: &Door, repository: &str, all: &[LaidOut]) -> Result<()> {
    for one in all {
        for part in &one.parts {
            door.put_blob(repository, &part.digest, part.text.as_bytes())?;
        }
        let manifest = &one.manifest;
        let reference = one.tag.as_deref().unwrap_or(&manifest.digest);
        let (kind, bytes) = (&manifest.media_type, manifest.text.as_bytes());
        door.put_manifest(repository, reference, kind, bytes)?;
    }
    Ok(())
}

/// Says that they are about another image: their tags, and what referrers name as their subject.
pub fn about(all: &[LaidOut], image: &str, other: &str) -> Result<Vec<LaidOut>> {
    let dashed = |digest: &str| digest.replace(':', "-");
    let mut moved = all.to_vec();
    for one in &mut moved {
        one.tag = (one.tag.as_ref()).map(|tag| tag.replace(&dashed(image), &dashed(other)));
        one.manifest.text = one.manifest.text.replace(image, other);
    }
    renamed(moved)
}

/// Changes one letter in each manifest of them, and gives what changed its new digest.
pub fn forged(all: &[LaidOut], forgery: Forgery) -> Result<Vec<LaidOut>> {
    let mut forged = all.to_vec();
    let mut changed = 0;
    for one in forged
        .iter_mut()
        .filter(|one| one.layout != "referrers_tag")
    {
        let texts = one.parts.iter_mut().chain([&mut one.manifest]);
        changed += texts
            .filter_map(|part| change(&mut part.text, forgery))
            .count();
    }
    ensure!(changed > 0, "there is no {} to change", forgery.name);
    renamed(forged)
}

fn change(text: &mut String, forgery: Forgery) -> Option<()> {
    match forgery.within {
        Within::Stored => change_letter(text, forgery),
        Within::Payload => {
            let (_, rest) = text.split_once(r#""payload":""#)?;
            let (written, _) = rest.split_once('"')?;
            let mut payload = String::from_utf8(BASE64_STANDARD.decode(written).ok()?).ok()?;
            change_letter(&mut payload, forgery)?;
            *text = text.replace(&written.to_owned(), &BASE64_STANDARD.encode(payload));
            Some(())
        }
    }
}

fn change_letter(text: &mut String, forgery: Forgery) -> Option<()> {
    let at = text.find(forgery.before)? + forgery.before.len() + forgery.behind;
    let other = if text.as_bytes().get(at)? == &b'a' {
        "b"
    } else {
        "a"
    };
    text.replace_range(at..=at, other);
    Some(())
}

/// Gives everything the digest that it has now; sizes have not changed.
fn renamed(mut all: Vec<LaidOut>) -> Result<Vec<LaidOut>> {
    let mut names: Vec<(String, String)> = Vec::new();
    for one in &mut all {
        for part in &mut one.parts {
            let now = digest(&part.text);
            one.manifest.text = one.manifest.text.replace(&part.digest, &now);
            part.digest = now;
        }
    }
    all.sort_by_key(|one| one.layout == "referrers_tag");
    for one in &mut all {
        for (before, now) in &names {
            one.manifest.text = one.manifest.text.replace(before, now);
        }
        let now = digest(&one.manifest.text);
        names.push((one.manifest.digest.clone(), now.clone()));
        one.manifest.digest = now;
    }
    all.first().context("nothing was signed")?;
    Ok(all)
}

/// The digest of a text.
pub fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}
