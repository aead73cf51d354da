//! Colours, where they are wanted.

use std::fmt;
use std::io::{self, IsTerminal};

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Text only.
    Plain,
    /// With ANSI colours.
    Coloured,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    /// A heading.
    Strong,
    /// Something of little weight.
    Dim,
    /// Well done.
    Good,
    /// To be looked at.
    Warn,
    /// Gone wrong.
    Bad,
}

impl Style {
    /// Colours when standard error is a terminal and nobody said otherwise (no-color.org).
    pub(crate) fn of_stderr() -> Self {
        Self::choose(io::stderr().is_terminal())
    }

    /// The same for standard output.
    pub(crate) fn of_stdout() -> Self {
        Self::choose(io::stdout().is_terminal())
    }

    fn choose(is_terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match is_terminal && !unwanted && !is_dumb() {
            true => Self::Coloured,
            false => Self::Plain,
        }
    }

    /// Colours `text`.
    pub(crate) fn paint<T: fmt::Display>(self, paint: Paint, text: T) -> String {
        let code = match (self, paint) {
            (Self::Plain, _) => return text.to_string(),
            (_, Paint::Strong) => 1,
            (_, Paint::Dim) => 2,
            (_, Paint::Good) => 32,
            (_, Paint::Warn) => 33,
            (_, Paint::Bad) => 31,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// Whether the terminal knows no escape sequences.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}
