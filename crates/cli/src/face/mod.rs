//! What people and programs see: a live step tree on a terminal, plain lines elsewhere, NDJSON on
//! request. Results go to standard output, everything else to standard error.

mod failure;
pub(crate) mod finding;
mod live;
mod outcome;
mod output;
mod plain;
mod quantity;
mod style;
mod table;

#[cfg(test)]
mod tests;

use std::io::{IsTerminal, Stderr};

use model::failure::Failure;
use model::progress::{Progress, RunResult};
use serde::Serialize;

pub(crate) use failure::Explained;
pub(crate) use output::{bytes, line, note};
pub(crate) use quantity::{Age, Bytes, Seconds};
pub(crate) use style::{Paint, Style};
pub(crate) use table::Table;

use live::Live;
use outcome::Summary;
use plain::Plain;

/// Who reads the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A person, or a script that takes the last line.
    Person,
    /// A program that asked for `--json`.
    Program,
}

impl Reader {
    /// Takes what the command line says.
    pub(crate) fn of_flag(json: bool) -> Self {
        match json {
            true => Self::Program,
            false => Self::Person,
        }
    }

    /// Shows a failure that ends the command: in words on standard error, or as an object on
    /// standard output.
    pub(crate) fn show_failure(self, failure: &Failure) {
        match self {
            Self::Person => note(&Explained::new(failure, Style::of_stderr()).to_string()),
            Self::Program => json(&Progress::Error {
                error: failure.clone(),
            }),
        }
    }
}

/// How much of a build's output is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Its last lines while it runs.
    Brief,
    /// All of it.
    Full,
}

/// Shows a run as it goes on.
pub(crate) enum Face {
    /// On a terminal.
    Live(Live<Stderr>),
    /// In a pipe or a log.
    Plain(Plain<Stderr>),
    /// For programs.
    Json,
}

impl Face {
    /// Chooses by who reads and where.
    pub(crate) fn new(reader: Reader, detail: Detail) -> Self {
        let stderr = std::io::stderr();
        match reader {
            Reader::Program => Self::Json,
            Reader::Person if stderr.is_terminal() && !style::is_dumb() => {
                Self::Live(Live::new(stderr, Style::of_stderr(), detail))
            }
            Reader::Person => Self::Plain(Plain::new(stderr, detail)),
        }
    }

    /// Shows one line of the run's stream.
    pub(crate) fn show(&mut self, progress: &Progress) {
        match self {
            Self::Live(live) => live.show(progress),
            Self::Plain(plain) => plain.show(progress),
            // The failure ends the command, which shows it.
            Self::Json if matches!(progress, Progress::Error { .. }) => {}
            Self::Json => json(progress),
        }
    }

    /// Moves the spinner on.
    pub(crate) fn tick(&mut self) {
        if let Self::Live(live) = self {
            live.tick();
        }
    }

    /// Says something about the call itself, which is no part of the run's stream.
    pub(crate) fn remark(&mut self, text: &str) {
        match self {
            Self::Live(live) => live.remark(text),
            Self::Plain(_) => note(text),
            Self::Json => {}
        }
    }

    /// Takes the live part off the terminal; what is printed next stands below the tree.
    pub(crate) fn rest(&mut self) {
        if let Self::Live(live) = self {
            live.rest();
        }
    }

    /// Shows how the run ended: a sentence or an error, then the URL alone on standard output.
    pub(crate) fn end(&mut self, result: &RunResult) {
        self.rest();
        if matches!(self, Self::Json) {
            return; // The stream's last line has said it.
        }
        note(&Summary::new(result, Style::of_stderr()).to_string());
        if outcome::serves(result.outcome) {
            line(&result.url);
        }
    }
}

/// Prints one JSON object on a line of its own.
pub(crate) fn json(value: &impl Serialize) {
    line(&serde_json::to_string(value).unwrap_or_default());
}
