//! An image's layers, seen as the one tree of files that they make.
//!
//! Layers lie still while they are read, and no link of theirs is ever followed by the system:
//! folders are opened by paths without links beneath their layer, files without following a link
//! at their end. What a link means is worked out by text ([`Links`]).
//!
//! Source: OCI image-spec, layer.md (whiteouts).

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;

use crate::limits::Limits;
use crate::problem::{ProblemKind, Problems};
use crate::text::lossy;

/// The files of several layers, the upper ones over the lower ones.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The uppermost first.
    layers: Vec<OwnedFd>,
}

/// Where a file lies, to read it after the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    layer: usize,
    path: Vec<u8>,
}

/// A file that the walk has come to.
pub(crate) struct Found<'a> {
    folder: BorrowedFd<'a>,
    layer: usize,
    path: &'a [u8],
    name: &'a [u8],
}

/// What looks at the files of a walk.
pub(crate) trait Visitor {
    /// A file that no upper layer hides.
    fn file(&mut self, path: &str, name: &str, file: &Found<'_>, problems: &mut Problems);
    /// A symbolic link that no upper layer hides. Its target is read only when this asks for it.
    fn wants_link(&self, path: &str, name: &str) -> bool;
    /// A link that was wanted.
    fn link(&mut self, path: &str, target: &str, problems: &mut Problems);
}

/// What a read of a file came to.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of it.
    Whole(Vec<u8>),
    /// It is larger than may be read.
    TooLarge(u64),
}

impl Found<'_> {
    /// Reads the file, unless it is larger than `limit`.
    pub(crate) fn read(&self, limit: usize) -> io::Result<Content> {
        let file = self.open()?;
        read_whole(&file, limit)
    }

    /// Opens the file. Fails when it is none.
    pub(crate) fn open(&self) -> io::Result<OwnedFd> {
        let name = OsStr::from_bytes(self.name);
        Ok(rustix::fs::openat(self.folder, name, FILE, Mode::empty())?)
    }

    /// Whether somebody may run it.
    pub(crate) fn is_executable(&self) -> bool {
        let name = OsStr::from_bytes(self.name);
        let about = rustix::fs::statat(self.folder, name, AtFlags::SYMLINK_NOFOLLOW);
        about.is_ok_and(|about| about.st_mode & 0o111 != 0)
    }

    /// Where it lies.
    pub(crate) fn located(&self) -> Located {
        Located {
            layer: self.layer,
            path: self.path.to_owned(),
        }
    }
}

/// Without waiting for a pipe's other end.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::DIRECTORY)
    .union(OFlags::CLOEXEC);

