//! Random texts beside a name that says what they are.

use std::sync::LazyLock;

use model::finding::Confidence;
use regex::Regex;

use super::placeholder::{entropy, is_placeholder, mask};
use crate::language::{is_documentation, words};
use crate::scan::Raw;

static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?i)(?P<n>[a-z0-9_.-]{0,40}(?:secret|token|api_?key|apikey|passw(?:or)?d|private_?key|access_?key|auth_?key|credential|client_?secret)[a-z0-9_-]{0,20})['"]?\]?\s*(?::\s*[a-z]+\s*)?(?:=>|:=|=|:)\s*(?:b|r)?['"`](?P<s>[^'"`\s]{16,200})['"`]"#,
    )
});
static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?im)^\s*(?:export\s+)?(?P<n>[a-z0-9_]*(?:secret|token|api_?key|passw(?:or)?d|private_?key|access_?key)[a-z0-9_]*)\s*[=:]\s*(?P<s>[^\s'\x22#]{12,200})\s*$",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).unwrap_or_else(|error| panic!("pattern of assigned credentials: {error}"))
}

/// How random a text must be, in bits a letter.
const RANDOM: f64 = 3.6;

/// A line longer than this is looked at around the name alone.
const LINE: usize = 600;

/// The credentials in a text that stand beside a name for them.
pub(super) fn scan(path: &str, text: &str) -> Vec<Raw> {
    if is_for_tests(path) {
        return vec![];
    }
    let sure = match is_documentation(path) {
        true => Confidence::Medium,
        false => Confidence::High,
    };
    let forms: &[&Regex] = match is_settings(path) {
        true => &[&QUOTED, &PLAIN],
        false => &[&QUOTED],
    };
    let mut raws = Vec::new();
    let mut seen = 0;
    for name in NAMES.find_iter(text) {
        if name.start() < seen {
            continue;
        }
        let (start, end, line) = around(text, name.start());
        seen = end;
        for form in forms {
            for found in form.captures_iter(&text[start..end]) {
                raws.extend(credential(&found, start).map(|raw| raw.at_most(sure.min(line))));
            }
        }
    }
    raws
}

fn credential(found: &regex::Captures, start: usize) -> Option<Raw> {
    let (name, secret) = (found.name("n")?, found.name("s")?);
    if !is_secret(name.as_str(), secret.as_str()) {
        return None;
    }
    let mut raw = Raw::new(
        "secret-assigned",
        start + secret.start(),
        start + secret.end(),
    );
    raw.confidence = Some(match has_mixed_letters(secret.as_str()) {
        true => Confidence::High,
        false => Confidence::Medium,
    });
    raw.masked = Some(mask(secret.as_str()));
    Some(raw)
}

impl Raw {
    fn at_most(mut self, sure: Confidence) -> Self {
        self.confidence = Some(self.confidence.unwrap_or(sure).min(sure));
        self
    }
}

/// The line of a place, and how sure something in it is: all of it, or what is near the place where the
/// line is so long that a program wrote it.
fn around(text: &str, at: usize) -> (usize, usize, Confidence) {
    let bytes = text.as_bytes();
    let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(text.len(), |end| at + end);
    if end - start <= LINE {
        return (start, end, Confidence::High);
    }
    let near = |place: usize| {
        (0..=place)
            .rev()
            .find(|place| text.is_char_boundary(*place))
            .unwrap_or(0)
    };
    (
        near(at.saturating_sub(60)).max(start),
        near((at + LINE / 2).min(end)),
        Confidence::Medium,
    )
}

/// Where a closer look is worth it.
static NAMES: LazyLock<aho_corasick::AhoCorasick> = LazyLock::new(|| {
    let names = [
        "secret",
        "token",
        "api_key",
        "apikey",
        "passw",
        "private",
        "access_key",
        "auth_key",
        "credential",
    ];
    let builder = aho_corasick::AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(names);
    builder.unwrap_or_else(|error| panic!("names of credentials: {error}"))
});

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_about = [
        "_name",
        "_path",
        "_url",
        "_uri",
        "_file",
        "_id",
        "_field",
        "_header",
        "_type",
        "_class",
        "tokenizer",
        "csrf",
        "public",
        "publishable",
        "placeholder",
        "_label",
        "_env",
        "message",
        "selector",
        "title",
        "_regex",
        "token_type",
    ];
    let is_text =
        value.contains(['/', ' ', '(', '$', '{', '<', '@', '\\']) || value.starts_with("http");
    let is_dotted = value.contains('.')
        && value
            .split('.')
            .all(|part| part.chars().all(|c| c.is_ascii_alphabetic() || c == '_'));
    let is_words = value
        .chars()
        .all(|c| c.is_ascii_lowercase() || c == '-' || c == '_' || c == '.')
        || value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    !is_about.iter().any(|part| name.contains(part))
        && !is_text
        && !is_dotted
        && !is_words
        && !is_placeholder(value)
        && value.chars().any(|c| c.is_ascii_digit())
        && entropy(value) >= RANDOM
}

fn has_mixed_letters(value: &str) -> bool {
    let has = |kind: fn(&char) -> bool| value.chars().filter(kind).count() >= 3;
    let mixed =
        has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase) && has(char::is_ascii_digit);
    let is_hex = value.len() >= 32 && value.chars().all(|letter| letter.is_ascii_hexdigit());
    mixed || is_hex || (value.len() >= 24 && has(char::is_ascii_digit))
}

/// Whether values stand without quotes in such a file.
fn is_settings(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with(".env")
        || [".ini", ".properties", ".cfg", ".conf", ".yaml", ".yml"]
            .iter()
            .any(|end| name.ends_with(end))
}

fn is_for_tests(path: &str) -> bool {
    const WORDS: [&str; 16] = [
        "test", "tests", "testing", "testdata", "spec", "specs", "fixture", "fixtures", "mock",
        "mocks", "example", "examples", "sample", "samples", "locale", "i18n",
    ];
    words(path).any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_of_tests_by_whole_words() {
        for (path, expected) in [
            ("tests/app.py", true),
            ("src/app.test.js", true),
            ("contest/inspector.py", false),
        ] {
            assert_eq!(is_for_tests(path), expected, "{path}");
        }
    }
}
