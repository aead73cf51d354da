//! Keeps what builds share within its limit: unpacked layers, tools, and what was downloaded.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use model::cache::{CacheEntry, evict};
use model::failure::Failure;
use model::{Digest, Timestamp};

use crate::layer::{LayerError, Shelf};
use crate::tools::ToolShelf;

/// Everything that can be had again.
pub(crate) struct Cache {
    shelf: Shelf,
    tools: ToolShelf,
    /// Folders of folders and files that were downloaded or compiled: each child goes as a whole.
    downloads: PathBuf,
    under_way: Mutex<Vec<SystemTime>>,
}

/// A thing in the cache, as it is removed.
enum Thing {
    Layer(Digest),
    Tool(String),
    Download(PathBuf),
}

/// A build that goes on: what was used since it began stays.
pub(crate) struct UnderWay<'a> {
    cache: &'a Cache,
    since: SystemTime,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut under_way = self.cache.starts();
        if let Some(at) = under_way.iter().position(|since| *since == self.since) {
            under_way.swap_remove(at);
        }
    }
}

impl Cache {
    pub(crate) fn new(shelf: Shelf, tools: ToolShelf, downloads: PathBuf) -> Self {
        Self {
            shelf,
            tools,
            downloads,
            under_way: Mutex::default(),
        }
    }

    /// Protects what a build uses, until the guard is dropped.
    pub(crate) fn build_begins(&self) -> UnderWay<'_> {
        let since = SystemTime::now();
        self.starts().push(since);
        UnderWay { cache: self, since }
    }

    /// Evicts what was used longest ago until the rest fits in `limit_bytes`. Layers in `in_use`
    /// and what running builds used stay. Returns the bytes freed.
    pub(crate) fn evict(&self, limit_bytes: u64, in_use: &[Digest]) -> Result<u64, Failure> {
        // Tools lie on the same file system as layers: one flush is for both.
        let tools = self.tools.unflushed().map_err(LayerError::at("tools"))?;
        self.shelf.flush()?;
        self.tools
            .flushed(&tools)
            .map_err(LayerError::at("tools"))?;
        let things = self.things(in_use)?;
        let entries = things.iter().map(|(_, entry)| entry.clone()).collect();
        let gone: HashSet<String> = evict(entries, limit_bytes)
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        let mut freed = 0;
        for (thing, entry) in things.iter().filter(|(_, entry)| gone.contains(&entry.key)) {
            self.remove(thing)?;
            freed += entry.size_bytes;
        }
        Ok(freed)
    }

    fn things(&self, in_use: &[Digest]) -> Result<Vec<(Thing, CacheEntry)>, Failure> {
        let oldest_build = self.starts().iter().min().copied();
        let busy = |used_at: SystemTime| oldest_build.is_some_and(|since| used_at >= since);
        let mut things = Vec::new();
        for layer in self.shelf.list()? {
            let needed = in_use.contains(&layer.diff_id) || busy(layer.used_at);
            let entry = entry(
                &layer.diff_id.to_string(),
                layer.size_bytes,
                layer.used_at,
                needed,
            );
            things.push((Thing::Layer(layer.diff_id), entry));
        }
        for tool in self.tools.list().map_err(LayerError::at("tools"))? {
            let entry = entry(
                &tool.name,
                tool.size_bytes,
                tool.used_at,
                busy(tool.used_at),
            );
            things.push((Thing::Tool(tool.name), entry));
        }
        for (path, size_bytes, used_at) in
            self.downloads().map_err(LayerError::at(&self.downloads))?
        {
            let entry = entry(
                &path.display().to_string(),
                size_bytes,
                used_at,
                busy(used_at),
            );
            things.push((Thing::Download(path), entry));
        }
        Ok(things)
    }

    /// Files and folders two levels down, with their size and the newest time in them.
    fn downloads(&self) -> io::Result<Vec<(PathBuf, u64, SystemTime)>> {
        let mut found = Vec::new();
        for section in children(&self.downloads)? {
            if section.file_name().is_some_and(|name| name == "tools") || !section.is_dir() {
                continue;
            }
            for child in children(&section)? {
                let (size_bytes, used_at) = measure(&child);
                found.push((child, size_bytes, used_at));
            }
        }
        Ok(found)
    }

    fn remove(&self, thing: &Thing) -> Result<(), Failure> {
        match thing {
            Thing::Layer(diff_id) => {
                self.shelf.remove(diff_id)?;
            }
            Thing::Tool(name) => self.tools.remove(name).map_err(LayerError::at(name))?,
            Thing::Download(path) => remove_whole(path).map_err(LayerError::at(path))?,
        }
        Ok(())
    }

    fn starts(&self) -> std::sync::MutexGuard<'_, Vec<SystemTime>> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn entry(key: &str, size_bytes: u64, used_at: SystemTime, in_use: bool) -> CacheEntry {
    CacheEntry {
        key: key.to_owned(),
        size_bytes,
        used_at: Timestamp::try_from(used_at).unwrap_or(Timestamp::UNIX_EPOCH),
        in_use,
    }
}

fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

fn measure(path: &Path) -> (u64, SystemTime) {
    let files = walkdir::WalkDir::new(path).into_iter().flatten();
    let about = files.filter_map(|file| file.metadata().ok());
    about.fold((0, SystemTime::UNIX_EPOCH), |(bytes, newest), about| {
        let time = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let size_bytes = if about.is_file() { about.len() } else { 0 };
        (bytes + size_bytes, newest.max(time))
    })
}

fn remove_whole(path: &Path) -> io::Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match gone {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
