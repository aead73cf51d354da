//! Tiles and bundles of entries in a folder, under the names that clients ask for.
//!
//! What lies beyond the checkpoint was never acknowledged: it is not read, and written over. Of a
//! tile that is not full the newest width alone is kept; a narrower one is its beginning.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ports::LogError;
use tlog_tiles::{Error, HASH_SIZE, Hash, HashReader, Tile};

/// A tile has the hashes of 2^8 entries or tiles.
pub(super) const HEIGHT: u8 = 8;
const FULL: u64 = 1 << HEIGHT;

/// The tile of a tree of `size` entries at a place; `None` when it has none there.
pub(super) fn at(size: u64, level: u8, number: u64) -> Option<Tile> {
    let there = size.checked_shr(u32::from(level) * u32::from(HEIGHT))?;
    let begin = number.checked_mul(FULL)?;
    let width = there.checked_sub(begin)?.min(FULL);
    let width = u32::try_from(width).ok().filter(|width| *width > 0)?;
    Some(Tile::new(HEIGHT, level, number, width, false))
}

/// Reads the name of a tile or a bundle of entries.
pub(super) fn from_name(name: &str) -> Option<Tile> {
    let rest = name.strip_prefix("tile/")?;
    let rest = match rest.strip_prefix("entries/") {
        Some(rest) => format!("data/{rest}"),
        None => rest.to_owned(),
    };
    Tile::from_path(&format!("tile/{HEIGHT}/{rest}")).ok()
}

/// The name of a tile, as clients ask for it.
pub(super) fn name(tile: &Tile) -> String {
    let path = tile.path();
    let rest = path.splitn(3, '/').nth(2).unwrap_or_default();
    match rest.strip_prefix("data/") {
        Some(rest) => format!("tile/entries/{rest}"),
        None => format!("tile/{rest}"),
    }
}

/// The bundle of the entries whose hashes a tile of the lowest level has.
pub(super) fn entries_of(tile: &Tile) -> Tile {
    let mut data = *tile;
    data.set_is_data();
    data
}

/// Entries, one after the other, each with its length before it.
pub(super) fn bundle(entries: &[String]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry.as_bytes());
    }
    bytes
}

/// The first `count` entries of a bundle; `None` when it does not have them.
pub(super) fn unbundle(mut bytes: &[u8], count: usize) -> Option<Vec<String>> {
    let mut entries = Vec::new();
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(String::from_utf8(entry.to_vec()).ok()?);
        bytes = rest;
    }
    Some(entries)
}

/// The files of a log.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    root: PathBuf,
    /// For which folder those above it were flushed.
    flushed: Arc<Mutex<BTreeSet<(PathBuf, PathBuf)>>>,
}

impl Folder {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.into(),
            flushed: Arc::default(),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The hashes of a tile: exactly as many as it is wide.
    pub(super) fn tile(&self, tile: &Tile) -> Result<Vec<u8>, LogError> {
        let length = tile.width() as usize * HASH_SIZE;
        self.beginning(tile, |bytes| bytes.get(..length).map(<[u8]>::to_vec))
    }

    /// The entries of a bundle: exactly as many as it is wide.
    pub(super) fn entries(&self, data: &Tile) -> Result<Vec<String>, LogError> {
        let count = data.width() as usize;
        self.beginning(data, |bytes| unbundle(bytes, count))
    }

    /// Reads a tile from its own file, or from that of a wider one.
    fn beginning<T>(&self, tile: &Tile, read: impl Fn(&[u8]) -> Option<T>) -> Result<T, LogError> {
        let path = self.path(&name(tile));
        let mut found = None;
        for candidate in self
            .candidates(tile)
            .map_err(|cause| broken(&path, cause))?
        {
            let bytes = fs::read(&candidate).map_err(|cause| broken(&candidate, cause))?;
            match read(&bytes) {
                Some(good) => return Ok(good),
                None => found = Some(candidate),
            }
        }
        match found {
            Some(cut) => Err(damaged(&cut, "it is cut off")),
            None => Err(damaged(&path, "it is missing")),
        }
    }

    /// The file of the tile's own width first: it was acknowledged.
    fn candidates(&self, tile: &Tile) -> io::Result<Vec<PathBuf>> {
        let own = self.path(&name(tile));
        let full = self.path(&name(&full(tile)));
        let mut wider = widths(&partial_folder(&full))?;
        wider.retain(|width| *width > tile.width());
        let wider = wider
            .into_iter()
            .map(|width| partial_folder(&full).join(width.to_string()));
        let mut all: Vec<_> = [own, full.clone()].into_iter().chain(wider).collect();
        all.dedup();
        all.retain(|path| path.is_file());
        Ok(all)
    }

