//! What images of releases are called in the registry, beside their digests.
//!
//! Source of what a tag may hold: OCI distribution-spec 1.1, "Pulling manifests".

use crate::release::ReleaseNumber;

/// The longest tag, in bytes.
const MAX_BYTES: usize = 128;

/// The tag of a release: `r3`. It stays with its image.
pub fn of_release(number: ReleaseNumber) -> String {
    format!("r{number}")
}

/// The tag of the newest release that `creator` made of `branch`: `ann-main`. It moves.
pub fn of_line(creator: &str, branch: &str) -> String {
    let mut tag = String::new();
    for letter in format!("{creator}-{branch}").chars() {
        match letter {
            kept if kept.is_ascii_alphanumeric() || matches!(kept, '_' | '.' | '-') => {
                tag.push(kept);
            }
            _ if tag.ends_with('-') => {}
            _ => tag.push('-'),
        }
    }
    tag.truncate(MAX_BYTES);
    // A release's own tag is never moved by a name that looks like it.
    match tag.starts_with(['.', '-']) {
        true => format!("_{}", tag.trim_start_matches(['.', '-'])),
        false => tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_tag_that_any_registry_takes() {
        let long = "x".repeat(300);
        for (creator, branch, tag) in [
            ("ann", "main", "ann-main"),
            ("ann", "feature/new door", "ann-feature-new-door"),
            ("r3", "x", "r3-x"),
            ("Zoé", "ä", "Zo--"),
            ("", "main", "_main"),
            (".ann", "main", "_ann-main"),
            (&long, "main", &long[..128]),
        ] {
            assert_eq!(of_line(creator, branch), tag, "{creator} {branch}");
        }
        assert_eq!(of_release(ReleaseNumber::new(3)), "r3");
    }
}
