//! A folder becomes a snapshot: read and hashed with its caller's rights, sent to the daemon as far
//! as it does not have it yet.

mod error;
pub(crate) mod hash_cache;
pub(crate) mod ignore;
mod read;
pub(crate) mod replace;
pub(crate) mod repository;
mod root;
mod stamp;
pub(crate) mod timed;
mod upload;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Digest;
use model::env::parse_env_file;
use model::limits::SourceLimits;
use model::snapshot::{Entry, Snapshot};

pub(crate) use error::FolderError;
pub(crate) use repository::commit;
pub(crate) use root::Root;
pub(crate) use upload::{Sent, UploadError, send};

use hash_cache::HashCache;
use ignore::IgnoreRules;
use stamp::Stamp;
use walk::{Found, FoundFile};

/// Folders with more than this to hash are hashed by several threads.
const PARALLEL_FROM_BYTES: u64 = 8 * 1024 * 1024;
const MOST_THREADS: usize = 8;
/// `.env` and `.mayflyignore` files are read up to here.
const TEXT_BYTES: u64 = 1024 * 1024;

/// How a folder is read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reading {
    /// How large it may be.
    pub(crate) limits: SourceLimits,
    /// Where hashes are kept between calls; nowhere when `None`.
    pub(crate) caches: Option<PathBuf>,
}

impl Reading {
    /// As every command reads: hashes kept in the caller's cache folder.
    pub(crate) fn within(limits: SourceLimits) -> Self {
        Self {
            limits,
            caches: hash_cache::place(),
        }
    }
}

/// A folder's content at one moment.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What it holds.
    pub(crate) snapshot: Snapshot,
    /// Its `.env` files, which stay outside.
    pub(crate) env_files: Vec<String>,
    /// What the user should know about it, in sentences.
    pub(crate) notices: Vec<String>,
}

/// Takes the content of `root`. A folder that changes meanwhile is read a second time before it is
/// given up.
pub(crate) fn take(root: &Root, reading: &Reading) -> Result<Taken, FolderError> {
    match take_once(root, reading) {
        Err(FolderError::Changes { .. }) => take_once(root, reading),
        other => other,
    }
}

fn take_once(root: &Root, reading: &Reading) -> Result<Taken, FolderError> {
    let ignore = read_text(root, ignore::FILE_NAME)?.unwrap_or_default();
    let ignore = IgnoreRules::parse(&ignore)?;
    let mut found = walk::walk(root, &ignore, &reading.limits)?;
    let env_keys = env_keys(root, &mut found)?;
    let cache = HashCache::load(reading.caches.as_deref(), root.path());
    let hashed = hash_all(root, &found.files, &cache, &reading.limits)?;
    let entries = hashed
        .iter()
        .map(Hashed::entry)
        .chain(found.links)
        .collect();
    cache.store(
        hashed
            .into_iter()
            .map(|file| (file.path, file.stamp, file.digest)),
    );
    let snapshot = Snapshot::new(entries, env_keys, &reading.limits)?;
    Ok(Taken {
        snapshot,
        env_files: found.env_files,
        notices: found.notices,
    })
}

/// A file whose content is known.
#[derive(Debug, Clone)]
struct Hashed {
    path: String,
    stamp: Stamp,
    mode: model::snapshot::Mode,
    digest: Digest,
}

impl Hashed {
    fn entry(&self) -> Entry {
        Entry::File {
            path: self.path.clone(),
            digest: self.digest,
            size_bytes: self.stamp.size_bytes,
            mode: self.mode,
        }
    }
}

/// Hashes what the cache does not know, by several threads when it is much.
fn hash_all(
    root: &Root,
    files: &[FoundFile],
    cache: &HashCache,
    limits: &SourceLimits,
) -> Result<Vec<Hashed>, FolderError> {
    let hash_one = |file: &FoundFile| -> Result<Hashed, FolderError> {
        let (digest, stamp) = match cache.get(&file.path, &file.stamp) {
            Some(digest) => (digest, file.stamp),
            None => read::hash(root, &file.path, limits.total_bytes)?,
        };
        Ok(Hashed {
            path: file.path.clone(),
            stamp,
            mode: file.mode,
            digest,
        })
    };
    let unknown = files
        .iter()
        .filter(|file| cache.get(&file.path, &file.stamp).is_none());
    let unknown_bytes: u64 = unknown.map(|file| file.stamp.size_bytes).sum();
    if unknown_bytes < PARALLEL_FROM_BYTES {
        return files.iter().map(hash_one).collect();
    }
    in_parallel(files, &hash_one)
}

/// Applies `work` to all `items` on all processors; keeps their order.
fn in_parallel<T: Sync, R: Send>(
    items: &[T],
    work: &(impl Fn(&T) -> Result<R, FolderError> + Sync),
) -> Result<Vec<R>, FolderError> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..processors.min(MOST_THREADS))
            .map(|_| scope.spawn(worker))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The names of the variables in the folder's `.env` files. Their values are not looked at.
fn env_keys(root: &Root, found: &mut Found) -> Result<Vec<String>, FolderError> {
    let mut keys = BTreeSet::new();
    for path in &found.env_files {
        let text = read_text(root, path)?.unwrap_or_default();
        match parse_env_file(&text) {
            Ok(env) => keys.extend(env.0.into_keys()),
            Err(cause) => found
                .notices
                .push(format!("{path}: {cause}; its variables are not seen")),
        }
    }
    Ok(keys.into_iter().collect())
}

fn read_text(root: &Root, path: &str) -> Result<Option<String>, FolderError> {
    root.read_text(path, TEXT_BYTES)
        .map_err(|cause| FolderError::Unreadable {
            path: path.to_owned(),
            cause,
        })
}
