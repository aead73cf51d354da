//! bun's lock file: JSON with comments and commas at ends.

use serde_json::Value;

use super::{Named, at_version};

/// The packages that the lock names.
pub(super) fn read(text: &str) -> Result<Vec<Named>, String> {
    let lock: Value = serde_json::from_str(&plain(text)).map_err(|cause| cause.to_string())?;
    let packages = lock.get("packages").and_then(Value::as_object);
    let entries = packages.into_iter().flat_map(|packages| packages.values());
    let named = entries.filter_map(|entry| at_version(entry.get(0)?.as_str()?));
    Ok(named
        .map(|(name, version)| Named::npm(name, version))
        .collect())
}

/// The text without line comments and without commas before a closing bracket.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quoted => {
                plain.push(letter);
                plain.extend(letters.next());
                continue;
            }
            '"' => quoted = !quoted,
            '/' if !quoted && letters.peek() == Some(&'/') => {
                while letters.peek().is_some_and(|next| *next != '\n') {
                    letters.next();
                }
                continue;
            }
            '}' | ']' if !quoted => {
                let end = plain.trim_end().len();
                if plain[..end].ends_with(',') {
                    plain.truncate(end - 1);
                }
            }
            _ => {}
        }
        plain.push(letter);
    }
    plain
}
