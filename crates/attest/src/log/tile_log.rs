//! A log in a folder.
//!
//! A batch is written in three steps: the tiles and the entries, then the checkpoint, then what is
//! narrower goes. Whoever stops in between leaves a log of the old checkpoint or of the new one; the
//! batch is handed in again, since the ledger still has it, and makes the same files.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use model::Digest;
use model::transparency::{Checkpoint, Consistency, Inclusion};
use ports::{LogError, TransparencyLog};
use tlog_tiles::{
    Hash, HashReader, Tile, prove_record, prove_tree, record_hash, stored_hash_index, tree_hash,
};

use super::checkpoint::LogKey;
use super::tiles::{self, Folder, HEIGHT, Stored, broken, damaged};
use super::tree::{Empty, Growing};

const CHECKPOINT: &str = "checkpoint";
const LONGEST_ENTRY: usize = u16::MAX as usize;

/// A log in a folder that no other process writes to.
#[derive(Debug)]
pub struct Log {
    folder: Folder,
    key: LogKey,
    checkpoint: Checkpoint,
}

impl Log {
    /// Opens the log in `folder`, and makes an empty one where there is none. What it has must be
    /// what its checkpoint promises, and the checkpoint must be signed with `key`.
    pub fn open(folder: &Path, key: LogKey) -> Result<Self, LogError> {
        let files = Folder::new(folder);
        let removed = files.remove_unfinished();
        removed.map_err(|cause| broken(folder, cause))?;
        let checkpoint = match read_checkpoint(&files, &key)? {
            Some(checkpoint) => checkpoint,
            None if files.path("tile").exists() => {
                return Err(damaged(&files.path(CHECKPOINT), "it is missing"));
            }
            None => begin(folder, &files, &key)?,
        };
        let log = Self {
            folder: files,
            key,
            checkpoint,
        };
        match log.stored_root()? == log.checkpoint.root {
            true => Ok(log),
            false => Err(damaged(
                &log.folder.path("tile"),
                "its tiles do not hash to what the checkpoint promises",
            )),
        }
    }

