//! Reading a file while others may write to it.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use model::Digest;
use sha2::{Digest as _, Sha256};

use super::FolderError;
use super::root::Root;
use super::stamp::Stamp;

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 2;
const PIECE_BYTES: usize = 128 * 1024;

/// Hashes the file at `path`; returns its stamp too. A file that grows is not read on for ever.
pub(crate) fn hash(
    root: &Root,
    path: &str,
    limit_bytes: u64,
) -> Result<(Digest, Stamp), FolderError> {
    let mut piece = vec![0; PIECE_BYTES];
    steady(root, path, limit_bytes, |file| {
        let mut hash = Sha256::new();
        let mut size_bytes = 0;
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => {
                    hash.update(&piece[..read]);
                    size_bytes += read as u64;
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok((Digest::from_bytes(hash.finalize().into()), size_bytes))
    })
}

/// Reads the file at `path` whole.
pub(crate) fn content(root: &Root, path: &str, limit_bytes: u64) -> Result<Bytes, FolderError> {
    let read = |file: &mut io::Take<File>| {
        let mut content = Vec::new();
        let size_bytes = file.read_to_end(&mut content)? as u64;
        Ok((Bytes::from(content), size_bytes))
    };
    steady(root, path, limit_bytes, read).map(|(content, _)| content)
}

/// Reads with `read` until the file looked the same before and after.
fn steady<T>(
    root: &Root,
    path: &str,
    limit_bytes: u64,
    mut read: impl FnMut(&mut io::Take<File>) -> io::Result<(T, u64)>,
) -> Result<(T, Stamp), FolderError> {
    for _ in 0..ATTEMPTS {
        let attempt = once(root, path, limit_bytes, &mut read);
        match attempt.map_err(|cause| unreadable(path, cause))? {
            Some(steady) => return Ok(steady),
            None => continue,
        }
    }
    Err(FolderError::Changes {
        path: path.to_owned(),
    })
}

fn once<T>(
    root: &Root,
    path: &str,
    limit_bytes: u64,
    read: &mut impl FnMut(&mut io::Take<File>) -> io::Result<(T, u64)>,
) -> io::Result<Option<(T, Stamp)>> {
    let file = root.open_file(path)?;
    let metadata = file.metadata()?;
    let before = Stamp::of(&metadata);
    if !metadata.is_file() || before.size_bytes > limit_bytes {
        return Ok(None);
    }
    let mut file = file.take(before.size_bytes + 1);
    let (got, size_bytes) = read(&mut file)?;
    let after = Stamp::of(&file.into_inner().metadata()?);
    let steady = before == after && size_bytes == before.size_bytes;
    Ok(steady.then_some((got, before)))
}

/// A file that is gone, or became a link, has changed since it was found.
fn unreadable(path: &str, cause: io::Error) -> FolderError {
    let path = path.to_owned();
    let gone = [libc::ENOENT, libc::ELOOP, libc::ENOTDIR, libc::ENXIO];
    match cause.raw_os_error() {
        Some(number) if gone.contains(&number) => FolderError::Changes { path },
        _ => FolderError::Unreadable { path, cause },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Reads a file of three letters, to which something is appended while it is read, `changes`
    /// times. Returns the result and how often it was read.
    fn read_while_it_grows(changes: usize) -> (Result<(String, Stamp), FolderError>, usize) {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("log.txt");
        std::fs::write(&path, "one").expect("a file");
        let root = Root::open(place.path()).expect("the folder");
        let mut reads = 0;
        let read = |file: &mut io::Take<File>| {
            reads += 1;
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            if reads <= changes {
                File::options().append(true).open(&path)?.write_all(b"!")?;
            }
            let size_bytes = text.len() as u64;
            Ok((text, size_bytes))
        };
        let result = steady(&root, "log.txt", 100, read);
        (result, reads)
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_once_more() {
        let (result, reads) = read_while_it_grows(1);
        assert_eq!(
            (result.expect("steady at last").0.as_str(), reads),
            ("one!", 2)
        );
        let (result, reads) = read_while_it_grows(9);
        assert!(matches!(result, Err(FolderError::Changes { path }) if path == "log.txt"));
        assert_eq!(reads, 2);
    }

    #[test]
    fn a_file_that_has_become_something_else_is_not_read() {
        let place = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret"), "x").expect("a file");
        std::os::unix::fs::symlink(outside.path(), place.path().join("folder")).expect("a link");
        std::fs::write(place.path().join("large"), "1234").expect("a file");
        std::fs::write(place.path().join("plain"), "1").expect("a file");
        let root = Root::open(place.path()).expect("the folder");
        assert!(hash(&root, "plain", 3).is_ok());
        for path in ["folder/secret", "gone", "large", "."] {
            let result = hash(&root, path, 3);
            assert!(
                matches!(result, Err(FolderError::Changes { .. })),
                "{path}: {result:?}"
            );
        }
    }
}
