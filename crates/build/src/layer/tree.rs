//! The list of files that a layer is packed from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use model::snapshot::{Entry, Mode, Snapshot};

use super::is_layer_path;

/// Where a file's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Memory.
    Bytes(Vec<u8>),
    /// A regular file of the machine; it is read when the layer is packed.
    File(PathBuf),
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A folder that may be empty. Folders above an entry need not be listed.
    Folder,
    /// A regular file.
    File(Content, Mode),
    /// A symbolic link and its target, as written.
    Link(String),
}

/// Why a list of files is no layer.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// A path is absolute, climbs, or has control characters or letters that are no UTF-8.
    #[error("`{0}` is not a path that a layer can have")]
    BadPath(String),
    /// An entry lies below one that is no folder.
    #[error("`{0}` lies below something that is no folder")]
    BelowNoFolder(String),
    /// A device or another thing that is neither file, folder nor link.
    #[error("`{0}` is neither file, folder nor link")]
    NoFile(PathBuf),
    /// A folder cannot be read.
    #[error("`{path}` cannot be read")]
    Io {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
}

/// The files of a layer by their paths, which are relative to the image's root.
///
/// The order in which they are added does not matter: the same files give the same layer.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// A layer without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one entry.
    pub fn add(&mut self, path: impl Into<String>, node: Node) {
        self.nodes.insert(path.into(), node);
    }

    /// Adds a file from memory.
    pub fn add_text(&mut self, path: impl Into<String>, text: impl Into<Vec<u8>>) {
        self.add(path, Node::File(Content::Bytes(text.into()), Mode::Plain));
    }

    /// Adds an entry of a snapshot at `path` below `prefix`, which is empty or a path. The file
    /// lies at `path` in the folder `root`.
    pub fn add_entry(&mut self, entry: &Entry, path: &str, root: &Path, prefix: &str) {
        let node = match entry {
            Entry::File { mode, .. } => Node::File(Content::File(root.join(path)), *mode),
            Entry::Link { target, .. } => Node::Link(target.clone()),
        };
        self.add(below(prefix, path), node);
    }

    /// Adds what a snapshot lists, from the folder `root` that holds it, below `prefix`, which is
    /// empty or a path. `keep` chooses by the path in the snapshot.
    pub fn add_snapshot(
        &mut self,
        snapshot: &Snapshot,
        root: &Path,
        prefix: &str,
        keep: impl Fn(&str) -> bool,
    ) {
        for entry in snapshot.entries.iter().filter(|entry| keep(entry.path())) {
            self.add_entry(entry, entry.path(), root, prefix);
        }
    }

    /// Adds everything in the folder `root` below `prefix`, which is empty or a path. Sockets and
    /// pipes stay out; devices are refused.
    pub fn add_folder(&mut self, root: &Path, prefix: &str) -> Result<(), TreeError> {
        let io = |cause| TreeError::Io {
            path: root.to_owned(),
            cause,
        };
        for entry in fs::read_dir(root).map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = entry.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| TreeError::BadPath(entry.path().display().to_string()))?;
            self.add_found(&entry, &below(prefix, name))?;
        }
        Ok(())
    }

    fn add_found(&mut self, entry: &fs::DirEntry, path: &str) -> Result<(), TreeError> {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt};
        let io = |cause| TreeError::Io {
            path: entry.path(),
            cause,
        };
        let about = entry.metadata().map_err(io)?;
        let kind = about.file_type();
        if kind.is_dir() {
            self.add(path, Node::Folder);
            return self.add_folder(&entry.path(), path);
        }
        if kind.is_socket() || kind.is_fifo() {
            return Ok(());
        }
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(io)?;
            let target = target.to_str().map(str::to_owned);
            let target = target.ok_or_else(|| TreeError::BadPath(path.to_owned()))?;
            self.add(path, Node::Link(target));
            return Ok(());
        }
        if !kind.is_file() {
            return Err(TreeError::NoFile(entry.path()));
        }
        let executable = about.permissions().mode() & 0o111 != 0;
        let mode = if executable {
            Mode::Executable
        } else {
            Mode::Plain
        };
        self.add(path, Node::File(Content::File(entry.path()), mode));
        Ok(())
    }

    /// Every entry with the folders above it, sorted by path: a folder comes before its content.
    pub(super) fn into_sorted(self) -> Result<BTreeMap<String, Node>, TreeError> {
        let mut nodes = self.nodes;
        let mut above = Vec::new();
        for path in nodes.keys() {
            if !is_layer_path(path) {
                return Err(TreeError::BadPath(path.escape_debug().to_string()));
            }
            for (at, _) in path.match_indices('/') {
                match nodes.get(&path[..at]) {
                    Some(Node::Folder) => {}
                    Some(_) => return Err(TreeError::BelowNoFolder(path.clone())),
                    None => above.push(path[..at].to_owned()),
                }
            }
        }
        nodes.extend(above.into_iter().map(|path| (path, Node::Folder)));
        Ok(nodes)
    }
}

fn below(prefix: &str, path: &str) -> String {
    match prefix {
        "" => path.to_owned(),
        _ => format!("{prefix}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_above_an_entry_are_added_before_it() {
        let mut tree = Tree::new();
        tree.add_text("a/b/c", "x");
        tree.add_text("a-b", "x");
        let sorted = tree.into_sorted().expect("a good tree");
        let paths: Vec<_> = sorted.keys().map(String::as_str).collect();
        assert_eq!(paths, ["a", "a-b", "a/b", "a/b/c"]);
    }

    #[test]
    fn paths_that_leave_the_layer_or_pass_a_link_are_refused() {
        for path in [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "",
            "a//b",
            "./a",
            "a\nb",
        ] {
            let mut tree = Tree::new();
            tree.add_text(path, "x");
            assert!(tree.into_sorted().is_err(), "{path:?}");
        }
        let mut tree = Tree::new();
        tree.add("etc", Node::Link("/etc".into()));
        tree.add_text("etc/passwd", "x");
        assert!(matches!(
            tree.into_sorted(),
            Err(TreeError::BelowNoFolder(_))
        ));
    }
}
