//! A folder as detection sees it: a list of paths, and the beginnings of small files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use model::snapshot::Entry;
use ports::Source;

/// How much of one file is read.
const READ_BYTES: usize = 1024 * 1024;
/// How many code files are searched for clues; those nearest to the root come first.
const SEARCHED_FILES: usize = 400;
/// How much of all code files is read in one search.
const SEARCHED_BYTES: usize = 16 * READ_BYTES;

/// Gives the beginning of a file.
trait Contents: Send + Sync {
    fn head(&self, path: &str) -> Option<Vec<u8>>;
}

struct OnDisk(PathBuf);

impl Contents for OnDisk {
    fn head(&self, path: &str) -> Option<Vec<u8>> {
        let file = File::open(self.0.join(path)).ok()?;
        let mut bytes = Vec::new();
        file.take(READ_BYTES as u64).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }
}

impl Contents for BTreeMap<String, Vec<u8>> {
    fn head(&self, path: &str) -> Option<Vec<u8>> {
        let bytes = self.get(path)?;
        Some(bytes[..bytes.len().min(READ_BYTES)].to_vec())
    }
}

/// A folder, or one inside it. All paths are relative to it and `/`-separated.
#[derive(Clone)]
pub struct Folder {
    paths: Arc<Vec<String>>,
    contents: Arc<dyn Contents>,
    prefix: String,
    env_keys: Vec<String>,
}

/// A code file and its text.
#[derive(Debug, Clone)]
pub(super) struct Code {
    /// Where it lies, relative to the folder it was read from.
    pub(super) path: String,
    /// Its text; at most a mebibyte of it.
    pub(super) text: String,
}

impl Folder {
    /// The folder that a build was given. Links are left out: what they point to is listed itself.
    pub fn of(source: &Source) -> Self {
        let files = source.snapshot.entries.iter();
        let paths = files.filter_map(|entry| match entry {
            Entry::File { path, .. } => Some(path.clone()),
            Entry::Link { .. } => None,
        });
        Self {
            paths: Arc::new(paths.collect()),
            contents: Arc::new(OnDisk(source.root.clone())),
            prefix: String::new(),
            env_keys: source.snapshot.env_keys.clone(),
        }
    }

    /// A folder made of values.
    pub fn from_files<P: Into<String>, C: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, C)>,
    ) -> Self {
        let files: BTreeMap<String, Vec<u8>> = files
            .into_iter()
            .map(|(path, content)| (path.into(), content.into()))
            .collect();
        Self {
            paths: Arc::new(files.keys().cloned().collect()),
            contents: Arc::new(files),
            prefix: String::new(),
            env_keys: Vec::new(),
        }
    }

    /// The folder `name` inside this one; it may have no files.
    pub(super) fn inside(&self, name: &str) -> Self {
        Self {
            prefix: format!("{}{name}/", self.prefix),
            ..self.clone()
        }
    }

    /// The outermost folder.
    pub(super) fn outermost(&self) -> Self {
        Self {
            prefix: String::new(),
            ..self.clone()
        }
    }

    /// `path` as seen from the outermost folder: how people are told about it.
    pub(super) fn name_of(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The folder's own path from the outermost one, without a `/` at its end; empty for that one.
    pub(super) fn path(&self) -> &str {
        self.prefix.trim_end_matches('/')
    }

    /// Names of the variables that `.env` files set.
    pub(super) fn env_keys(&self) -> &[String] {
        &self.env_keys
    }

    /// All files, sorted.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let inside = |path: &'_ String| path.starts_with(&self.prefix);
        let start = self.paths.partition_point(|path| path < &self.prefix);
        let end = self.paths[start..]
            .iter()
            .position(|path| !inside(path))
            .map_or(self.paths.len(), |length| start + length);
        self.paths[start..end]
            .iter()
            .map(|path| &path[self.prefix.len()..])
    }

    /// Files that lie in the folder itself.
    pub(super) fn top_files(&self) -> impl Iterator<Item = &str> {
        self.files().filter(|path| !path.contains('/'))
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.paths.binary_search(&self.name_of(path)).is_ok()
    }

    /// Whether there is a folder with files in it.
    pub(super) fn has_folder(&self, name: &str) -> bool {
        self.inside(name).files().next().is_some()
    }

    /// The first of `paths` that there is.
    pub(super) fn first_of<'p>(&self, paths: &[&'p str]) -> Option<&'p str> {
        paths.iter().copied().find(|path| self.has(path))
    }

    /// The beginning of a file as text; UTF-16 with a mark is read too, as PowerShell's `>` writes it.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        self.has(path)
            .then(|| self.contents.head(&self.name_of(path)))?
            .map(|bytes| decode(&bytes))
    }

    /// Code files whose name ends in one of `endings`, nearest to the root first.
    pub(super) fn code(&self, endings: &[&str]) -> Vec<Code> {
        let fits = |path: &&str| endings.iter().any(|ending| path.ends_with(ending));
        let mut paths: Vec<&str> = self.files().filter(fits).collect();
        paths.sort_by_key(|path| (path.matches('/').count(), path.len()));
        let mut left = SEARCHED_BYTES;
        let mut found = Vec::new();
        for path in paths.into_iter().take(SEARCHED_FILES) {
            let Some(text) = self.text(path) else {
                continue;
            };
            let Some(rest) = left.checked_sub(text.len()) else {
                break;
            };
            left = rest;
            found.push(Code {
                path: path.to_owned(),
                text,
            });
        }
        found
    }
}

