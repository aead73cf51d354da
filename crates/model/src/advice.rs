//! What a user should know about the files that an app wrote, with the lines to add to mayfly.toml.

use crate::manifest;

/// Texts beyond this are counted, not named.
const NAMED: usize = 5;

/// What an app wrote and what goes with its release, with the lines that keep it; `None` when there
/// is nothing. `keep` holds the patterns there are.
pub fn lost(files: &[String], keep: &[String]) -> Option<String> {
    let patterns = patterns(files);
    let all = keep
        .iter()
        .chain(patterns.iter().filter(|pattern| !keep.contains(pattern)));
    let all: Vec<_> = all.map(|pattern| quote(pattern)).collect();
    (!files.is_empty()).then(|| {
        format!(
            "written by the app, and goes with its release: {}\n  to keep it, add to {}:\n    [run]\n    keep = [{}]",
            name(files),
            manifest::FILE_NAME,
            all.join(", ")
        )
    })
}

/// Names texts in one line; only the first of many.
pub fn name(texts: &[String]) -> String {
    let named = texts
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match texts.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Writes a text as a basic string (TOML 1.0, "String").
pub fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    let clean: String = escaped
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    format!("\"{clean}\"")
}

/// Patterns for files: several in one folder become that folder.
fn patterns(files: &[String]) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for file in files {
        let top = file.split_once('/').map(|(top, _)| format!("{top}/"));
        let beside = |top: &String| files.iter().filter(|file| file.starts_with(top)).count() > 1;
        let pattern = top.filter(beside).unwrap_or_else(|| file.clone());
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn files_of_one_folder_are_kept_by_that_folder() {
        for (files, expected) in [
            (vec!["a.json"], vec!["a.json"]),
            (vec!["out/a", "out/b/c", "d"], vec!["out/", "d"]),
            (vec!["out/a", "outer"], vec!["out/a", "outer"]),
            (vec![], vec![]),
        ] {
            assert_eq!(patterns(&texts(&files)), texts(&expected), "{files:?}");
        }
    }

    #[test]
    fn the_line_to_add_keeps_what_is_kept_already() {
        let text = lost(
            &texts(&["notes.json", "we\"ird"]),
            &texts(&["*.db", "notes.json"]),
        );
        let text = text.expect("advice");
        assert!(
            text.ends_with(r#"keep = ["*.db", "notes.json", "we\"ird"]"#),
            "{text}"
        );
        assert_eq!(lost(&[], &texts(&["*.db"])), None);
    }

    #[test]
    fn many_files_are_counted() {
        let files = texts(&["a", "b", "c", "d", "e", "f", "g"]);
        assert_eq!(name(&files), "a, b, c, d, e and 2 more");
    }
}
