//! The last words on a run.

use std::fmt;

use model::Stage;
use model::failure::Failure;
use model::policy::Message;
use model::progress::{RunResult, clean_line};
use model::run::Outcome;

use super::finding::shown;
use super::{Explained, Paint, Seconds, Style};

/// Whether the app answers with what the run was asked for.
pub(crate) fn serves(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Promoted | Outcome::Unchanged)
}

/// How many findings that stopped a run a person is shown.
const FINDINGS_SHOWN: usize = 20;

/// A failure without what its findings say better. A policy may have other reasons beside them.
fn said(failure: &Failure) -> Failure {
    let has_more = failure.findings.is_empty() || failure.stage == Some(Stage::Policy);
    match has_more {
        true => failure.clone(),
        false => Failure {
            cause: Vec::new(),
            ..failure.clone()
        },
    }
}

/// A run's result in words.
pub(crate) struct Summary<'a> {
    result: &'a RunResult,
    style: Style,
}

impl<'a> Summary<'a> {
    /// Shows `result`.
    pub(crate) fn new(result: &'a RunResult, style: Style) -> Self {
        Self { result, style }
    }

    fn well(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        let RunResult {
            app,
            release,
            seconds,
            local_url,
            ..
        } = self.result;
        let release = release.map_or_else(String::new, |number| format!(" (release {number})"));
        let head = format!("{app} {what}{release}, {}", Seconds(*seconds));
        for warning in &self.result.warnings {
            let text = match &warning.next {
                Some(next) => format!("{}; {next}", warning.msg),
                None => warning.msg.clone(),
            };
            let text = format!("warning: {}", clean_line(&text));
            writeln!(f, "{}", self.style.paint(Paint::Warn, text))?;
        }
        let is_told = |warning: &Message| warning.rule == "scan.skipped";
        if let Some(why) = &self.result.not_scanned
            && !self.result.warnings.iter().any(is_told)
        {
            let text = format!("not scanned for known vulnerabilities: {}", clean_line(why));
            writeln!(f, "{}", self.style.paint(Paint::Warn, text))?;
        }
        write!(f, "{}", self.style.paint(Paint::Strong, head))?;
        let also = format!("for programs that cannot resolve *.localhost: {local_url}");
        write!(f, "\n{}", self.style.paint(Paint::Dim, also))
    }

    fn badly(&self, f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
        let RunResult {
            app,
            seconds,
            error,
            ..
        } = self.result;
        if let Some(failure) = error {
            for finding in failure.findings.iter().take(FINDINGS_SHOWN) {
                writeln!(f, "{}\n", shown(finding, Some(app), self.style))?;
            }
            writeln!(f, "{}", Explained::new(&said(failure), self.style))?;
        }
        let tail = format!("{app} {what}, {}", Seconds(*seconds));
        write!(f, "{}", self.style.paint(Paint::Dim, tail))
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.result.outcome {
            Outcome::Promoted => self.well(f, "is live"),
            Outcome::Unchanged => self.well(f, "has not changed and still serves"),
            Outcome::Superseded => self.badly(f, "gave way to a newer run"),
            Outcome::RolledBack => self.badly(f, "was rolled back to the release before"),
            Outcome::Blocked => self.badly(f, "was blocked by a gate"),
            Outcome::Failed => self.badly(f, "failed"),
        }
    }
}
