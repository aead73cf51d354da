//! The content of a folder at one moment.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::failure::{FailureCode, Remedy};
use crate::keep::{self, KeepRules};
use crate::limits::SourceLimits;

/// Whether a file may be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Mode 644.
    Plain,
    /// Mode 755.
    Executable,
}

/// One entry of a snapshot. Paths are relative, `/`-separated, without `.` or `..`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Entry {
    /// A regular file.
    File {
        /// Where it lies.
        path: String,
        /// Of its content.
        digest: Digest,
        /// Of its content.
        size_bytes: u64,
        /// Whether it may be executed.
        mode: Mode,
    },
    /// A symbolic link that stays in the folder.
    Link {
        /// Where it lies.
        path: String,
        /// What it points to, as written.
        target: String,
    },
}

impl Entry {
    /// Where it lies.
    pub fn path(&self) -> &str {
        match self {
            Self::File { path, .. } | Self::Link { path, .. } => path,
        }
    }
}

/// All files of a folder, sorted by path. Empty folders are not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Sorted by path, no path twice.
    pub entries: Vec<Entry>,
    /// Names of the variables in `.env` files; their values stay outside.
    #[serde(default)]
    pub env_keys: Vec<String>,
}

/// Why a list of entries is no snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// There is no file in it.
    #[error("the folder has no files")]
    Empty,
    /// There are too many files.
    #[error("the folder has {files} files; {limit} are allowed")]
    TooManyFiles {
        /// How many there are.
        files: usize,
        /// How many may be.
        limit: usize,
    },
    /// The files are too large.
    #[error(
        "the folder holds {total_bytes} bytes; {limit_bytes} are allowed (the largest file is `{largest}`)"
    )]
    TooLarge {
        /// Of all files.
        total_bytes: u64,
        /// What is allowed.
        limit_bytes: u64,
        /// The largest file's path.
        largest: String,
    },
    /// A path is absolute, climbs, has control characters, or comes twice.
    #[error("`{0}` is not a path that an app can have")]
    BadPath(String),
    /// A link points out of the folder.
    #[error("the link `{path}` points out of the folder, to `{target}`")]
    EscapingLink {
        /// The link.
        path: String,
        /// Its target.
        target: String,
    },
}

impl Remedy for SnapshotError {
    fn code(&self) -> FailureCode {
        match self {
            Self::TooManyFiles { .. } | Self::TooLarge { .. } => FailureCode::TooLarge,
            Self::Empty | Self::BadPath(_) | Self::EscapingLink { .. } => FailureCode::BadFolder,
        }
    }
}

impl Snapshot {
    /// Sorts and checks entries that come from outside.
    pub fn new(
        mut entries: Vec<Entry>,
        env_keys: Vec<String>,
        limits: &SourceLimits,
    ) -> Result<Self, SnapshotError> {
        entries.sort_by(|a, b| a.path().cmp(b.path()));
        if entries.is_empty() {
            return Err(SnapshotError::Empty);
        }
        if entries.len() > limits.files {
            return Err(SnapshotError::TooManyFiles {
                files: entries.len(),
                limit: limits.files,
            });
        }
        let snapshot = Self { entries, env_keys };
        snapshot.check_paths()?;
        snapshot.check_size(limits)?;
        Ok(snapshot)
    }

    /// The snapshot's identity: the hash of its canonical JSON without the environment's names.
    pub fn digest(&self) -> Digest {
        let canonical = serde_json::to_vec(&self.entries).unwrap_or_default();
        Digest::of(&canonical)
    }

    /// Parts it in what an image is made of and what is kept outside of it: databases that the
    /// folder brings along never enter an image or its digest.
    pub fn part(&self, rules: &KeepRules) -> (Self, Self) {
        let is_kept = |entry: &&Entry| rules.kept(entry.path(), keep::Entry::File).is_some();
        let (kept, code): (Vec<_>, Vec<_>) = self.entries.iter().partition(is_kept);
        let own = |entries: Vec<&Entry>| Self {
            entries: entries.into_iter().cloned().collect(),
            env_keys: self.env_keys.clone(),
        };
        (own(code), own(kept))
    }

