//! Files that only their owner may read, written so that a crash leaves the old or the new one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ports::KeyRingError;
use tempfile::NamedTempFile;

/// Writes a file with mode 0600 under its name when its content has reached the disk.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), KeyRingError> {
    write_through(path, content).map_err(|cause| broken(path, cause))
}

fn write_through(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?; // Mode 0600.
    file.write_all(content)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// Reads a private file, which nobody else may be able to read.
pub(crate) fn read(path: &Path) -> Result<String, KeyRingError> {
    let mode = fs::metadata(path).map_err(|cause| broken(path, cause))?;
    let mode = mode.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let path = path.to_owned();
        return Err(KeyRingError::Exposed { path, mode });
    }
    fs::read_to_string(path).map_err(|cause| broken(path, cause))
}

pub(crate) fn broken(path: &Path, cause: io::Error) -> KeyRingError {
    let path = path.to_owned();
    KeyRingError::Io { path, cause }
}

pub(crate) fn damaged(path: &Path, why: impl ToString) -> KeyRingError {
    let (path, why) = (path.to_owned(), why.to_string());
    KeyRingError::Damaged { path, why }
}
