//! Walking a folder with the caller's rights: names, sizes and times only.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use model::keep;
use model::limits::SourceLimits;
use model::snapshot::{
    Entry, Mode, SnapshotError, is_clean_path, is_env_file, leaves_out_file, leaves_out_folder,
};
use walkdir::{DirEntry, WalkDir};

use super::FolderError;
use super::ignore::IgnoreRules;
use super::root::Root;
use super::stamp::Stamp;

/// A regular file that belongs to the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    /// Where it lies, relative and `/`-separated.
    pub(crate) path: String,
    /// What it looked like.
    pub(crate) stamp: Stamp,
    /// Whether it may be executed.
    pub(crate) mode: Mode,
}

/// What a folder holds, left-out things left out.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Regular files, sorted by path.
    pub(crate) files: Vec<FoundFile>,
    /// Links that stay in the folder; checked with the snapshot.
    pub(crate) links: Vec<Entry>,
    /// `.env` files, which stay outside.
    pub(crate) env_files: Vec<String>,
    /// What was passed over and why, in sentences.
    pub(crate) notices: Vec<String>,
}

/// Walks `root`. Stops at the first thing that cannot be, or when there is more than `limits`.
pub(crate) fn walk(
    root: &Root,
    ignore: &IgnoreRules,
    limits: &SourceLimits,
) -> Result<Found, FolderError> {
    let mut walk = Walk {
        ignore,
        limits,
        found: Found::default(),
        tally: Tally::default(),
    };
    let mut entries = WalkDir::new(root.path())
        .min_depth(1)
        .follow_links(false)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|cause| unreadable(root.path(), &cause))?;
        if walk.visit(root.path(), &entry)? == Next::SkipFolder {
            entries.skip_current_dir();
        }
    }
    Ok(walk.found)
}

#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    SkipFolder,
}

struct Walk<'a> {
    ignore: &'a IgnoreRules,
    limits: &'a SourceLimits,
    found: Found,
    tally: Tally,
}

impl Walk<'_> {
    fn visit(&mut self, root: &Path, entry: &DirEntry) -> Result<Next, FolderError> {
        let path = relative(root, entry.path())?;
        let name = path.rsplit('/').next().unwrap_or(&path);
        let kind = entry.file_type();
        self.tally.visit(&path, self.limits)?;
        if kind.is_dir() {
            let out = leaves_out_folder(name) || self.ignore.matches(&path, keep::Entry::Folder);
            return Ok(if out { Next::SkipFolder } else { Next::GoOn });
        }
        if self.ignore.matches(&path, keep::Entry::File) {
            return Ok(Next::GoOn);
        }
        if kind.is_file() && is_env_file(name) {
            self.found.env_files.push(path);
        } else if leaves_out_file(name) || (kind.is_symlink() && leaves_out_folder(name)) {
            // A linked node_modules is as little part of the app as a real one.
        } else if !is_clean_path(&path) {
            let shown = path.escape_debug().to_string();
            return Err(SnapshotError::BadPath(shown).into());
        } else if kind.is_symlink() {
            self.link(path, entry.path())?;
        } else if kind.is_file() {
            let metadata = entry.metadata().map_err(|cause| unreadable(root, &cause))?;
            self.file(path, &metadata)?;
        } else {
            let text = format!("`{path}` is no regular file and stays out of the app");
            self.found.notices.push(text);
        }
        Ok(Next::GoOn)
    }

    fn link(&mut self, path: String, place: &Path) -> Result<(), FolderError> {
        let target = std::fs::read_link(place).map_err(|cause| FolderError::Unreadable {
            path: path.clone(),
            cause,
        })?;
        let target =
            target
                .into_os_string()
                .into_string()
                .map_err(|target| FolderError::NotText {
                    path: escape(Path::new(&target)),
                })?;
        self.tally.count(&path, 0, self.limits)?;
        self.found.links.push(Entry::Link { path, target });
        Ok(())
    }

    fn file(&mut self, path: String, metadata: &Metadata) -> Result<(), FolderError> {
        self.tally.count(&path, metadata.len(), self.limits)?;
        let mode = match metadata.permissions().mode() & 0o111 {
            0 => Mode::Plain,
            _ => Mode::Executable,
        };
        self.found.files.push(FoundFile {
            path,
            stamp: Stamp::of(metadata),
            mode,
        });
        Ok(())
    }
}

/// Counts what was seen, so that a huge folder is refused long before its end.
#[derive(Default)]
struct Tally {
    visited: usize,
    files: usize,
    bytes: u64,
    largest: (String, u64),
    /// How many entries each folder at the top holds.
    folders: BTreeMap<String, usize>,
}

impl Tally {
    /// How many entries of any kind are looked at for each file that is allowed.
    const VISITS_PER_FILE: usize = 5;

    fn visit(&mut self, path: &str, limits: &SourceLimits) -> Result<(), FolderError> {
        self.visited += 1;
        if let Some((top, _)) = path.split_once('/') {
            match self.folders.get_mut(top) {
                Some(count) => *count += 1,
                None => drop(self.folders.insert(top.to_owned(), 1)),
            }
        }
        self.bound(
            self.visited,
            limits.files.saturating_mul(Self::VISITS_PER_FILE),
            limits,
        )
    }

    fn count(&mut self, path: &str, size: u64, limits: &SourceLimits) -> Result<(), FolderError> {
        self.files += 1;
        self.bytes = self.bytes.saturating_add(size);
        if size >= self.largest.1 {
            self.largest = (path.to_owned(), size);
        }
        if self.bytes > limits.total_bytes {
            return Err(FolderError::TooLarge {
                limit_bytes: limits.total_bytes,
                largest: self.largest.0.clone(),
                largest_bytes: self.largest.1,
            });
        }
        self.bound(self.files, limits.files, limits)
    }

    fn bound(&self, count: usize, most: usize, limits: &SourceLimits) -> Result<(), FolderError> {
        if count <= most {
            return Ok(());
        }
        let fullest = self.folders.iter().max_by_key(|(_, count)| **count);
        Err(FolderError::TooManyFiles {
            limit: limits.files,
            fullest: fullest.map(|(folder, _)| folder.clone()),
        })
    }
}

fn relative(root: &Path, place: &Path) -> Result<String, FolderError> {
    let path = place.strip_prefix(root).unwrap_or(place);
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| FolderError::NotText { path: escape(path) })
}

/// Shows a name that is no text: what is text of it, the rest as `\xFF`.
fn escape(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str()
        .as_bytes()
        .utf8_chunks()
        .fold(String::new(), |mut shown, chunk| {
            shown.extend(chunk.valid().escape_debug());
            shown.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
            shown
        })
}

fn unreadable(root: &Path, cause: &walkdir::Error) -> FolderError {
    let place = cause.path().unwrap_or(root);
    let path = match place.strip_prefix(root) {
        Ok(inner) if inner.as_os_str().is_empty() => escape(root),
        Ok(inner) => escape(inner),
        Err(_) => escape(place),
    };
    let kind = cause
        .io_error()
        .map_or(io::ErrorKind::Other, io::Error::kind);
    if kind == io::ErrorKind::NotFound {
        return FolderError::Changes { path };
    }
    let cause = match cause.io_error().and_then(io::Error::raw_os_error) {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::other(cause.to_string()),
    };
    FolderError::Unreadable { path, cause }
}
