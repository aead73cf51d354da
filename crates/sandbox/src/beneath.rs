//! Opening paths below a folder whose content is hostile: no link leads out of it.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, mkdirat, openat2};
use rustix::io::Errno;

/// Opens a folder of ours: the path itself is trusted.
pub(crate) fn open_folder(path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

/// A name for a descriptor that system calls which take paths understand.
pub(crate) fn path_of(fd: &impl AsFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd()))
}

/// Opens `path` below `root` without following any symbolic link.
pub(crate) fn open_plain(
    root: impl AsFd,
    path: &Path,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    openat2(root, relative(path), flags, Mode::empty(), resolve)
}

/// Opens `path` as a process whose root is `root` would: links lead to places within.
pub(crate) fn open_inside(
    root: impl AsFd,
    path: &Path,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let flags = flags | OFlags::CLOEXEC;
    openat2(root, relative(path), flags, Mode::empty(), resolve)
}

/// Opens the folder `path` inside `root`, making what is missing on the way.
pub(crate) fn make_inside(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY;
    match open_inside(root, path, flags) {
        Err(Errno::NOENT) => {}
        other => return Ok(other?),
    }
    let (above, name) = split(path)?;
    let above = make_inside(root, above)?;
    match mkdirat(&above, name, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(cause) => return Err(cause.into()),
    }
    Ok(open_inside(root, path, flags)?)
}

/// Opens for reading the folder that `fd` names.
pub(crate) fn open_child_of(fd: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::openat(fd, ".", flags, Mode::empty())?)
}

/// Makes the folder `path` below `root` where it is missing, following no link; the owner of what
/// is made is `owner`.
pub(crate) fn make_plain(root: BorrowedFd<'_>, path: &Path, owner: u32) -> io::Result<OwnedFd> {
    if relative(path) == Path::new(".") {
        return Ok(open_plain(root, path, OFlags::RDONLY | OFlags::DIRECTORY)?);
    }
    let (above, name) = split(path)?;
    let above = make_plain(root, above, owner)?;
    match mkdirat(&above, name, Mode::from_raw_mode(0o755)) {
        Ok(()) => crate::copy::give(&above, name, owner)?,
        Err(Errno::EXIST) => {}
        Err(cause) => return Err(cause.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    Ok(open_plain(above, Path::new(name), flags)?)
}

/// The folder that holds `path`, and its name in there.
pub(crate) fn split(path: &Path) -> io::Result<(&Path, &OsStr)> {
    match (path.parent(), path.file_name()) {
        (Some(above), Some(name)) => Ok((above, name)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn relative(path: &Path) -> &Path {
    let path = path.strip_prefix("/").unwrap_or(path);
    match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_planted_link_leads_nowhere() {
        let room = tempfile::tempdir().expect("a folder");
        symlink("/etc", room.path().join("out")).expect("a link");
        let root = open_folder(room.path()).expect("the folder");
        let plain = open_plain(&root, Path::new("out/passwd"), OFlags::RDONLY);
        assert_eq!(plain.err(), Some(Errno::LOOP));
        let inside = open_inside(&root, Path::new("out/passwd"), OFlags::RDONLY);
        assert_eq!(inside.err(), Some(Errno::NOENT));
        // The control: a plain file in the same folder opens both ways.
        std::fs::write(room.path().join("in"), "x").expect("a file");
        assert!(open_plain(&root, Path::new("in"), OFlags::RDONLY).is_ok());
        assert!(open_inside(&root, Path::new("/in"), OFlags::RDONLY).is_ok());
    }

    #[test]
    fn missing_folders_are_made_inside() {
        let room = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(room.path().join("usr")).expect("a folder");
        symlink("/usr", room.path().join("link")).expect("a link");
        let root = open_folder(room.path()).expect("the folder");
        make_inside(root.as_fd(), Path::new("/link/share/app")).expect("made");
        assert!(room.path().join("usr/share/app").is_dir());
    }
}