    /// Writes every file of the log again, from all entries that the ledger has.
    ///
    /// A checkpoint that can still be read is kept to: entries that contradict it are refused.
    pub fn rebuild(folder: &Path, key: LogKey, entries: &[String]) -> Result<Self, LogError> {
        let files = Folder::new(folder);
        fs::create_dir_all(folder).map_err(|cause| broken(folder, cause))?;
        let promised = read_checkpoint(&files, &key).ok().flatten();
        let empty = key.sign(0, root(&Empty, 0)?);
        let mut log = Self {
            folder: files,
            key,
            checkpoint: empty,
        };
        check_entries(0, entries)?;
        let tree = grown(&Empty, 0, entries)?;
        if let Some(promised) = promised {
            let has = entries.len() as u64;
            let kept = promised.size <= has
                && Digest::from_bytes(root(&tree, promised.size)?.0) == promised.root;
            if !kept {
                return Err(LogError::Rewritten(format!(
                    "the ledger's {has} entries are not those of the checkpoint of {}",
                    promised.size
                )));
            }
        }
        log.write(&tree, entries)?;
        Ok(log)
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// See [`TransparencyLog::append`].
    pub fn append(&mut self, first: u64, entries: &[String]) -> Result<Checkpoint, LogError> {
        let size = self.checkpoint.size;
        let Some(known) = size.checked_sub(first) else {
            return Err(LogError::Gap { size, first });
        };
        check_entries(first, entries)?;
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let (known, new) = entries.split_at(known.min(entries.len()));
        self.compare(first, known)?;
        if new.is_empty() {
            return Ok(self.checkpoint.clone());
        }
        let folder = self.folder.clone();
        let stored = Stored::new(&folder, size);
        let tree = grown(&stored, size, new);
        let tree = tree.map_err(|error| or_known(error, &stored))?;
        self.write(&tree, new)?;
        Ok(self.checkpoint.clone())
    }

    /// See [`TransparencyLog::prove_inclusion`].
    pub fn prove_inclusion(&self, index: u64) -> Result<Inclusion, LogError> {
        let size = self.checkpoint.size;
        if index >= size {
            return Err(LogError::Missing { size, index });
        }
        let stored = Stored::new(&self.folder, size);
        let path = prove_record(size, index, &stored).map_err(|error| stored.failure(&error))?;
        let proof = Inclusion {
            index,
            entry: self.entry(index)?,
            hashes: digests(path),
            checkpoint: self.checkpoint.note.clone(),
        };
        // A damaged tile makes a wrong proof: better none.
        self.key.verifier().check_inclusion(&proof)?;
        Ok(proof)
    }

    /// See [`TransparencyLog::prove_consistency`].
    pub fn prove_consistency(&self, from: u64) -> Result<Consistency, LogError> {
        let size = self.checkpoint.size;
        if from > size {
            return Err(LogError::Missing { size, index: from });
        }
        let stored = Stored::new(&self.folder, size);
        let path = match from {
            0 => Ok(Vec::new()),
            _ => prove_tree(size, from, &stored),
        };
        Ok(Consistency {
            from,
            hashes: digests(path.map_err(|error| stored.failure(&error))?),
            checkpoint: self.checkpoint.note.clone(),
        })
    }

    /// See [`TransparencyLog::file`].
    pub fn file(&self, name: &str) -> Result<Option<Vec<u8>>, LogError> {
        if name == CHECKPOINT {
            return Ok(Some(self.checkpoint.note.clone().into_bytes()));
        }
        let Some(asked) = tiles::from_name(name) else {
            return Ok(None);
        };
        let there = tiles::at(self.checkpoint.size, asked.level(), asked.level_index());
        if there.is_none_or(|there| asked.width() > there.width()) {
            return Ok(None);
        }
        let bytes = match asked.is_data() {
            true => tiles::bundle(&self.folder.entries(&asked)?),
            false => self.folder.tile(&asked)?,
        };
        Ok(Some(bytes))
    }

    /// See [`TransparencyLog::verify`]: the checkpoint, every tile and every entry.
    pub fn verify_all(&self, entries: &[String]) -> Result<Checkpoint, LogError> {
        let size = self.checkpoint.size;
        let tree = grown(&Empty, 0, entries)?;
        let has = entries.len() as u64;
        if has != size || Digest::from_bytes(root(&tree, has)?.0) != self.checkpoint.root {
            self.compare(0, entries)?;
            return Err(LogError::Rewritten(format!(
                "the log has {size} entries, the ledger {has}"
            )));
        }
        for tile in Tile::new_tiles(HEIGHT, 0, size) {
            self.check_tile(&tree, &tile, entries)?;
        }
        Ok(self.checkpoint.clone())
    }

    /// Whether a tile's file, and that of its entries, are as they should be.
    fn check_tile(
        &self,
        tree: &impl HashReader,
        tile: &Tile,
        entries: &[String],
    ) -> Result<(), LogError> {
        let differs = |tile: &Tile| {
            let path = self.folder.path(&tiles::name(tile));
            damaged(&path, "it is not what the checkpoint promises")
        };
        let right = tile.read_data(tree).map_err(|error| bad_proof(&error))?;
        if self.folder.tile(tile)? != right {
            return Err(differs(tile));
        }
        if tile.level() > 0 {
            return Ok(());
        }
        let data = tiles::entries_of(tile);
        match self.folder.entries(&data)? == slice(entries, &data) {
            true => Ok(()),
            false => Err(differs(&data)),
        }
    }

    /// Finds the first of `entries` that is not what the log has.
    fn compare(&self, first: u64, entries: &[String]) -> Result<(), LogError> {
        let size = self.checkpoint.size;
        let stored = Stored::new(&self.folder, size);
        for (index, entry) in (first..size).zip(entries) {
            let found = stored.read_hashes(&[stored_hash_index(0, index)]);
            let found = found.map_err(|error| stored.failure(&error))?;
            if found != [record_hash(entry.as_bytes())] {
                return Err(LogError::Rewritten(format!(
                    "entry {index} is not what the log has"
                )));
            }
        }
        Ok(())
    }

    fn entry(&self, index: u64) -> Result<String, LogError> {
        let (number, within) = (index >> HEIGHT, index & 0xff);
        let missing = || LogError::Missing {
            size: self.checkpoint.size,
            index,
        };
        let tile = tiles::at(self.checkpoint.size, 0, number).ok_or_else(missing)?;
        let entries = self.folder.entries(&tiles::entries_of(&tile))?;
        let entry = entries.into_iter().nth(within as usize);
        entry.ok_or_else(missing)
    }

    fn stored_root(&self) -> Result<Digest, LogError> {
        let stored = Stored::new(&self.folder, self.checkpoint.size);
        let root = root(&stored, self.checkpoint.size);
        let root = root.map_err(|error| or_known(error, &stored))?;
        Ok(Digest::from_bytes(root.0))
    }

    /// Writes what `new` entries make of the tree, then the checkpoint.
    fn write(&mut self, tree: &impl HashReader, new: &[String]) -> Result<(), LogError> {
        let old = self.checkpoint.size;
        let size = old + new.len() as u64;
        let changed = Tile::new_tiles(HEIGHT, old, size);
        let mut files = Vec::new();
        for tile in &changed {
            let hashes = tile.read_data(tree).map_err(|error| bad_proof(&error))?;
            files.push((tiles::name(tile), hashes));
            if tile.level() == 0 {
                let data = tiles::entries_of(tile);
                let entries = self.entries_with(&data, old, new)?;
                files.push((tiles::name(&data), tiles::bundle(&entries)));
            }
        }
        self.folder.write_all(files)?;
        let checkpoint = self.key.sign(size, root(tree, size)?);
        let note = checkpoint.note.clone().into_bytes();
        self.folder.write_all(vec![(CHECKPOINT.into(), note)])?;
        self.checkpoint = checkpoint;
        self.remove_narrower(&changed)
    }

    /// A bundle's entries: those that it had of the first `old`, and its share of the new ones.
    fn entries_with(&self, data: &Tile, old: u64, new: &[String]) -> Result<Vec<String>, LogError> {
        let begin = data.level_index() << HEIGHT;
        let mut entries = match tiles::at(old, 0, data.level_index()) {
            Some(before) => self.folder.entries(&tiles::entries_of(&before))?,
            None => Vec::new(),
        };
        let from = usize::try_from((begin + entries.len() as u64) - old).unwrap_or(usize::MAX);
        let count = data.width() as usize - entries.len();
        let share = new.iter().skip(from).take(count);
        entries.extend(share.cloned());
        Ok(entries)
    }

    fn remove_narrower(&self, changed: &[Tile]) -> Result<(), LogError> {
        for tile in changed {
            let data = (tile.level() == 0).then(|| tiles::entries_of(tile));
            for tile in [Some(*tile), data].into_iter().flatten() {
                let removed = self.folder.remove_narrower(&tile);
                removed.map_err(|cause| broken(&self.folder.path(&tiles::name(&tile)), cause))?;
            }
        }
        Ok(())
    }
}

fn begin(folder: &Path, files: &Folder, key: &LogKey) -> Result<Checkpoint, LogError> {
    fs::create_dir_all(folder).map_err(|cause| broken(folder, cause))?;
    let checkpoint = key.sign(0, root(&Empty, 0)?);
    let note = checkpoint.note.clone().into_bytes();
    files.write_all(vec![(CHECKPOINT.into(), note)])?;
    Ok(checkpoint)
}

fn read_checkpoint(files: &Folder, key: &LogKey) -> Result<Option<Checkpoint>, LogError> {
    let path = files.path(CHECKPOINT);
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(broken(&path, cause)),
        Ok(note) => key.verifier().read(&note).map(Some),
    }
}

