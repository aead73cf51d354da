//! A failure in words: what, why, and what to do next.

use std::fmt;

use model::failure::Failure;
use model::progress::clean_line;

use super::{Paint, Style};

/// Shows a failure. Its texts may quote what an app printed, so control characters are taken out.
pub(crate) struct Explained<'a> {
    failure: &'a Failure,
    style: Style,
}

impl<'a> Explained<'a> {
    /// Shows `failure`.
    pub(crate) fn new(failure: &'a Failure, style: Style) -> Self {
        Self { failure, style }
    }
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure {
            message,
            cause,
            hint,
            ..
        } = self.failure;
        write!(
            f,
            "{} {}",
            self.style.paint(Paint::Bad, "error:"),
            clean_line(message)
        )?;
        for cause in cause {
            write_cause(f, self.style, cause)?;
        }
        if let Some(hint) = hint {
            let mut lines = hint.lines().map(clean_line);
            let first = lines.next().unwrap_or_default();
            write!(f, "\n{} {first}", self.style.paint(Paint::Good, "hint:"))?;
            for line in lines {
                write!(f, "\n      {line}")?;
            }
        }
        Ok(())
    }
}

/// One cause; one of several lines is a piece of a log and stands in a block of its own.
fn write_cause(f: &mut fmt::Formatter<'_>, style: Style, cause: &str) -> fmt::Result {
    let label = style.paint(Paint::Dim, "caused by:");
    let mut lines = cause.trim_end().lines().map(clean_line).peekable();
    let first = lines.next().unwrap_or_default();
    write!(f, "\n  {label} {first}")?;
    for line in lines {
        write!(f, "\n    {} {line}", style.paint(Paint::Dim, "|"))?;
    }
    Ok(())
}
