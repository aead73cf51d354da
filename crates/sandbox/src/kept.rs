//! What of an app's folder outlives the release: finding it, and moving it to the data folder.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use model::keep::{Entry, KeepRules, SQLITE_COMPANIONS};
use rustix::fs::{FileType, Mode, OFlags, mkdirat, renameat};

use crate::beneath::{make_plain, open_plain, split};
use crate::copy::{copy_file, copy_folder, give, kind, names, open_child, status};

/// How deep folders are searched.
const DEPTH: usize = 128;

/// A kept file, or a folder that is kept with all in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Relative to the folder that was searched.
    pub(crate) path: PathBuf,
    pub(crate) entry: Entry,
}

/// Finds what the rules keep in `folder`, in the order of paths. Companions of databases are left
/// out: they move with them.
pub(crate) fn find(folder: &OwnedFd, rules: &KeepRules) -> io::Result<Vec<Kept>> {
    let mut found = Vec::new();
    search(folder, Path::new(""), rules, 0, &mut found)?;
    let files: Vec<PathBuf> = found.iter().map(|kept: &Kept| kept.path.clone()).collect();
    found.retain(|kept| {
        kept.entry == Entry::Folder
            || !database_of(&kept.path).is_some_and(|db| files.contains(&db))
    });
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// Copies what the rules keep from `source` to `data`, unless something is there already.
pub(crate) fn seed(
    source: &OwnedFd,
    data: &OwnedFd,
    rules: &KeepRules,
    owner: u32,
) -> io::Result<()> {
    for Kept { path, entry } in find(source, rules)? {
        if exists(data, &path)? {
            continue;
        }
        bring(source, data, &path, entry, owner)?;
        for companion in companions(&path) {
            if exists(source, &companion)? && !exists(data, &companion)? {
                bring(source, data, &companion, Entry::File, owner)?;
            }
        }
    }
    Ok(())
}

/// Copies one kept thing from a folder to the data folder; it appears there in one step.
pub(crate) fn bring(
    source: &OwnedFd,
    data: &OwnedFd,
    path: &Path,
    entry: Entry,
    owner: u32,
) -> io::Result<()> {
    let (above, name) = split(path)?;
    let above = make_plain(data.as_fd(), above, owner)?;
    match entry {
        Entry::File => {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK;
            let file = open_plain(source, path, flags)?;
            copy_file(file.as_fd(), above.as_fd(), name, owner)
        }
        Entry::Folder => {
            let from = open_plain(source, path, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let mut fresh = OsStr::new(".mayfly-").to_owned();
            fresh.push(name);
            clear(&above, &fresh)?;
            mkdirat(&above, &fresh, Mode::from_raw_mode(0o755))?;
            let to = open_plain(
                &above,
                Path::new(&fresh),
                OFlags::RDONLY | OFlags::DIRECTORY,
            )?;
            copy_folder(&from, &to, owner)?;
            give(&above, &fresh, owner)?;
            Ok(renameat(&above, &fresh, &above, name)?)
        }
    }
}

/// Whether something, a link too, is at `path` below `folder`.
pub(crate) fn exists(folder: &OwnedFd, path: &Path) -> io::Result<bool> {
    match open_plain(folder, path, OFlags::PATH) {
        Ok(_) => Ok(true),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(false),
        // A link on the way, or another file system: something is there, though not ours.
        Err(rustix::io::Errno::LOOP | rustix::io::Errno::XDEV) => Ok(true),
        Err(cause) => Err(cause.into()),
    }
}

/// The files that SQLite keeps beside a database at `path`.
pub(crate) fn companions(path: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    SQLITE_COMPANIONS.iter().map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// The database that a file at `path` would be a companion of.
pub(crate) fn database_of(path: &Path) -> Option<PathBuf> {
    let text = path.to_str()?;
    let base = SQLITE_COMPANIONS
        .iter()
        .find_map(|suffix| text.strip_suffix(suffix))?;
    Some(PathBuf::from(base))
}

pub(crate) fn as_path(name: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(name.to_bytes()))
}

fn search(
    folder: &OwnedFd,
    at: &Path,
    rules: &KeepRules,
    depth: usize,
    found: &mut Vec<Kept>,
) -> io::Result<()> {
    if depth > DEPTH {
        return Ok(());
    }
    for name in names(folder)? {
        let Some(stat) = status(folder, &name)? else {
            continue;
        };
        let path = at.join(as_path(&name));
        // A pattern cannot name what is no text.
        let Some(text) = path.to_str() else { continue };
        let entry = match kind(&stat) {
            FileType::Directory => Entry::Folder,
            FileType::RegularFile => Entry::File,
            _ => continue,
        };
        if rules.kept(text, entry).is_some() {
            found.push(Kept { path, entry });
        } else if entry == Entry::Folder {
            search(&open_child(folder, &name)?, &path, rules, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Removes what an interrupted copy left behind.
fn clear(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let path = crate::beneath::path_of(folder).join(name);
    match std::fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beneath::open_folder;
    use model::keep::DEFAULT_KEEP;

    fn rules() -> KeepRules {
        KeepRules::new(&DEFAULT_KEEP).expect("good patterns")
    }

    #[test]
    fn companions_of_a_database_are_found_with_it() {
        let room = tempfile::tempdir().expect("a folder");
        for file in ["a.sqlite3", "a.sqlite3-wal", "lone.sqlite-wal", "x.py"] {
            std::fs::write(room.path().join(file), file).expect("a file");
        }
        std::fs::create_dir_all(room.path().join("src/uploads")).expect("folders");
        let folder = open_folder(room.path()).expect("the folder");
        let found = find(&folder, &rules()).expect("found");
        let paths: Vec<_> = found
            .iter()
            .map(|kept| kept.path.display().to_string())
            .collect();
        assert_eq!(paths, ["a.sqlite3", "lone.sqlite-wal", "src/uploads"]);
    }

    #[test]
    fn a_seed_brings_companions_and_replaces_nothing() {
        let (source, data) = (tempfile::tempdir(), tempfile::tempdir());
        let (source, data) = (source.expect("a folder"), data.expect("a folder"));
        std::fs::create_dir(source.path().join("uploads")).expect("a folder");
        for file in ["a.db", "a.db-wal", "b.db", "uploads/1.png", "code.py"] {
            std::fs::write(source.path().join(file), "source").expect("a file");
        }
        std::fs::write(data.path().join("b.db"), "newer").expect("a file");
        let (from, to) = (open_folder(source.path()), open_folder(data.path()));
        seed(&from.expect("from"), &to.expect("to"), &rules(), 0).expect("seeded");
        let read = |file| std::fs::read_to_string(data.path().join(file)).ok();
        assert_eq!(read("a.db").as_deref(), Some("source"));
        assert_eq!(read("a.db-wal").as_deref(), Some("source"));
        assert_eq!(read("uploads/1.png").as_deref(), Some("source"));
        assert_eq!(read("b.db").as_deref(), Some("newer"));
        assert_eq!(read("code.py"), None);
    }
}
