//! One requirement: a name, extras, a marker. Versions are the installer's business.
//!
//! Source: Python packaging, "Dependency specifiers".

use std::collections::BTreeSet;

use super::marker::{Environment, Marker};

/// A dependency on another distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    /// As written.
    pub(crate) name: String,
    /// What is asked of it besides.
    pub(crate) extras: Vec<String>,
    /// The exact version, when it is pinned to one.
    pub(crate) pinned: Option<String>,
    /// When it counts.
    pub(crate) marker: Option<Marker>,
}

impl Requirement {
    /// Whether it counts there, when these extras are asked for.
    pub(super) fn applies(&self, environment: &Environment, extras: &BTreeSet<String>) -> bool {
        match &self.marker {
            Some(marker) => marker.holds(environment, extras),
            None => true,
        }
    }

    /// Whether it may count on Linux at all.
    pub(crate) fn may_apply(&self) -> bool {
        self.applies(&Environment::of("", None), &BTreeSet::new())
    }
}

/// Reads one requirement; none when the text is none. A marker that cannot be read always holds.
pub(crate) fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !begins || name.len() > 200 {
        return None;
    }
    let rest = rest.trim_start();
    let (extras, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    // A URL may have a semicolon of its own; only one after a blank begins a marker then.
    let (version, marker) = match rest.trim_start().starts_with('@') {
        true => rest.split_once(" ;").unwrap_or((rest, "")),
        false => rest.split_once(';').unwrap_or((rest, "")),
    };
    let extras = extras
        .split(',')
        .map(str::trim)
        .filter(|extra| !extra.is_empty());
    Some(Requirement {
        name: name.to_owned(),
        extras: extras.take(100).map(str::to_owned).collect(),
        pinned: pinned(version),
        marker: Marker::parse(marker),
    })
}

fn pinned(version: &str) -> Option<String> {
    let version = version.trim().trim_start_matches('(').trim_end_matches(')');
    let exact = version.strip_prefix("===").or(version.strip_prefix("=="))?;
    let exact = exact.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || ".!+-_".contains(c);
    (!exact.is_empty() && exact.chars().all(plain)).then(|| exact.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_taken_apart() {
        let read = requirement("Uvicorn[standard, x] (>=0.1,!=0.2) ; extra == 'all'").expect("one");
        assert_eq!((read.name.as_str(), read.extras.len()), ("Uvicorn", 2));
        assert!(read.pinned.is_none() && read.marker.is_some());
        for (text, pinned) in [
            ("flask==3.0.0", Some("3.0.0")),
            ("flask == 3.0.0 ; python_version > '3'", Some("3.0.0")),
            ("flask===3.0.0", Some("3.0.0")),
            ("flask==3.*", None),
            ("flask>=3,==3.1", None),
            ("flask @ https://example.org/a;b.whl", None),
            ("flask", None),
        ] {
            let read = requirement(text).expect(text);
            assert_eq!(
                (read.name.as_str(), read.pinned.as_deref()),
                ("flask", pinned)
            );
        }
        for bad in ["", "-e .", "[x]", "\u{1b}", "a[b"] {
            assert_eq!(requirement(bad), None, "{bad:?}");
        }
    }
}