    /// Every file's content.
    pub fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::File { digest, .. } => Some(*digest),
            Entry::Link { .. } => None,
        })
    }

    /// The size of all files.
    pub fn total_bytes(&self) -> u64 {
        self.entries
            .iter()
            .map(size_bytes)
            .fold(0, u64::saturating_add)
    }

    fn check_paths(&self) -> Result<(), SnapshotError> {
        let mut seen = HashSet::new();
        let twice = self.entries.iter().find(|entry| !seen.insert(entry.path()));
        let inside = |path: &str| {
            path.match_indices('/')
                .any(|(at, _)| seen.contains(&path[..at]))
        };
        let below_a_file = self.entries.iter().find(|entry| inside(entry.path()));
        if let Some(entry) = twice.or(below_a_file) {
            return Err(SnapshotError::BadPath(
                entry.path().escape_debug().to_string(),
            ));
        }
        for entry in &self.entries {
            if !is_clean_path(entry.path()) {
                return Err(SnapshotError::BadPath(
                    entry.path().escape_debug().to_string(),
                ));
            }
            if let Entry::Link { path, target } = entry
                && !stays_inside(path, target)
            {
                return Err(SnapshotError::EscapingLink {
                    path: path.clone(),
                    target: target.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_size(&self, limits: &SourceLimits) -> Result<(), SnapshotError> {
        let total_bytes = self.total_bytes();
        if total_bytes <= limits.total_bytes {
            return Ok(());
        }
        let largest = self.entries.iter().max_by_key(|entry| size_bytes(entry));
        let largest = largest
            .map(|entry| entry.path().to_owned())
            .unwrap_or_default();
        Err(SnapshotError::TooLarge {
            total_bytes,
            limit_bytes: limits.total_bytes,
            largest,
        })
    }
}

fn size_bytes(entry: &Entry) -> u64 {
    match entry {
        Entry::File { size_bytes, .. } => *size_bytes,
        Entry::Link { .. } => 0,
    }
}

/// Whether `path` is relative, stays below its root and has no control characters.
pub fn is_clean_path(path: &str) -> bool {
    let clean_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.len() <= 4096 && path.split('/').all(clean_part) && !path.chars().any(char::is_control)
}

/// Whether a link at `path` with `target` resolves to a place in the folder, by its text.
pub fn stays_inside(path: &str, target: &str) -> bool {
    if target.starts_with('/') || target.is_empty() || target.chars().any(char::is_control) {
        return false;
    }
    let mut depth = path.split('/').count() as i64 - 1;
    target.split('/').all(|part| {
        depth += match part {
            "" | "." => 0,
            ".." => -1,
            _ => 1,
        };
        depth >= 0
    })
}

/// Folders that no snapshot holds: what tools make again, and what they know of the past.
const LEFT_OUT_FOLDERS: [&str; 17] = [
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    ".venv",
    "venv",
    "__pycache__",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".next",
    ".cache",
    ".idea",
    ".vscode",
    ".turbo",
];
/// Files that no snapshot holds.
const LEFT_OUT_FILES: [&str; 5] = [
    ".DS_Store",
    "Thumbs.db",
    "npm-debug.log",
    "yarn-error.log",
    ".mayflyignore",
];

/// Whether a folder called `name` stays out of every snapshot.
pub fn leaves_out_folder(name: &str) -> bool {
    LEFT_OUT_FOLDERS.contains(&name)
}

/// Whether a file called `name` stays out of every snapshot.
pub fn leaves_out_file(name: &str) -> bool {
    LEFT_OUT_FILES.contains(&name) || name.ends_with(".pyc") || is_env_file(name)
}

/// Whether a file called `name` holds secrets: `.env`, `.env.local`, but not `.env.example`.
pub fn is_env_file(name: &str) -> bool {
    let example = [".example", ".sample", ".template", ".dist"];
    (name == ".env" || name.starts_with(".env.")) && !example.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, size_bytes: u64) -> Entry {
        Entry::File {
            path: path.into(),
            digest: Digest::of(path.as_bytes()),
            size_bytes,
            mode: Mode::Plain,
        }
    }

    fn link(path: &str, target: &str) -> Entry {
        Entry::Link {
            path: path.into(),
            target: target.into(),
        }
    }

    fn snapshot(entries: Vec<Entry>) -> Result<Snapshot, SnapshotError> {
        Snapshot::new(
            entries,
            vec![],
            &SourceLimits {
                total_bytes: 10,
                files: 3,
            },
        )
    }

    #[test]
    fn a_snapshot_does_not_depend_on_the_order_it_was_read_in() {
        let one = snapshot(vec![file("a", 1), file("b/c", 2)]).expect("a good snapshot");
        let two = snapshot(vec![file("b/c", 2), file("a", 1)]).expect("a good snapshot");
        assert_eq!(one.digest(), two.digest());
        let other = snapshot(vec![file("a", 1), file("b/d", 2)]).expect("a good snapshot");
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn entries_that_no_app_can_have_are_refused() {
        for entries in [
            vec![],
            vec![file("../a", 1)],
            vec![file("/a", 1)],
            vec![file("a//b", 1)],
            vec![file("a\nb", 1)],
            vec![file("a", 1), file("a", 1)],
            vec![file("a", 1), file("a-b", 1), file("a/b", 1)],
            vec![file("a", 11)],
            vec![file("a", u64::MAX), file("b", u64::MAX)],
            vec![file("a", 1), file("b", 1), file("c", 1), file("d", 1)],
            vec![link("a", "/etc/passwd")],
            vec![link("a", "../a")],
            vec![link("b/a", "../../a")],
        ] {
            assert!(snapshot(entries.clone()).is_err(), "{entries:?}");
        }
        assert!(snapshot(vec![link("b/a", "../c"), file("c", 1)]).is_ok());
    }

    #[test]
    fn a_database_in_the_folder_does_not_change_the_image() {
        let rules = KeepRules::new(&keep::DEFAULT_KEEP).expect("good patterns");
        let one = snapshot(vec![file("app.py", 1), file("shop.db", 2)]).expect("a good snapshot");
        let two = snapshot(vec![file("app.py", 1)]).expect("a good snapshot");
        assert_eq!(one.part(&rules).0.digest(), two.digest());
        assert_eq!(one.part(&rules).1.entries, [file("shop.db", 2)]);
    }

    #[test]
    fn secrets_and_what_tools_make_again_stay_out() {
        for (name, out) in [
            (".env", true),
            (".env.local", true),
            (".env.example", false),
            ("x.pyc", true),
            ("environment.py", false),
        ] {
            assert_eq!(leaves_out_file(name), out, "{name}");
        }
        assert!(leaves_out_folder("node_modules") && !leaves_out_folder("src"));
    }
}
