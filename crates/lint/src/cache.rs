//! What is known of files that did not change.

use std::collections::HashMap;
use std::sync::Mutex;

use model::digest::Digest;

/// Rises whenever a scan of the same file would say something else.
const VERSION: u32 = 1;

/// Keeps scans by digest. A scan is a few kilobytes that only this version of lint reads.
pub trait Cache: Sync {
    /// What was kept, where something was.
    fn get(&self, key: Digest) -> Option<Vec<u8>>;
    /// Keeps a scan.
    fn put(&self, key: Digest, scan: &[u8]);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCache;

impl Cache for NoCache {
    fn get(&self, _key: Digest) -> Option<Vec<u8>> {
        None
    }

    fn put(&self, _key: Digest, _scan: &[u8]) {}
}

/// Keeps scans in memory.
#[derive(Debug, Default)]
pub struct MemoryCache(Mutex<HashMap<Digest, Vec<u8>>>);

impl Cache for MemoryCache {
    fn get(&self, key: Digest) -> Option<Vec<u8>> {
        let kept = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        kept.get(&key).cloned()
    }

    fn put(&self, key: Digest, scan: &[u8]) {
        let mut kept = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        kept.insert(key, scan.to_vec());
    }
}

/// The key of a file: its content, and its path, by which imports and rules go.
pub(crate) fn key(path: &str, content: Digest) -> Digest {
    let rules = env!("CARGO_PKG_VERSION");
    Digest::of(format!("lint {VERSION} {rules}\0{path}\0{content}").as_bytes())
}