fn read_whole(file: &OwnedFd, limit: usize) -> io::Result<Content> {
    let about = rustix::fs::fstat(file)?;
    if !FileType::from_raw_mode(about.st_mode).is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let size = u64::try_from(about.st_size).unwrap_or(0);
    if size > limit as u64 {
        return Ok(Content::TooLarge(size));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    let got = read_at(file, &mut bytes, 0)?;
    bytes.truncate(got);
    Ok(Content::Whole(bytes))
}

/// Fills `bytes` from `offset` on, as far as the file goes. Returns how many were read.
pub(crate) fn read_at(file: &OwnedFd, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::io::pread(file, &mut bytes[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(Errno::INTR) => {}
            Err(cause) => return Err(cause.into()),
        }
    }
    Ok(filled)
}

impl Tree {
    /// Opens the layers, the lowest first. Returns the folder that cannot be opened otherwise.
    pub(crate) fn open(layers: &[PathBuf]) -> Result<Self, (PathBuf, io::Error)> {
        let open = |layer: &PathBuf| {
            rustix::fs::openat(CWD, layer, FOLDER & !OFlags::NOFOLLOW, Mode::empty())
                .map_err(|cause| (layer.clone(), cause.into()))
        };
        let layers = layers.iter().rev().map(open).collect::<Result<_, _>>()?;
        Ok(Self { layers })
    }

    /// Shows `visitor` every file that no upper layer hides, folder by folder.
    pub(crate) fn walk(
        &self,
        limits: &Limits,
        problems: &mut Problems,
        visitor: &mut impl Visitor,
    ) {
        let mut listed = 0;
        let mut pending = vec![Folder {
            path: Vec::new(),
            layers: (0..self.layers.len()).collect(),
            depth: 0,
        }];
        while let Some(folder) = pending.pop() {
            let open = self.open_all(&folder, problems);
            let room = limits.entries - listed;
            let Some(entries) = merged(&folder, &open, room, problems) else {
                let what = format!("there are more than {} files", limits.entries);
                problems.add(&lossy(&folder.path), ProblemKind::TooMany, what);
                return;
            };
            listed += entries.len();
            let mut below = Vec::new();
            for entry in entries {
                if let Some(next) = show(&folder, &open, entry, problems, visitor) {
                    below.push(next);
                }
            }
            if folder.depth >= limits.depth && !below.is_empty() {
                let what = format!("folders go deeper than {}", limits.depth);
                problems.add(&lossy(&folder.path), ProblemKind::TooDeep, what);
                continue;
            }
            // The first is looked at first.
            pending.extend(below.into_iter().rev());
        }
    }

    /// Reads a file that the walk came to, unless it is larger than `limit`.
    pub(crate) fn read(&self, file: &Located, limit: usize) -> io::Result<Content> {
        let opened = self.beneath(file.layer, &file.path, FILE)?;
        read_whole(&opened, limit)
    }

    fn open_all(&self, folder: &Folder, problems: &mut Problems) -> Vec<(usize, OwnedFd)> {
        let mut open = Vec::with_capacity(folder.layers.len());
        for &layer in &folder.layers {
            match self.beneath(layer, &folder.path, FOLDER) {
                Ok(opened) => open.push((layer, opened)),
                Err(cause) => {
                    let kind = match cause.raw_os_error() {
                        Some(code) if code == Errno::NAMETOOLONG.raw_os_error() => {
                            ProblemKind::TooDeep
                        }
                        _ => ProblemKind::Unreadable,
                    };
                    problems.add(&lossy(&folder.path), kind, cause.to_string());
                }
            }
        }
        open
    }

    fn beneath(&self, layer: usize, path: &[u8], flags: OFlags) -> io::Result<OwnedFd> {
        let root = self.layers[layer].as_fd();
        let path = match path {
            [] => Path::new("."),
            path => Path::new(OsStr::from_bytes(path)),
        };
        let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
        match rustix::fs::openat2(root, path, flags, Mode::empty(), inside) {
            // Old kernels, and filters that do not know the call. Every folder above was seen to
            // be one, and layers lie still.
            Err(Errno::NOSYS | Errno::PERM) => {
                Ok(rustix::fs::openat(root, path, flags, Mode::empty())?)
            }
            opened => Ok(opened?),
        }
    }
}

/// A folder that is yet to be looked at, and the layers that have a part in it.
struct Folder {
    path: Vec<u8>,
    layers: Vec<usize>,
    depth: usize,
}

struct Entry {
    name: Vec<u8>,
    kind: FileType,
    /// Places in the list of open folders: one, or for a folder all whose files show.
    open: Vec<usize>,
    /// Whether lower layers are hidden.
    closed: bool,
}

const WHITEOUT: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What a folder holds, by name: the uppermost layer's view, the lower ones' where it has none.
/// None when that is more than `room`.
fn merged(
    folder: &Folder,
    open: &[(usize, OwnedFd)],
    room: usize,
    problems: &mut Problems,
) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    for (place, (_, opened)) in open.iter().enumerate() {
        let mut hidden = Vec::new();
        let mut opaque = false;
        let listed = list(opened, |name, kind| {
            if name == OPAQUE {
                opaque = true;
            } else if let Some(gone) = name.strip_prefix(WHITEOUT) {
                hidden.push(gone.to_owned());
            } else if open.len() == 1 {
                entries.push(Entry::new(name, kind, place));
            } else {
                lay(&mut entries, &mut known, name, kind, place);
            }
            entries.len() + hidden.len() <= room
        });
        match listed {
            Ok(true) => {}
            Ok(false) => return None,
            Err(cause) => {
                let (path, what) = (lossy(&folder.path), cause.to_string());
                problems.add(&path, ProblemKind::Unreadable, what);
            }
        }
        if opaque {
            break;
        }
        // They hide what lower layers have, never what lies beside them.
        for name in hidden {
            match known.get(&name) {
                Some(&at) => entries[at].closed = true,
                None => {
                    known.insert(name.clone(), entries.len());
                    entries.push(Entry::gone(name));
                }
            }
        }
    }
    entries.retain(|entry| !entry.open.is_empty());
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Some(entries)
}