fn check_entries(first: u64, entries: &[String]) -> Result<(), LogError> {
    for (index, entry) in (first..).zip(entries) {
        let bytes = entry.len();
        if !(1..=LONGEST_ENTRY).contains(&bytes) {
            return Err(LogError::BadEntry { index, bytes });
        }
    }
    Ok(())
}

fn grown<'a, R: HashReader>(
    below: &'a R,
    size: u64,
    entries: &[String],
) -> Result<Growing<'a, R>, LogError> {
    let mut tree = Growing::over(below, size);
    for entry in entries {
        tree.push(entry).map_err(|error| bad_proof(&error))?;
    }
    Ok(tree)
}

fn root(tree: &impl HashReader, size: u64) -> Result<Hash, LogError> {
    tree_hash(size, tree).map_err(|error| bad_proof(&error))
}

fn slice<'a>(entries: &'a [String], data: &Tile) -> &'a [String] {
    let begin = (data.level_index() << HEIGHT) as usize;
    entries
        .get(begin..begin + data.width() as usize)
        .unwrap_or_default()
}

fn digests(hashes: Vec<Hash>) -> Vec<Digest> {
    let digest = |hash: Hash| Digest::from_bytes(hash.0);
    hashes.into_iter().map(digest).collect()
}

fn bad_proof(error: &tlog_tiles::Error) -> LogError {
    LogError::BadProof(error.to_string())
}

/// The reason that the tiles know, when they know one.
fn or_known(error: LogError, stored: &Stored<'_>) -> LogError {
    match error {
        LogError::BadProof(_) => stored.failure(&tlog_tiles::Error::InvalidTile),
        other => other,
    }
}

/// A [`Log`] for many callers. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct TileLog(Arc<Mutex<Log>>);

impl TileLog {
    /// Shares a log.
    pub fn new(log: Log) -> Self {
        Self(Arc::new(Mutex::new(log)))
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Log) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let log = self.0.clone();
        let work = move || work(&mut log.lock().unwrap_or_else(PoisonError::into_inner));
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| broken(Path::new(CHECKPOINT), io::Error::other(error)))?
    }
}

#[async_trait]
impl TransparencyLog for TileLog {
    async fn append(&self, first: u64, entries: Vec<String>) -> Result<Checkpoint, LogError> {
        self.on_disk(move |log| log.append(first, &entries)).await
    }

    async fn checkpoint(&self) -> Result<Checkpoint, LogError> {
        self.on_disk(|log| Ok(log.checkpoint.clone())).await
    }

    async fn prove_inclusion(&self, index: u64) -> Result<Inclusion, LogError> {
        self.on_disk(move |log| log.prove_inclusion(index)).await
    }

    async fn prove_consistency(&self, from: u64) -> Result<Consistency, LogError> {
        self.on_disk(move |log| log.prove_consistency(from)).await
    }

    async fn file(&self, path: &str) -> Result<Option<Vec<u8>>, LogError> {
        let path = path.to_owned();
        self.on_disk(move |log| log.file(&path)).await
    }

    async fn verify(&self, entries: Vec<String>) -> Result<Checkpoint, LogError> {
        self.on_disk(move |log| log.verify_all(&entries)).await
    }

    async fn verifier_key(&self) -> String {
        let log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.key.verifier().key().to_owned()
    }
}

#[cfg(test)]
#[path = "tile_log_tests.rs"]
mod tests;
