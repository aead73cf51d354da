//! A folder, opened once: what is read through it cannot lie outside, even when someone swaps a
//! folder for a link meanwhile.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat2};
use nix::sys::stat::Mode;

use super::FolderError;

/// An open folder.
#[derive(Debug)]
pub(crate) struct Root {
    path: PathBuf,
    descriptor: OwnedFd,
}

impl Root {
    /// Opens `folder`, links on the way to it followed.
    pub(crate) fn open(folder: &Path) -> Result<Self, FolderError> {
        let path = folder
            .canonicalize()
            .map_err(|cause| why_not(folder, cause))?;
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let descriptor = open(&path, flags, Mode::empty())
            .map_err(|errno| why_not(folder, io::Error::from(errno)))?;
        Ok(Self { path, descriptor })
    }

    /// Its absolute path, without links.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself, however it is called meanwhile.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Opens a file in it for reading, by its relative path. A link in that path is `ELOOP`; a
    /// fifo does not block.
    pub(crate) fn open_file(&self, path: &str) -> io::Result<File> {
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        loop {
            match openat2(self.descriptor.as_fd(), path, how) {
                Ok(descriptor) => return Ok(File::from(descriptor)),
                // openat2(2): a rename elsewhere made the kernel unsure; ask again.
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }

    /// Reads a small text file in it; `None` when there is none. What lies beyond `limit_bytes` and
    /// what is no UTF-8 is lost.
    pub(crate) fn read_text(&self, path: &str, limit_bytes: u64) -> io::Result<Option<String>> {
        let file = match self.open_file(path) {
            Ok(file) if file.metadata()?.is_file() => file,
            Ok(_) => return Ok(None),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) if cause.raw_os_error() == Some(libc::ELOOP) => return Ok(None),
            Err(cause) => return Err(cause),
        };
        let mut bytes = Vec::new();
        file.take(limit_bytes).read_to_end(&mut bytes)?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

fn why_not(folder: &Path, cause: io::Error) -> FolderError {
    let folder = folder.to_owned();
    match cause.kind() {
        io::ErrorKind::NotFound => FolderError::Missing { folder },
        io::ErrorKind::NotADirectory => FolderError::NotAFolder { folder },
        _ => FolderError::Unreadable {
            path: folder.display().to_string(),
            cause,
        },
    }
}
