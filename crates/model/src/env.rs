//! Environment variables: which names are allowed, which may reach a build, what an `.env` file says.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Prefixes of variables that front-end tools put into pages anyway: no secret, so a build may see
/// them. Sources: the documentation of Vite, Next.js, Create React App, Astro, Expo and Gatsby.
pub const PUBLIC_PREFIXES: [&str; 6] = [
    "VITE_",
    "NEXT_PUBLIC_",
    "REACT_APP_",
    "PUBLIC_",
    "EXPO_PUBLIC_",
    "GATSBY_",
];

/// Values of secret variables. They never print.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretEnv(pub BTreeMap<String, String>);

impl fmt::Debug for SecretEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A line of an `.env` file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not NAME=value")]
pub struct EnvFileError {
    /// Counted from 1. The text stays out of the message: it may be a secret.
    pub line: usize,
}

/// Whether a build may see the variable `name`.
pub fn is_public(name: &str) -> bool {
    PUBLIC_PREFIXES
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Whether `name` can be an environment variable's name (POSIX, 8.1).
pub fn is_name(name: &str) -> bool {
    let first = name.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Reads an `.env` file: `NAME=value` lines, `export` allowed, `#` comments, quotes as in a shell.
pub fn parse_env_file(text: &str) -> Result<SecretEnv, EnvFileError> {
    let mut values = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bad = EnvFileError { line: index + 1 };
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or(bad.clone())?;
        let name = name.trim();
        if !is_name(name) {
            return Err(bad);
        }
        values.insert(name.to_owned(), unquote(value.trim()).ok_or(bad)?);
    }
    Ok(SecretEnv(values))
}

/// Takes quotes off a value, or a comment after one without quotes. `None` when a quote stays open.
fn unquote(value: &str) -> Option<String> {
    if let Some(rest) = value.strip_prefix('\'') {
        return rest.split_once('\'').map(|(inner, _)| inner.to_owned());
    }
    let Some(rest) = value.strip_prefix('"') else {
        let end = value.find(" #").unwrap_or(value.len());
        return Some(value[..end].trim_end().to_owned());
    };
    let mut plain = String::new();
    let mut letters = rest.chars();
    loop {
        match letters.next()? {
            '"' => return Some(plain),
            '\\' => match letters.next()? {
                'n' => plain.push('\n'),
                't' => plain.push('\t'),
                other => plain.push(other),
            },
            other => plain.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_env_file_is_read_as_a_shell_would() {
        for (text, value) in [
            ("A=b", Some("b")),
            ("export A=b", Some("b")),
            ("A = b # why", Some("b")),
            ("A=b#c", Some("b#c")),
            ("A='b # c'", Some("b # c")),
            (r#"A="b\nc""#, Some("b\nc")),
            ("A=", Some("")),
            ("# nothing\n\nA=b=c", Some("b=c")),
            ("A=\"b", None),
            ("1A=b", None),
            ("just text", None),
        ] {
            let got = parse_env_file(text)
                .ok()
                .and_then(|env| env.0.get("A").cloned());
            assert_eq!(got.as_deref(), value, "{text:?}");
        }
    }

    #[test]
    fn only_public_prefixes_reach_a_build() {
        for (name, public) in [
            ("VITE_API", true),
            ("NEXT_PUBLIC_X", true),
            ("API_KEY", false),
            ("MY_VITE_X", false),
        ] {
            assert_eq!(is_public(name), public, "{name}");
        }
    }

    #[test]
    fn secret_values_never_print() {
        let env = parse_env_file("KEY=hunter2").expect("a good file");
        assert!(!format!("{env:?}").contains("hunter2"));
    }
}