fn decode(bytes: &[u8]) -> String {
    let wide = |pairs: &[u8], join: fn([u8; 2]) -> u16| {
        let units = pairs.chunks_exact(2).map(|pair| join([pair[0], pair[1]]));
        String::from_utf16_lossy(&units.collect::<Vec<_>>())
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// The line, counted from 1, of the byte `at`.
pub(super) fn line_of(text: &str, at: usize) -> u32 {
    let newlines = text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    u32::try_from(newlines + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_inside_shows_its_own_files_only() {
        let folder = Folder::from_files([("a/b.py", "x"), ("a/c/d.py", "y"), ("ab.py", "z")]);
        let inside = folder.inside("a");
        assert_eq!(inside.files().collect::<Vec<_>>(), ["b.py", "c/d.py"]);
        assert_eq!(inside.top_files().collect::<Vec<_>>(), ["b.py"]);
        assert_eq!(inside.text("b.py").as_deref(), Some("x"));
        assert_eq!(inside.name_of("b.py"), "a/b.py");
        assert!(!folder.has_folder("b") && inside.has_folder("c"));
    }

    #[test]
    fn text_of_other_encodings_is_read() {
        for (bytes, text) in [
            (&b"flask"[..], "flask"),
            (b"\xef\xbb\xbfflask", "flask"),
            (b"\xff\xfef\0l\0", "fl"),
            (b"\xfe\xff\0f\0l", "fl"),
            (b"a\xffb", "a\u{fffd}b"),
        ] {
            assert_eq!(decode(bytes), text);
        }
    }

    #[test]
    fn a_huge_file_is_read_in_part() {
        let folder = Folder::from_files([("a.py", vec![b'x'; 3 * READ_BYTES])]);
        assert_eq!(folder.text("a.py").map(|text| text.len()), Some(READ_BYTES));
    }

    #[test]
    fn files_near_the_root_are_searched_first() {
        let folder = Folder::from_files([("a/b/c.py", ""), ("z.py", ""), ("a/b.py", "")]);
        let paths: Vec<_> = folder
            .code(&[".py"])
            .into_iter()
            .map(|code| code.path)
            .collect();
        assert_eq!(paths, ["z.py", "a/b.py", "a/b/c.py"]);
    }
}
