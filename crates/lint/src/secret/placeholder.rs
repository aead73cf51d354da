//! What only looks like a credential.

use std::collections::HashMap;

const WORDS: [&str; 30] = [
    "example",
    "sample",
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "your",
    "xxxx",
    "dummy",
    "fake",
    "replace",
    "insert",
    "todo",
    "redacted",
    "secret-here",
    "key-here",
    "****",
    "....",
    "<",
    "${",
    "{{",
    "%(",
    "process.env",
    "os.environ",
    "0000000000",
    "1234567890",
    "abcdefgh",
    "foobar",
    "lorem",
    "not-a-real",
];

/// Whether a value stands for one that is still to be filled in.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word)) || is_repetitive(value)
}

fn is_repetitive(value: &str) -> bool {
    let distinct: std::collections::HashSet<char> = value.chars().collect();
    distinct.len() <= 5 && value.len() > 8
}

/// How random a text is, in bits a letter (Shannon).
pub(super) fn entropy(value: &str) -> f64 {
    let mut counts: HashMap<char, usize> = HashMap::new();
    value
        .chars()
        .for_each(|letter| *counts.entry(letter).or_default() += 1);
    let total = value.chars().count() as f64;
    let bits = counts.values().map(|count| {
        let share = *count as f64 / total;
        -share * share.log2()
    });
    bits.sum()
}

/// A value as it may be shown: its beginning, and how long it is.
pub(super) fn mask(value: &str) -> String {
    let length = value.chars().count();
    let shown: String = value.chars().take(4.min(length / 4)).collect();
    format!("{shown}… ({length} characters)")
}
