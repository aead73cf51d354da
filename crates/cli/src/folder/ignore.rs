//! `.mayflyignore`: what the user wants left out of the app.

use model::keep::{Entry, KeepRules};

use super::FolderError;

/// The file's name.
pub(crate) const FILE_NAME: &str = ".mayflyignore";

/// Patterns in gitignore's manner: one a line, `#` for comments; a name matches at any depth, a
/// `/` at its front or within ties it to the folder, a `/` at its end matches folders only.
/// Exceptions (`!`) are not known.
#[derive(Debug, Default)]
pub(crate) struct IgnoreRules {
    anywhere: Option<KeepRules>,
    top: Option<KeepRules>,
}

impl IgnoreRules {
    /// Reads the file's text.
    pub(crate) fn parse(text: &str) -> Result<Self, FolderError> {
        let (mut anywhere, mut top) = (Vec::new(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let pattern = line.trim();
            if pattern.is_empty() || pattern.starts_with('#') {
                continue;
            }
            check(pattern).map_err(|why| FolderError::Ignore {
                line: index + 1,
                why,
            })?;
            let tied = pattern.strip_prefix('/').unwrap_or(pattern);
            let only_at_the_top = tied != pattern && !tied.trim_end_matches('/').contains('/');
            let rules = if only_at_the_top {
                &mut top
            } else {
                &mut anywhere
            };
            rules.extend(both_kinds(tied));
        }
        Ok(Self {
            anywhere: KeepRules::new(&anywhere).ok(),
            top: KeepRules::new(&top).ok(),
        })
    }

    /// Whether `path`, relative to the folder, is left out. Folders above it were asked for before.
    pub(crate) fn matches(&self, path: &str, entry: Entry) -> bool {
        let hit = |rules: &Option<KeepRules>| {
            rules
                .as_ref()
                .is_some_and(|rules| rules.kept(path, entry).is_some())
        };
        hit(&self.anywhere) || (!path.contains('/') && hit(&self.top))
    }
}

fn check(pattern: &str) -> Result<(), String> {
    if pattern.starts_with('!') {
        return Err(format!("`{pattern}`: exceptions are not supported"));
    }
    let tied = pattern.strip_prefix('/').unwrap_or(pattern);
    KeepRules::new(&[tied])
        .map(drop)
        .map_err(|cause| cause.to_string())
}

/// A pattern for files as one for files and folders, which is what it means in an ignore file.
fn both_kinds(pattern: &str) -> Vec<String> {
    match pattern.ends_with('/') {
        true => vec![pattern.to_owned()],
        false => vec![pattern.to_owned(), format!("{pattern}/")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_leave_out_what_they_say() {
        let rules = IgnoreRules::parse("# notes\n\n*.log\ndrafts/\n/build\ndocs/*.md\nsecret\n")
            .expect("good patterns");
        for (path, entry, out) in [
            ("a.log", Entry::File, true),
            ("deep/down/a.log", Entry::File, true),
            ("drafts", Entry::Folder, true),
            ("drafts", Entry::File, false),
            ("x/drafts", Entry::Folder, true),
            ("build", Entry::Folder, true),
            ("build", Entry::File, true),
            ("x/build", Entry::Folder, false),
            ("docs/a.md", Entry::File, true),
            ("docs/x/a.md", Entry::File, false),
            ("secret", Entry::Folder, true),
            ("# notes", Entry::File, false),
            ("app.py", Entry::File, false),
        ] {
            assert_eq!(rules.matches(path, entry), out, "{path} {entry:?}");
        }
        assert!(!IgnoreRules::default().matches("a.log", Entry::File));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for (text, line) in [("*.log\n!keep.log", 2), ("../x", 1), ("[a", 1), ("/", 1)] {
            let error = IgnoreRules::parse(text).expect_err(text);
            let expected = format!(".mayflyignore:{line}: ");
            assert!(error.to_string().starts_with(&expected), "{error}");
        }
    }
}