    /// Writes files, and makes them survive a crash of the machine.
    pub(super) fn write_all(&self, files: Vec<(String, Vec<u8>)>) -> Result<(), LogError> {
        let written = self.write_and_flush(files);
        written.map_err(|cause| broken(&self.root, cause))
    }

    fn write_and_flush(&self, files: Vec<(String, Vec<u8>)>) -> io::Result<()> {
        let all_at_once = files.len() >= FLUSH_ALL_FROM;
        let mut folders = BTreeSet::new();
        for (name, bytes) in files {
            let path = self.path(&name);
            let folder = path.parent().unwrap_or(&self.root).to_owned();
            fs::create_dir_all(&folder)?;
            let mut file = tempfile::Builder::new()
                .prefix(UNFINISHED)
                .tempfile_in(&self.root)?;
            file.write_all(&bytes)?;
            if !all_at_once {
                file.as_file().sync_data()?;
            }
            file.persist(&path)?;
            folders.insert(folder);
        }
        if all_at_once {
            return Ok(rustix::fs::syncfs(File::open(&self.root)?)?);
        }
        folders
            .iter()
            .try_for_each(|folder| self.flush_folder(folder))
    }

    /// Flushes a folder, and those above it once: one of them may have been made by a process that
    /// did not come to flush it.
    fn flush_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()?;
        let mut flushed = self.flushed.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = |above: &&Path| above.starts_with(&self.root);
        for above in folder.ancestors().skip(1).take_while(inside) {
            if flushed.insert((folder.to_owned(), above.to_owned())) {
                File::open(above)?.sync_all()?;
            }
        }
        Ok(())
    }

    /// Removes files that never got their names, because whoever wrote them was stopped.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes what is narrower than `tile`; its content is the tile's beginning.
    pub(super) fn remove_narrower(&self, tile: &Tile) -> io::Result<()> {
        let folder = partial_folder(&self.path(&name(&full(tile))));
        for width in widths(&folder)? {
            if width < tile.width() {
                fs::remove_file(folder.join(width.to_string()))?;
            }
        }
        Ok(())
    }
}

/// How the names of files begin that are being written.
const UNFINISHED: &str = ".unfinished-";

/// From how many files on one flush of the whole file system takes less time than one of each.
const FLUSH_ALL_FROM: usize = 8;

fn full(tile: &Tile) -> Tile {
    let is_data = tile.is_data();
    Tile::new(
        HEIGHT,
        tile.level(),
        tile.level_index(),
        1 << HEIGHT,
        is_data,
    )
}

fn partial_folder(full: &Path) -> PathBuf {
    full.with_added_extension("p")
}

fn widths(folder: &Path) -> io::Result<Vec<u32>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut widths = Vec::new();
    for entry in entries {
        widths.extend(
            entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok()),
        );
    }
    widths.sort_unstable();
    Ok(widths)
}

pub(super) fn broken(path: &Path, cause: io::Error) -> LogError {
    let path = path.to_owned();
    LogError::Io { path, cause }
}

pub(super) fn damaged(path: &Path, why: impl ToString) -> LogError {
    let (path, why) = (path.to_owned(), why.to_string());
    LogError::Damaged { path, why }
}

/// Tiles and their hashes, by level and number.
type Read = HashMap<(u8, u64), (Tile, Vec<u8>)>;

/// The hashes of a stored tree. Each tile is read once.
pub(super) struct Stored<'a> {
    folder: &'a Folder,
    size: u64,
    read: RefCell<Read>,
    /// What went wrong: the tree's own errors have no room for it.
    failure: RefCell<Option<LogError>>,
}

impl<'a> Stored<'a> {
    pub(super) fn new(folder: &'a Folder, size: u64) -> Self {
        Self {
            folder,
            size,
            read: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// Why reading failed.
    pub(super) fn failure(&self, error: &Error) -> LogError {
        let known = self.failure.borrow_mut().take();
        known.unwrap_or_else(|| LogError::BadProof(error.to_string()))
    }

    fn hash(&self, index: u64) -> Result<Hash, Error> {
        let place = Tile::from_index(HEIGHT, index);
        let key = (place.level(), place.level_index());
        if let Some((tile, bytes)) = self.read.borrow().get(&key) {
            return tile.hash_at_index(bytes, index);
        }
        let tile = at(self.size, key.0, key.1).ok_or(Error::IndexesNotInTree)?;
        let bytes = self.folder.tile(&tile).map_err(|failure| {
            *self.failure.borrow_mut() = Some(failure);
            Error::InvalidTile
        })?;
        let hash = tile.hash_at_index(&bytes, index);
        self.read.borrow_mut().insert(key, (tile, bytes));
        hash
    }
}

impl HashReader for Stored<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        indexes.iter().map(|index| self.hash(*index)).collect()
    }
}
