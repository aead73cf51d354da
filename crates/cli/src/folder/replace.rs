//! Replacing a file in a folder, in one step and never outside of it.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use model::Digest;
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat, openat2, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, unlinkat};

use super::root::Root;

/// Whether a file was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// It has the new content.
    Yes,
    /// Its content is no longer what it was taken for.
    ItChanged,
}

impl Root {
    /// Gives the file at `path` another content while it still is `expected`. Its mode stays. Links
    /// in that path are not followed.
    pub(crate) fn replace(
        &self,
        path: &str,
        expected: Digest,
        content: &[u8],
    ) -> io::Result<Replaced> {
        let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
        let folder = self.open_folder(folder)?;
        let mut old = self.open_file(path)?;
        let metadata = old.metadata()?;
        if !metadata.is_file() {
            return Ok(Replaced::ItChanged);
        }
        let new_name = format!(".{name}.mayfly-{}", std::process::id());
        let written = write_new(&folder, &new_name, content, metadata.permissions());
        let replaced = written.and_then(|()| {
            let mut bytes = Vec::new();
            old.read_to_end(&mut bytes)?;
            if Digest::of(&bytes) != expected {
                return Ok(Replaced::ItChanged);
            }
            renameat(&folder, new_name.as_str(), &folder, name)?;
            Ok(Replaced::Yes)
        });
        if !matches!(replaced, Ok(Replaced::Yes)) {
            let _ = unlinkat(&folder, new_name.as_str(), UnlinkatFlags::NoRemoveDir);
        }
        replaced
    }

    fn open_folder(&self, path: &str) -> io::Result<OwnedFd> {
        let how = OpenHow::new()
            .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_DIRECTORY)
            .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS);
        loop {
            match openat2(self.descriptor(), path, how) {
                Ok(folder) => return Ok(folder),
                // openat2(2): a rename elsewhere made the kernel unsure; ask again.
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

fn write_new(
    folder: &impl AsFd,
    name: &str,
    content: &[u8],
    permissions: Permissions,
) -> io::Result<()> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let new = openat(folder, name, flags, Mode::from_bits_truncate(0o600))?;
    let mut new = File::from(new);
    new.write_all(content)?;
    let mode = permissions.mode() & 0o777;
    new.set_permissions(Permissions::from_mode(mode))?;
    new.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_file_is_replaced_while_it_is_what_it_was_and_keeps_its_mode() {
        let place = tempfile::tempdir().expect("a folder");
        let file = place.path().join("a/run.sh");
        fs::create_dir(place.path().join("a")).expect("a folder");
        fs::write(&file, "one").expect("a file");
        fs::set_permissions(&file, Permissions::from_mode(0o750)).expect("permissions");
        let root = Root::open(place.path()).expect("the folder");
        let replace = |expected: &[u8]| root.replace("a/run.sh", Digest::of(expected), b"two");
        assert_eq!(replace(b"other").expect("an answer"), Replaced::ItChanged);
        assert_eq!(fs::read(&file).expect("the file"), b"one");
        assert_eq!(replace(b"one").expect("an answer"), Replaced::Yes);
        assert_eq!(fs::read(&file).expect("the file"), b"two");
        let mode = fs::metadata(&file).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
        assert_eq!(fs::read_dir(place.path().join("a")).expect("it").count(), 1);
    }

    #[test]
    fn links_are_not_followed_out_of_the_folder() {
        let place = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        let victim = outside.path().join("a.py");
        fs::write(&victim, "one").expect("a file");
        symlink(outside.path(), place.path().join("folder")).expect("a link");
        symlink(&victim, place.path().join("a.py")).expect("a link");
        let root = Root::open(place.path()).expect("the folder");
        for path in ["folder/a.py", "a.py", "../a.py"] {
            let refused = root.replace(path, Digest::of(b"one"), b"two");
            assert!(refused.is_err(), "{path}: {refused:?}");
        }
        assert_eq!(fs::read(&victim).expect("the file"), b"one");
    }
}
