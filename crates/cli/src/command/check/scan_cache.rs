//! Scans of files that did not change since the last check of the same folder.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use model::Digest;
use server::checks::Cache;

use super::kept::{self, Kept};

/// A scan's key and its length.
const HEAD_BYTES: usize = 36;

/// The scans of one folder. The next check knows what this one used.
pub(super) struct ScanCache {
    kept: Option<Kept>,
    known: HashMap<Digest, Vec<u8>>,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    scans: HashMap<Digest, Vec<u8>>,
    has_new: bool,
}

impl ScanCache {
    /// What is known of `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        let kept = Kept::of("checks", folder);
        let content = kept.as_ref().and_then(Kept::read);
        Self {
            known: content.and_then(|bytes| decode(&bytes)).unwrap_or_default(),
            kept,
            used: Mutex::default(),
        }
    }

    /// Keeps what was used for the next check.
    pub(super) fn store(self) {
        let used = self
            .used
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let is_other = used.has_new || used.scans.len() != self.known.len();
        if let Some(kept) = self.kept.filter(|_| is_other) {
            kept.write(&encode(&used.scans));
        }
    }
}

impl Cache for ScanCache {
    fn get(&self, key: Digest) -> Option<Vec<u8>> {
        let scan = self.known.get(&key)?.clone();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.scans.insert(key, scan.clone());
        Some(scan)
    }

    fn put(&self, key: Digest, scan: &[u8]) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.scans.insert(key, scan.to_vec());
        used.has_new = true;
    }
}

/// One scan after the other, as many as may be kept.
fn encode(scans: &HashMap<Digest, Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (key, scan) in scans {
        if bytes.len() + HEAD_BYTES + scan.len() > kept::LARGEST {
            continue;
        }
        let length = u32::try_from(scan.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(scan);
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Option<HashMap<Digest, Vec<u8>>> {
    let mut scans = HashMap::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let (key, length) = head.split_at(32);
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let (scan, rest) = rest.split_at_checked(length)?;
        scans.insert(Digest::from_bytes(key.try_into().ok()?), scan.to_vec());
        bytes = rest;
    }
    Some(scans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_survive_and_what_is_cut_off_is_nothing() {
        let scans: HashMap<_, _> = [&b"one"[..], b"", b"three"]
            .map(|scan| (Digest::of(scan), scan.to_vec()))
            .into();
        let bytes = encode(&scans);
        assert_eq!(decode(&bytes), Some(scans));
        assert_eq!(decode(&bytes[..bytes.len() - 1]), None);
        assert_eq!(decode(&[]), Some(HashMap::new()));
    }
}