impl Entry {
    fn new(name: &[u8], kind: FileType, place: usize) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            open: vec![place],
            closed: kind != FileType::Directory,
        }
    }

    fn gone(name: Vec<u8>) -> Self {
        Self {
            name,
            kind: FileType::Unknown,
            open: Vec::new(),
            closed: true,
        }
    }
}

fn lay(
    entries: &mut Vec<Entry>,
    known: &mut HashMap<Vec<u8>, usize>,
    name: &[u8],
    kind: FileType,
    place: usize,
) {
    let Some(&at) = known.get(name) else {
        known.insert(name.to_owned(), entries.len());
        entries.push(Entry::new(name, kind, place));
        return;
    };
    let upper = &mut entries[at];
    if upper.closed {
        return;
    }
    match kind {
        FileType::Directory => upper.open.push(place),
        // A folder over a file hides it, and all that the file hid.
        _ => upper.closed = true,
    }
}

/// Shows each entry of a folder to `each`, until that says no. Returns whether all were shown.
fn list(folder: &OwnedFd, mut each: impl FnMut(&[u8], FileType) -> bool) -> io::Result<bool> {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 32 << 10];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let about =
                    rustix::fs::statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(about.st_mode)
            }
            known => known,
        };
        if !each(name, kind) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Shows one entry; a folder comes back, to be looked at later.
fn show(
    folder: &Folder,
    open: &[(usize, OwnedFd)],
    entry: Entry,
    problems: &mut Problems,
    visitor: &mut impl Visitor,
) -> Option<Folder> {
    let mut path = Vec::with_capacity(folder.path.len() + 1 + entry.name.len());
    path.extend(&folder.path);
    if !path.is_empty() {
        path.push(b'/');
    }
    path.extend(&entry.name);
    let (layer, opened) = &open[*entry.open.first()?];
    match entry.kind {
        FileType::Directory => {
            return Some(Folder {
                path,
                layers: entry.open.iter().map(|&place| open[place].0).collect(),
                depth: folder.depth + 1,
            });
        }
        FileType::RegularFile => {
            let found = Found {
                folder: opened.as_fd(),
                layer: *layer,
                path: &path,
                name: &entry.name,
            };
            visitor.file(&lossy(&path), &lossy(&entry.name), &found, problems);
        }
        FileType::Symlink => {
            let (shown, name) = (lossy(&path), lossy(&entry.name));
            if visitor.wants_link(&shown, &name) {
                let name = OsStr::from_bytes(&entry.name);
                match rustix::fs::readlinkat(opened, name, Vec::new()) {
                    Ok(target) => visitor.link(&shown, &lossy(target.as_bytes()), problems),
                    Err(cause) => problems.add(&shown, ProblemKind::Unreadable, cause.to_string()),
                }
            }
        }
        // Sockets, pipes and devices hold no packages, and opening them would do something.
        _ => {}
    }
    None
}

/// Symbolic links by their path, followed by text.
#[derive(Debug, Default)]
pub(crate) struct Links {
    targets: HashMap<String, String>,
    bytes: usize,
}

/// As many links as the system itself follows on one path. Source: path_resolution(7).
const FOLLOWED: usize = 40;

impl Links {
    /// Notes a link.
    pub(crate) fn add(&mut self, path: &str, target: &str) {
        self.bytes += path.len() + target.len();
        self.targets.insert(path.to_owned(), target.to_owned());
    }

