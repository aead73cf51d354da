//! Where things lie on disk: one folder for each instance and each job.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The folder of one sandbox. Only root may enter it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Names the folder at `path`, which need not exist.
    pub(crate) fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder; fails when it exists, which makes its name a claim.
    pub(crate) fn claim(&self) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(&self.0)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What to run; it holds secrets.
    pub(crate) fn plan(&self) -> PathBuf {
        self.0.join("plan.json")
    }

    /// The writable copy of the app's folder.
    pub(crate) fn app(&self) -> PathBuf {
        self.0.join("app")
    }

    /// What `app` held at the start.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.0.join("manifest.json")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    /// The supervisor's process, from its beginning on.
    pub(crate) fn supervisor(&self) -> PathBuf {
        self.0.join("supervisor.json")
    }

    /// The processes, from when the command runs on.
    pub(crate) fn state(&self) -> PathBuf {
        self.0.join("state.json")
    }

    /// What stops when the end is written down.
    pub(crate) fn pulse(&self) -> PathBuf {
        self.0.join("pulse")
    }

    pub(crate) fn exit(&self) -> PathBuf {
        self.0.join("exit.json")
    }

    pub(crate) fn denied(&self) -> PathBuf {
        self.0.join("denied.json")
    }

    /// What the supervisor prints when it fails in a way that it cannot report.
    pub(crate) fn last_words(&self) -> PathBuf {
        self.0.join("supervisor.log")
    }

    /// Removes the folder with all in it. A missing one is no error.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match std::fs::remove_dir_all(&self.0) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

/// Makes `path` and the folders above it, closed to other users.
pub(crate) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Writes `value` so that a reader finds the old or the new content, never a part.
///
/// Files that are written once are quick; replacing one makes some file systems wait for the disk.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let bytes = serde_json::to_vec(value)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&fresh)?;
    io::Write::write_all(&mut file, &bytes)?;
    std::fs::rename(&fresh, path)
}

/// Reads what [`write_json`] wrote; `None` when it never did, or when a power cut left a part.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)
            .inspect_err(|cause| tracing::warn!(path = %path.display(), "unreadable: {cause}"))
            .ok()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}
