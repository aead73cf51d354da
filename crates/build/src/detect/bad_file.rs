//! Files of an app that cannot be read, told with their place.

use model::failure::{Failure, FailureCode};

use crate::detect::folder::line_of;

/// A place in a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// The place of the byte `at`.
pub(super) fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Place {
        line: line_of(text, at) as usize,
        column: before[line_start..].chars().count() + 1,
    }
}

/// The failure of a build that needs `file` and cannot read it.
pub(super) fn bad_file(file: &str, place: Place, why: &str, hint: &str) -> Failure {
    let Place { line, column } = place;
    let why = why.trim().replace('\n', ", ");
    Failure::new(
        FailureCode::BadManifest,
        format!("{file}:{line}:{column}: {why}"),
    )
    .hint(hint)
}

/// Reads TOML.
pub(super) fn parse_toml(file: &str, text: &str) -> Result<toml::Table, Failure> {
    text.parse::<toml::Table>().map_err(|cause| {
        let at = cause.span().map_or(0, |span| span.start);
        let hint = format!("mend {file}, or remove it: mayfly then goes by the imports");
        bad_file(file, place(text, at), cause.message(), &hint)
    })
}
