//! Unpacks a tar archive that may be hostile.

use std::borrow::Cow;
use std::io::{self, Read};

use model::limits::GIB;
use model::snapshot::Mode;
use tar::{Archive, Entry, EntryType};

use super::place::{Place, PlaceError};
use super::tar_stream::copy_exactly;

/// How much an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnpackLimits {
    /// All files together.
    pub bytes: u64,
    /// Files, folders and links.
    pub entries: usize,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self {
            bytes: 16 * GIB,
            entries: 1_000_000,
        }
    }
}

impl UnpackLimits {
    /// What is left after one more entry; `None` when it is too much.
    fn less(self, bytes: u64) -> Option<Self> {
        Some(Self {
            bytes: self.bytes.checked_sub(bytes)?,
            entries: self.entries.checked_sub(1)?,
        })
    }
}

/// Why an archive was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// It cannot be read.
    #[error("the archive is damaged")]
    Damaged(#[source] io::Error),
    /// A name is no UTF-8.
    #[error("an archive's entry has a name that is no UTF-8")]
    BadName,
    /// A device, a pipe or something else that no layer has.
    #[error("`{0}` is neither file, folder nor link")]
    BadKind(String),
    /// It holds more than it may.
    #[error("the archive holds more than {bytes} bytes or {entries} entries", bytes = .0.bytes, entries = .0.entries)]
    TooLarge(UnpackLimits),
    /// An entry would land outside, or cannot be written.
    #[error("an entry cannot be placed")]
    Place(#[from] PlaceError),
    /// What was unpacked is not what was promised.
    #[error("the archive is not the one that was promised")]
    WrongContent,
}

/// Unpacks `archive` into `place`. `rename` chooses each entry's path, or leaves it out.
///
/// Refused: paths that are absolute or climb, entries below a link or a file, a path that comes
/// twice, devices and pipes, and more than `limits` allow. A hard link becomes a copy of a file
/// that came before it in the same place.
pub fn unpack_tar(
    archive: impl Read,
    place: &Place,
    limits: UnpackLimits,
    rename: impl Fn(&str) -> Option<String>,
) -> Result<(), UnpackError> {
    let mut archive = Archive::new(archive);
    let mut left = limits;
    for entry in archive.entries().map_err(UnpackError::Damaged)? {
        let mut entry = entry.map_err(UnpackError::Damaged)?;
        let name = utf8(entry.path_bytes())?;
        let Some(path) = clean(&name).and_then(&rename) else {
            continue;
        };
        let bytes = match entry.header().entry_type() {
            // What it stands for is copied.
            EntryType::Link => place.size_bytes(&link_source(&entry, &path, &rename)?),
            _ => entry.size(),
        };
        left = left.less(bytes).ok_or(UnpackError::TooLarge(limits))?;
        unpack_entry(&mut entry, &path, place, &rename)?;
    }
    Ok(())
}

fn unpack_entry(
    entry: &mut Entry<'_, impl Read>,
    path: &str,
    place: &Place,
    rename: &impl Fn(&str) -> Option<String>,
) -> Result<(), UnpackError> {
    match entry.header().entry_type() {
        EntryType::Directory => Ok(place.folder(path)?),
        EntryType::Symlink => Ok(place.link(path, &target(entry, path)?)?),
        EntryType::Link => Ok(place.copy(path, &link_source(entry, path, rename)?)?),
        EntryType::Regular | EntryType::Continuous => unpack_file(entry, path, place),
        _ => Err(UnpackError::BadKind(path.to_owned())),
    }
}

fn target(entry: &Entry<'_, impl Read>, path: &str) -> Result<String, UnpackError> {
    match entry.link_name_bytes() {
        Some(target) => utf8(target),
        None => Err(UnpackError::BadKind(path.to_owned())),
    }
}

/// Where the file that a hard link names was placed.
fn link_source(
    entry: &Entry<'_, impl Read>,
    path: &str,
    rename: &impl Fn(&str) -> Option<String>,
) -> Result<String, UnpackError> {
    let source = target(entry, path)?;
    let source = clean(&source).and_then(rename);
    Ok(source.ok_or_else(|| PlaceError::NoSource(path.to_owned()))?)
}

fn unpack_file(
    entry: &mut Entry<'_, impl Read>,
    path: &str,
    place: &Place,
) -> Result<(), UnpackError> {
    use std::io::Write;
    let bits = entry.header().mode().map_err(UnpackError::Damaged)?;
    let executable = bits & 0o111 != 0;
    let mode = if executable {
        Mode::Executable
    } else {
        Mode::Plain
    };
    let size_bytes = entry.size();
    let mut file = place.file(path, mode)?;
    copy_exactly(entry, size_bytes, |piece| file.write_all(piece)).map_err(|cause| {
        PlaceError::Io {
            path: place.root().join(path),
            cause,
        }
    })?;
    Ok(place.seal(&file, path)?)
}

fn utf8(name: Cow<'_, [u8]>) -> Result<String, UnpackError> {
    String::from_utf8(name.into_owned()).map_err(|_| UnpackError::BadName)
}

/// Takes `./` from the front and `/` from the end. `None` for the root itself.
fn clean(name: &str) -> Option<&str> {
    let name = name.strip_prefix("./").unwrap_or(name);
    let name = name.strip_suffix('/').unwrap_or(name);
    (!matches!(name, "" | ".")).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tar::Header;

    use super::*;

    struct Crafted(Vec<u8>);

    impl Crafted {
        fn new() -> Self {
            Self(Vec::new())
        }

        fn entry(mut self, kind: EntryType, name: &str, target: &str, content: &[u8]) -> Self {
            let mut header = Header::new_ustar();
            header.set_entry_type(kind);
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            let ustar = header.as_ustar_mut().expect("ustar");
            ustar.name[..name.len()].copy_from_slice(name.as_bytes());
            ustar.linkname[..target.len()].copy_from_slice(target.as_bytes());
            header.set_cksum();
            self.0.extend_from_slice(header.as_bytes());
            self.0.extend_from_slice(content);
            let over = content.len() % 512;
            self.0.resize(self.0.len() + (512 - over) % 512, 0);
            self
        }

        fn file(self, name: &str) -> Self {
            self.entry(EntryType::Regular, name, "", b"content")
        }

        fn unpack(&self, root: &Path) -> Result<(), UnpackError> {
            let limits = UnpackLimits {
                bytes: 1000,
                entries: 4,
            };
            unpack_tar(&self.0[..], &Place::new(root), limits, |path| {
                Some(path.to_owned())
            })
        }
    }

    fn inside() -> (tempfile::TempDir, std::path::PathBuf) {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().join("root");
        fs::create_dir(&root).expect("a folder");
        fs::create_dir(home.path().join("outside")).expect("a folder");
        fs::write(home.path().join("outside/secret"), "secret").expect("a file");
        (home, root)
    }

    fn listing(folder: &Path) -> Vec<std::path::PathBuf> {
        let walk = walkdir::WalkDir::new(folder).sort_by_file_name();
        walk.into_iter()
            .map(|entry| entry.expect("an entry").into_path())
            .collect()
    }

    #[test]
    fn hard_links_count_as_the_copies_that_they_become() {
        let (_home, root) = inside();
        let large = [b'x'; 400];
        let archive = Crafted::new().entry(EntryType::Regular, "a", "", &large);
        let archive = archive.entry(EntryType::Link, "b", "a", b"");
        archive.unpack(&root).expect("800 of 1000 bytes");
        let (_home, root) = inside();
        let refused = archive.entry(EntryType::Link, "c", "a", b"").unpack(&root);
        assert!(
            matches!(refused, Err(UnpackError::TooLarge(_))),
            "{refused:?}"
        );
        assert!(!root.join("c").exists());
    }

    #[test]
    fn an_honest_archive_is_unpacked() {
        let (_home, root) = inside();
        let archive = Crafted::new()
            .entry(EntryType::Directory, "./a/", "", b"")
            .file("./a/b")
            .entry(EntryType::Symlink, "c", "/anywhere", b"")
            .entry(EntryType::Link, "d", "./a/b", b"");
        archive.unpack(&root).expect("unpacked");
        assert_eq!(fs::read(root.join("a/b")).expect("a file"), b"content");
        assert_eq!(fs::read(root.join("d")).expect("a copy"), b"content");
        assert_eq!(
            fs::read_link(root.join("c")).expect("a link"),
            Path::new("/anywhere")
        );
    }

    #[test]
    fn nothing_hostile_leaves_the_folder() {
        let up = "../outside";
        for (what, archive) in [
            ("climbs", Crafted::new().file("../outside/x")),
            ("climbs inside", Crafted::new().file("a/../../outside/x")),
            ("is absolute", Crafted::new().file("/tmp/mayfly-escape")),
            (
                "goes through a link",
                Crafted::new()
                    .entry(EntryType::Symlink, "a", up, b"")
                    .file("a/x"),
            ),
            (
                "replaces a link",
                Crafted::new()
                    .entry(EntryType::Symlink, "a", "../outside/secret", b"")
                    .file("a"),
            ),
            (
                "makes a folder of a link",
                Crafted::new()
                    .entry(EntryType::Symlink, "a", up, b"")
                    .entry(EntryType::Directory, "a", "", b""),
            ),
            (
                "links hard to the outside",
                Crafted::new().entry(EntryType::Link, "a", "../outside/secret", b""),
            ),
            (
                "links hard through a link",
                Crafted::new()
                    .entry(EntryType::Symlink, "a", "../outside/secret", b"")
                    .entry(EntryType::Link, "b", "a", b""),
            ),
            (
                "is a device",
                Crafted::new().entry(EntryType::Char, "a", "", b""),
            ),
            (
                "is a block device",
                Crafted::new().entry(EntryType::Block, "a", "", b""),
            ),
            (
                "is a pipe",
                Crafted::new().entry(EntryType::Fifo, "a", "", b""),
            ),
            ("comes twice", Crafted::new().file("a").file("a")),
            ("lies below a file", Crafted::new().file("a").file("a/b")),
            ("has control characters", Crafted::new().file("a\nb")),
            (
                "is a bomb",
                Crafted::new().entry(EntryType::Regular, "a", "", &[0; 1001]),
            ),
            (
                "is many",
                Crafted::new()
                    .file("a")
                    .file("b")
                    .file("c")
                    .file("d")
                    .file("e"),
            ),
        ] {
            let (home, root) = inside();
            let before = listing(&home.path().join("outside"));
            assert!(archive.unpack(&root).is_err(), "an entry that {what}");
            assert_eq!(
                listing(&home.path().join("outside")),
                before,
                "an entry that {what}"
            );
            let secret = fs::read(home.path().join("outside/secret")).expect("still there");
            assert_eq!(secret, b"secret", "an entry that {what}");
            assert!(!Path::new("/tmp/mayfly-escape").exists());
        }
    }

    /// Flips bytes in a good archive in thousands of ways. Whatever comes of it, nothing appears
    /// outside and nothing panics.
    #[test]
    fn a_mutated_archive_never_writes_outside() {
        let good = Crafted::new()
            .entry(EntryType::Directory, "a/", "", b"")
            .entry(EntryType::Symlink, "b", "../outside", b"")
            .file("a/c")
            .entry(EntryType::Link, "d", "a/c", b"");
        let (home, root) = inside();
        let outside = listing(&home.path().join("outside"));
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..3000 {
            let mut bad = Crafted(good.0.clone());
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let at = (state >> 33) as usize % bad.0.len();
                bad.0[at] = b"./ab\0\x01125"[(state >> 20) as usize % 9];
            }
            mend_checksums(&mut bad.0);
            let _ = bad.unpack(&root);
            fs::remove_dir_all(&root).expect("removed");
            fs::create_dir(&root).expect("made");
        }
        assert_eq!(listing(&home.path().join("outside")), outside);
        assert_eq!(listing(home.path()).len(), outside.len() + 2);
    }

    /// Without good checksums a reader would stop at the first header.
    fn mend_checksums(bytes: &mut [u8]) {
        for block in bytes.chunks_exact_mut(512) {
            if &block[257..262] == b"ustar" {
                let mut header = Header::new_old();
                header.as_mut_bytes().copy_from_slice(block);
                header.set_cksum();
                block.copy_from_slice(header.as_bytes());
            }
        }
    }
}
