//! Readers that recurse nowhere, for the fuzzer: of secrets, settings and templates. Parsers of code
//! may end the program that calls them, and are read by workers.

use crate::{config, secret, template};

/// File names that readers are chosen by.
const NAMES: [&str; 12] = [
    "app.txt",
    ".env",
    "settings.ini",
    "requirements.txt",
    "package.json",
    "Dockerfile",
    "deploy.yaml",
    "mayfly.toml",
    "views/a.html",
    "views/a.ejs",
    "views/a.hbs",
    "README.md",
];

/// Reads a text as the file that `which` chooses.
///
/// # Panics
/// When a place lies outside of the text or inside of a letter, or a value is shown.
pub fn read(which: u8, text: &str) {
    let path = NAMES[usize::from(which) % NAMES.len()];
    let mut spans = Vec::new();
    for raw in secret::scan(path, text) {
        let value = &text[raw.span.start as usize..raw.span.end as usize];
        let shown = raw.masked.expect("a masked value");
        assert!(
            value.chars().count() < 8 || !shown.contains(value),
            "{path}"
        );
    }
    spans.extend(config::scan(path, text).into_iter().map(|raw| raw.span));
    spans.extend(
        template::shows(path, text)
            .into_iter()
            .map(|show| show.span),
    );
    for span in spans {
        let _ = &text[span.start as usize..span.end as usize];
    }
}
