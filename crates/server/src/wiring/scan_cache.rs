//! What is known of files that did not change, on the disk: a daemon sees the same files again with
//! every edit beside them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use lint::Cache;
use model::Digest;

/// What all scans together may hold.
const LARGEST_BYTES: u64 = 64 * 1024 * 1024;
/// After so many new scans it is looked whether they are too many.
const LOOK_EVERY: usize = 1_000;

/// A file for each scan, called by its key. Nobody but root writes here; a scan that was cut off by a
/// crash cannot be read, and is made again.
pub(super) struct ScanCache {
    folder: PathBuf,
    new: AtomicUsize,
}

impl ScanCache {
    /// The scans in `folder`, which is made.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self {
            folder,
            new: AtomicUsize::new(0),
        })
    }

    fn path(&self, key: Digest) -> PathBuf {
        self.folder.join(key.hex())
    }

    /// Removes the oldest until the rest is half of what they may hold.
    fn prune(&self) -> io::Result<()> {
        let mut scans = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            scans.push((modified, metadata.len(), entry.path()));
        }
        let mut held: u64 = scans.iter().map(|(_, size, _)| size).sum();
        if held <= LARGEST_BYTES {
            return Ok(());
        }
        scans.sort();
        for (_, size, path) in scans {
            if held <= LARGEST_BYTES / 2 {
                break;
            }
            fs::remove_file(path)?;
            held -= size;
        }
        Ok(())
    }
}

impl Cache for ScanCache {
    fn get(&self, key: Digest) -> Option<Vec<u8>> {
        fs::read(self.path(key)).ok()
    }

    /// A scan that cannot be kept is made again.
    fn put(&self, key: Digest, scan: &[u8]) {
        let written = write(&self.folder, &self.path(key), scan);
        let is_due = self.new.fetch_add(1, Ordering::Relaxed) % LOOK_EVERY == LOOK_EVERY - 1;
        let kept = written.and_then(|()| if is_due { self.prune() } else { Ok(()) });
        if let Err(error) = kept {
            tracing::warn!(%error, "what is known of files cannot be kept; they are read again");
        }
    }
}

fn write(folder: &Path, path: &Path, scan: &[u8]) -> io::Result<()> {
    let half = tempfile::NamedTempFile::new_in(folder)?;
    fs::write(half.path(), scan)?;
    half.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_kept_until_there_are_too_many() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = ScanCache::open(folder.path().join("scans")).expect("a cache");
        let key = |n: u8| Digest::of(&[n]);
        assert_eq!(cache.get(key(1)), None);
        cache.put(key(1), b"scan");
        assert_eq!(cache.get(key(1)).as_deref(), Some(&b"scan"[..]));
        let large = vec![0; 40 << 20];
        cache.put(key(2), &large);
        cache.put(key(3), &large);
        cache.prune().expect("pruned");
        let held: u64 = fs::read_dir(folder.path().join("scans"))
            .expect("a folder")
            .flatten()
            .map(|entry| entry.metadata().map_or(0, |metadata| metadata.len()))
            .sum();
        assert!(held <= LARGEST_BYTES / 2, "{held}");
    }
}
