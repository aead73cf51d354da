//! Writes files into a folder that nobody else reaches, so that nothing lands outside it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::snapshot::Mode;
use rustix::fs::{Timespec, Timestamps};

use super::is_layer_path;

/// The permission bits of a file.
pub(super) fn file_mode(mode: Mode) -> u32 {
    match mode {
        Mode::Plain => 0o644,
        Mode::Executable => 0o755,
    }
}

/// The permission bits of a folder: everyone may write in the image's `/tmp`.
pub(super) fn folder_mode(path: &str) -> u32 {
    match path {
        "tmp" | "var/tmp" => 0o1777,
        _ => 0o755,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
    Link,
}

/// Why an entry was not written.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// A path is absolute, climbs or has control characters.
    #[error("`{0}` is not a path that a layer can have")]
    BadPath(String),
    /// An entry lies below a link or a file.
    #[error("`{0}` lies below something that is no folder")]
    BelowNoFolder(String),
    /// Two entries have one path.
    #[error("`{0}` comes twice")]
    Twice(String),
    /// A hard link names something that is no file before it.
    #[error("the hard link `{0}` points to no file")]
    NoSource(String),
    /// The system refused.
    #[error("`{path}` cannot be written")]
    Io {
        /// Where.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
}

/// A fresh folder and what was written to it; several threads may write at once.
///
/// Invariant: every entry was made through this value, so that each ancestor of a path is a real
/// folder and plain paths cannot be led outside.
#[derive(Debug)]
pub struct Place {
    root: PathBuf,
    kinds: Mutex<HashMap<String, Kind>>,
}

impl Place {
    /// Takes an empty folder that nobody else writes to.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            kinds: Mutex::default(),
        }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a folder; one that is there is no error.
    pub fn folder(&self, path: &str) -> Result<(), PlaceError> {
        let mut kinds = self.kinds();
        self.ancestors(&mut kinds, path)?;
        self.one_folder(&mut kinds, path)
    }

    /// Makes an empty file to write to; [`Place::seal`] ends it.
    pub fn file(&self, path: &str, mode: Mode) -> Result<File, PlaceError> {
        self.claim(path, Kind::File)?;
        let full = self.root.join(path);
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(file_mode(mode))
            .open(&full)
            .and_then(|file| {
                file.set_permissions(Permissions::from_mode(file_mode(mode)))?;
                Ok(file)
            });
        made.map_err(io_at(full))
    }

    /// Gives a written file the time that all files of a layer have.
    pub fn seal(&self, file: &File, path: &str) -> Result<(), PlaceError> {
        rustix::fs::futimens(file, &EPOCH)
            .map_err(|cause| io_at(self.root.join(path))(cause.into()))
    }

    /// Makes a symbolic link; its target is not followed.
    pub fn link(&self, path: &str, target: &str) -> Result<(), PlaceError> {
        self.claim(path, Kind::Link)?;
        let full = self.root.join(path);
        std::os::unix::fs::symlink(target, &full).map_err(io_at(&full))?;
        set_time(&full).map_err(io_at(full))
    }

    /// Copies a file that was placed before, which is what a hard link becomes.
    pub fn copy(&self, path: &str, source: &str) -> Result<(), PlaceError> {
        if self.kinds().get(source) != Some(&Kind::File) {
            return Err(PlaceError::NoSource(path.to_owned()));
        }
        self.claim(path, Kind::File)?;
        let full = self.root.join(path);
        fs::copy(self.root.join(source), &full).map_err(io_at(&full))?;
        set_time(&full).map_err(io_at(full))
    }

    /// The size of a file that was placed; 0 when there is none.
    pub fn size_bytes(&self, path: &str) -> u64 {
        let is_file = self.kinds().get(path) == Some(&Kind::File);
        let size = || fs::symlink_metadata(self.root.join(path)).map_or(0, |file| file.len());
        if is_file { size() } else { 0 }
    }

    /// Whether something was placed at `path`.
    pub fn has(&self, path: &str) -> bool {
        self.kinds().contains_key(path)
    }

    /// Gives every folder the time that layers have. Call it when all entries are there.
    pub fn finish(&self) -> Result<(), PlaceError> {
        for (path, kind) in self.kinds().iter() {
            if *kind == Kind::Folder {
                let full = self.root.join(path);
                set_time(&full).map_err(io_at(full))?;
            }
        }
        set_time(&self.root).map_err(io_at(&self.root))
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<String, Kind>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn claim(&self, path: &str, kind: Kind) -> Result<(), PlaceError> {
        let mut kinds = self.kinds();
        self.ancestors(&mut kinds, path)?;
        match kinds.insert(path.to_owned(), kind) {
            None => Ok(()),
            Some(before) => {
                kinds.insert(path.to_owned(), before);
                Err(PlaceError::Twice(path.to_owned()))
            }
        }
    }

    fn ancestors(&self, kinds: &mut HashMap<String, Kind>, path: &str) -> Result<(), PlaceError> {
        if !is_layer_path(path) {
            return Err(PlaceError::BadPath(path.escape_debug().to_string()));
        }
        let parent = path.rfind('/').map(|at| &path[..at]);
        if parent.is_none_or(|parent| kinds.get(parent) == Some(&Kind::Folder)) {
            return Ok(());
        }
        for (at, _) in path.match_indices('/') {
            self.one_folder(kinds, &path[..at])
                .map_err(|error| match error {
                    PlaceError::Twice(_) => PlaceError::BelowNoFolder(path.to_owned()),
                    other => other,
                })?;
        }
        Ok(())
    }

    fn one_folder(&self, kinds: &mut HashMap<String, Kind>, path: &str) -> Result<(), PlaceError> {
        match kinds.get(path) {
            Some(Kind::Folder) => return Ok(()),
            Some(_) => return Err(PlaceError::Twice(path.to_owned())),
            None => {}
        }
        let full = self.root.join(path);
        let mode = Permissions::from_mode(folder_mode(path));
        fs::create_dir(&full)
            .and_then(|()| fs::set_permissions(&full, mode))
            .map_err(io_at(full))?;
        kinds.insert(path.to_owned(), Kind::Folder);
        Ok(())
    }
}

/// The time of everything in a layer.
pub(super) const EPOCH: Timestamps = Timestamps {
    last_access: Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    },
    last_modification: Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    },
};

/// Sets the time of a file, a folder or a link itself.
pub(super) fn set_time(path: &Path) -> io::Result<()> {
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &EPOCH, flags).map_err(Into::into)
}

fn io_at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> PlaceError {
    let path = path.into();
    move |cause| PlaceError::Io { path, cause }
}