    /// How much is kept of them.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where `path` leads, each link on the way followed within the image's root. None for what
    /// goes in circles.
    pub(crate) fn real(&self, path: &str) -> Option<String> {
        let mut real: Vec<String> = Vec::new();
        let mut waiting: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut followed = 0;
        while let Some(part) = waiting.pop() {
            match part.as_str() {
                "" | "." => {}
                // Above the root lies the root.
                ".." => drop(real.pop()),
                _ => {
                    real.push(part);
                    if let Some(target) = self.targets.get(&real.join("/")) {
                        followed += 1;
                        if followed > FOLLOWED {
                            return None;
                        }
                        real.pop();
                        if target.starts_with('/') {
                            real.clear();
                        }
                        waiting.extend(target.split('/').rev().map(str::to_owned));
                    }
                }
            }
        }
        Some(real.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// Notes what it is shown.
    #[derive(Default)]
    struct Notes {
        files: Vec<(String, String)>,
        links: Vec<String>,
    }

    impl Visitor for Notes {
        fn file(&mut self, path: &str, _: &str, file: &Found<'_>, _: &mut Problems) {
            let content = match file.read(100).expect(path) {
                Content::Whole(bytes) => String::from_utf8(bytes).expect("text"),
                Content::TooLarge(size) => format!("{size} bytes"),
            };
            self.files.push((path.to_owned(), content));
        }

        fn wants_link(&self, _: &str, _: &str) -> bool {
            true
        }

        fn link(&mut self, path: &str, target: &str, _: &mut Problems) {
            self.links.push(format!("{path} -> {target}"));
        }
    }

    fn walk(layers: &[&Path], limits: Limits) -> (Notes, Vec<model::inventory::Problem>) {
        let layers: Vec<PathBuf> = layers.iter().map(|layer| (*layer).to_owned()).collect();
        let (mut notes, mut problems) = (Notes::default(), Problems::default());
        let tree = Tree::open(&layers).expect("layers");
        tree.walk(&limits, &mut problems, &mut notes);
        (notes, problems.into_sorted())
    }

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("a file");
    }

    #[test]
    fn upper_layers_hide_replace_and_merge_what_lies_below() {
        let home = tempfile::tempdir().expect("a folder");
        let [low, mid, top] = ["low", "mid", "top"].map(|name| home.path().join(name));
        for path in [
            "a/kept",
            "a/replaced",
            "a/gone",
            "b/x",
            "c/x",
            "d",
            "e/x",
            "f",
        ] {
            put(&low, path, "low");
        }
        put(&mid, "a/replaced", "mid");
        put(&mid, "a/.wh.gone", "");
        put(&mid, "b/.wh..wh..opq", "");
        put(&mid, "b/y", "mid");
        put(&mid, ".wh.c", "");
        put(&mid, "d/below", "mid");
        put(&mid, "e", "a file over a folder");
        put(&mid, "f", "mid");
        put(&top, "c/new", "top");
        put(&top, "f/x", "top");
        let (notes, problems) = walk(&[&low, &mid, &top], Limits::default());
        let mut files = notes.files;
        files.sort();
        let files: Vec<_> = files
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(
            files,
            [
                ("a/kept", "low"),
                ("a/replaced", "mid"),
                ("b/y", "mid"),
                ("c/new", "top"),
                ("d/below", "mid"),
                ("e", "a file over a folder"),
                ("f/x", "top"),
            ]
        );
        assert_eq!(problems, []);
    }

    #[test]
    fn no_link_leads_out_of_the_root_or_in_circles() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().join("layer");
        put(home.path(), "secret/file", "outside");
        put(&root, "inside/file", "inside");
        for (link, target) in [
            ("out", "../secret"),
            ("absolute", "/etc"),
            ("self", "."),
            ("inside/loop", "../inside"),
            ("file", "../secret/file"),
        ] {
            symlink(target, root.join(link)).expect("a link");
        }
        let (notes, _) = walk(&[&root], Limits::default());
        assert_eq!(notes.files, [("inside/file".into(), "inside".into())]);
        assert_eq!(notes.links.len(), 5);
    }

    #[test]
    fn pipes_large_files_depth_and_numbers_are_bounded() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path();
        rustix::fs::mkfifoat(CWD, root.join("pipe"), Mode::from_raw_mode(0o600)).expect("a pipe");
        fs::File::create(root.join("large"))
            .and_then(|file| file.set_len(1 << 40))
            .expect("a sparse file");
        let deep = vec!["d"; 300].join("/");
        fs::create_dir_all(root.join(&deep)).expect("deep folders");
        let (notes, problems) = walk(&[root], Limits::default());
        assert_eq!(
            notes.files,
            [("large".into(), format!("{} bytes", 1u64 << 40))]
        );
        assert_eq!(problems[0].kind, ProblemKind::TooDeep);

        let few = Limits {
            entries: 50,
            ..Limits::default()
        };
        let (_, problems) = walk(&[root], few);
        assert_eq!(problems[0].kind, ProblemKind::TooMany);
    }

    #[test]
    fn links_are_followed_by_text_within_the_root() {
        let mut links = Links::default();
        for (path, target) in [
            ("a/link", "../b"),
            ("b/next", "/c"),
            ("up", "../../../x"),
            ("one", "two"),
            ("two", "one"),
        ] {
            links.add(path, target);
        }
        for (path, real) in [
            ("a/link/next/file", Some("c/file")),
            ("up/file", Some("x/file")),
            ("a/../b/./c", Some("b/c")),
            ("one", None),
        ] {
            assert_eq!(links.real(path).as_deref(), real, "{path}");
        }
    }
}
