//! Copying a folder whose content is hostile, as root.
//!
//! Links are copied, never followed; pipes, sockets and devices are left out; on file systems that
//! can, file contents are shared until one side writes.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, chownat, fchmod,
    fchown, fstat, futimens, mkdirat, openat, readlinkat, statat, symlinkat,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// How deep folders may lie in each other: deeper ones are somebody's attack.
const DEPTH: usize = 128;

/// A file as it was copied, to tell later whether it was written since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Copied {
    /// Relative to the copied folder.
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    /// Seconds and nanoseconds.
    pub(crate) modified: (i64, i64),
}

impl Copied {
    pub(crate) fn new(path: PathBuf, stat: &Stat) -> Self {
        let (size, modified) = fingerprint(stat);
        Self {
            path,
            size,
            modified,
        }
    }
}

/// Copies what is in the folder `from` into the folder `to`, which is empty or new, and gives it
/// to `owner`. Returns the files and links that were copied.
pub(crate) fn copy_folder(from: &OwnedFd, to: &OwnedFd, owner: u32) -> io::Result<Vec<Copied>> {
    let mut copied = Vec::new();
    copy_entries(from, to, owner, &mut Place::default(), &mut copied)?;
    Ok(copied)
}

/// Copies one regular file over what is at `name` in `to`; replaces it in one step.
pub(crate) fn copy_file(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &OsStr,
    owner: u32,
) -> io::Result<()> {
    let mut fresh = OsStr::new(".mayfly-").to_owned();
    fresh.push(name);
    let _ = rustix::fs::unlinkat(to, &fresh, AtFlags::empty());
    write_file(from, to, &fresh, owner)?;
    Ok(rustix::fs::renameat(to, &fresh, to, name)?)
}

/// Gives the entry `name` of `folder` to `owner`, a link itself rather than what it names.
pub(crate) fn give(folder: impl AsFd, name: impl rustix::path::Arg, owner: u32) -> io::Result<()> {
    let (user, group) = ids(owner);
    Ok(chownat(
        folder,
        name,
        Some(user),
        Some(group),
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// The names in a folder, but for `.` and `..`.
pub(crate) fn names(folder: impl AsFd) -> io::Result<Vec<std::ffi::CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if name.as_bytes() != b"." && name.as_bytes() != b".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// What an entry is, links not followed; `None` when it went away.
pub(crate) fn status(folder: impl AsFd, name: &CStr) -> io::Result<Option<Stat>> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(cause) => Err(cause.into()),
    }
}

/// What kind of thing a status describes.
pub(crate) fn kind(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// Opens the folder `name` in `folder`; a link is refused.
pub(crate) fn open_child(folder: impl AsFd, name: &CStr) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(folder, name, flags, Mode::empty())?)
}

/// Size and time of a file, as [`Copied`] keeps them.
pub(crate) fn fingerprint(stat: &Stat) -> (u64, (i64, i64)) {
    (
        stat.st_size as u64,
        (stat.st_mtime, stat.st_mtime_nsec as i64),
    )
}

#[derive(Default)]
struct Place {
    path: PathBuf,
    depth: usize,
}

fn copy_entries(
    from: &OwnedFd,
    to: &OwnedFd,
    owner: u32,
    place: &mut Place,
    copied: &mut Vec<Copied>,
) -> io::Result<()> {
    if place.depth > DEPTH {
        return Err(Errno::NAMETOOLONG.into());
    }
    for name in names(from)? {
        let Some(stat) = status(from, &name)? else {
            continue;
        };
        place.path.push(as_path(&name));
        match kind(&stat) {
            FileType::Directory => copy_child(from, to, &name, owner, place, copied)?,
            FileType::RegularFile => {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                let source = openat(from, &name, flags, Mode::empty())?;
                write_file(
                    source.as_fd(),
                    to.as_fd(),
                    as_path(&name).as_os_str(),
                    owner,
                )?;
                copied.push(Copied::new(place.path.clone(), &stat));
            }
            FileType::Symlink => {
                symlinkat(readlinkat(from, &name, Vec::new())?, to, &name)?;
                give(to, &name, owner)?;
                copied.push(Copied::new(place.path.clone(), &stat));
            }
            _ => {}
        }
        place.path.pop();
    }
    Ok(())
}

fn copy_child(
    from: &OwnedFd,
    to: &OwnedFd,
    name: &CStr,
    owner: u32,
    place: &mut Place,
    copied: &mut Vec<Copied>,
) -> io::Result<()> {
    match mkdirat(to, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(cause) => return Err(cause.into()),
    }
    let (from, to) = (open_child(from, name)?, open_child(to, name)?);
    place.depth += 1;
    copy_entries(&from, &to, owner, place, copied)?;
    place.depth -= 1;
    let stat = fstat(&from)?;
    let (user, group) = ids(owner);
    fchown(&to, Some(user), Some(group))?;
    fchmod(&to, Mode::from_raw_mode(stat.st_mode & 0o755 | 0o700))?;
    Ok(())
}

fn write_file(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &OsStr,
    owner: u32,
) -> io::Result<()> {
    let stat = fstat(from)?;
    if kind(&stat) != FileType::RegularFile {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = openat(to, name, flags, Mode::from_raw_mode(0o600))?;
    fill(from, &target)?;
    let (user, group) = ids(owner);
    fchown(&target, Some(user), Some(group))?;
    // Owner bits that let the app read and write; nothing that lends rights.
    fchmod(&target, Mode::from_raw_mode(stat.st_mode & 0o755 | 0o600))?;
    let modified = Timespec {
        tv_sec: stat.st_mtime,
        tv_nsec: stat.st_mtime_nsec as _,
    };
    let times = Timestamps {
        last_access: modified,
        last_modification: modified,
    };
    Ok(futimens(&target, &times)?)
}

fn fill(from: BorrowedFd<'_>, to: &OwnedFd) -> io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    loop {
        match rustix::fs::copy_file_range(from, None, to, None, 1 << 30) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => break,
            Err(cause) => return Err(cause.into()),
        }
    }
    let mut from = std::fs::File::from(from.try_clone_to_owned()?);
    let mut to = std::fs::File::from(to.try_clone()?);
    io::copy(&mut from, &mut to).map(drop)
}

fn as_path(name: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(name.to_bytes()))
}

fn ids(owner: u32) -> (Uid, Gid) {
    (Uid::from_raw(owner), Gid::from_raw(owner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beneath::open_folder;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    #[test]
    fn links_are_copied_as_links_and_pipes_are_left_out() {
        let room = tempfile::tempdir().expect("a folder");
        let (from, to) = (room.path().join("from"), room.path().join("to"));
        std::fs::create_dir_all(from.join("sub")).expect("folders");
        std::fs::create_dir(&to).expect("a folder");
        std::fs::write(from.join("sub/a"), "hello").expect("a file");
        std::fs::set_permissions(from.join("sub/a"), PermissionsExt::from_mode(0o6777))
            .expect("a mode");
        symlink("/etc/shadow", from.join("trap")).expect("a link");
        nix::unistd::mkfifo(&from.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        let copied = copy_folder(
            &open_folder(&from).expect("from"),
            &open_folder(&to).expect("to"),
            0,
        );
        assert_eq!(copied.expect("a copy").len(), 2);
        assert_eq!(std::fs::read(to.join("sub/a")).expect("a file"), b"hello");
        let mode = std::fs::metadata(to.join("sub/a")).expect("a file").mode();
        assert_eq!(mode & 0o7777, 0o755, "rights are not lent");
        assert!(to.join("trap").is_symlink());
        assert!(!to.join("pipe").exists());
    }
}
