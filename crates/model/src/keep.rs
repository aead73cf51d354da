//! Which of the files that an app writes in its own folder outlive the release.

use globset::{GlobBuilder, GlobMatcher};

/// What is kept when mayfly.toml says nothing: databases and the folders that frameworks use.
pub const DEFAULT_KEEP: [&str; 5] = ["*.db", "*.sqlite*", "data/", "instance/", "uploads/"];

/// A pattern that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is no pattern: {why}")]
pub struct KeepError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub why: String,
}

/// What a path is, for patterns that end in `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File,
    /// A folder.
    Folder,
}

/// Patterns in gitignore's manner: one without an inner `/` matches at any depth, one that ends in
/// `/` matches folders only.
#[derive(Debug, Clone)]
pub struct KeepRules(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    matcher: GlobMatcher,
    entry: Entry,
    anywhere: bool,
}

impl KeepRules {
    /// Reads patterns. Fails on one that is absolute, climbs with `..`, or is no glob.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, KeepError> {
        patterns
            .iter()
            .map(|pattern| Rule::new(pattern.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns the shortest part of `path` that is kept: the path itself, or a folder above it.
    ///
    /// `path` is relative to the app's folder. What lies in a kept folder is kept with it.
    pub fn kept<'p>(&self, path: &'p str, entry: Entry) -> Option<(&'p str, Entry)> {
        let folders = path
            .match_indices('/')
            .map(|(at, _)| (&path[..at], Entry::Folder));
        folders
            .chain([(path, entry)])
            .find(|(part, entry)| self.matches(part, *entry))
    }

    fn matches(&self, path: &str, entry: Entry) -> bool {
        self.0.iter().any(|rule| rule.matches(path, entry))
    }
}

impl Rule {
    fn new(pattern: &str) -> Result<Self, KeepError> {
        let bad = |why: &str| KeepError {
            pattern: pattern.to_owned(),
            why: why.to_owned(),
        };
        let entry = if pattern.ends_with('/') {
            Entry::Folder
        } else {
            Entry::File
        };
        let body = pattern.trim_end_matches('/').trim_start_matches("./");
        if body.is_empty() || body.starts_with('/') {
            return Err(bad("it must name something in the app's folder"));
        }
        if body.split('/').any(|part| part == "..") {
            return Err(bad("it may not climb out of the app's folder"));
        }
        let glob = GlobBuilder::new(body).literal_separator(true).build();
        let matcher = glob
            .map_err(|cause| bad(&cause.kind().to_string()))?
            .compile_matcher();
        Ok(Self {
            matcher,
            entry,
            anywhere: !body.contains('/'),
        })
    }

    fn matches(&self, path: &str, entry: Entry) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        entry == self.entry
            && self
                .matcher
                .is_match(if self.anywhere { name } else { path })
    }
}

/// Files that SQLite keeps beside a database and that must move with it.
pub const SQLITE_COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_patterns_keep_databases_and_upload_folders() {
        let rules = KeepRules::new(&DEFAULT_KEEP).expect("good patterns");
        for (path, entry, kept) in [
            ("guestbook.db", Entry::File, Some("guestbook.db")),
            ("store/app.sqlite3", Entry::File, Some("store/app.sqlite3")),
            ("data/a/b.json", Entry::File, Some("data")),
            ("src/data/x", Entry::File, Some("src/data")),
            ("data", Entry::Folder, Some("data")),
            ("data", Entry::File, None),
            ("notes.json", Entry::File, None),
            ("database.py", Entry::File, None),
            ("uploads", Entry::Folder, Some("uploads")),
        ] {
            assert_eq!(
                rules.kept(path, entry).map(|(part, _)| part),
                kept,
                "{path}"
            );
        }
    }

    #[test]
    fn a_pattern_with_a_slash_is_anchored() {
        let rules = KeepRules::new(&["state/*.json", "./cache/"]).expect("good patterns");
        for (path, kept) in [
            ("state/a.json", true),
            ("x/state/a.json", false),
            ("state/b/a.json", false),
            ("cache/x", true),
        ] {
            assert_eq!(rules.kept(path, Entry::File).is_some(), kept, "{path}");
        }
    }

    #[test]
    fn patterns_that_leave_the_folder_are_refused() {
        for bad in ["", "/", "/etc/", "../x", "a/../../b", "[a"] {
            assert!(KeepRules::new(&[bad]).is_err(), "{bad:?}");
        }
    }
}
