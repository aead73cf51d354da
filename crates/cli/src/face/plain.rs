//! A run in plain lines: one for each step that ended.

use std::collections::HashSet;
use std::io::Write;

use model::progress::{Progress, clean_line};
use model::stage::Stage;

use super::{Detail, Seconds};

/// Writes a run's lines to `W`.
pub(crate) struct Plain<W> {
    out: W,
    detail: Detail,
    /// Stages whose steps have told their times.
    told: HashSet<Stage>,
}

impl<W: Write> Plain<W> {
    /// Nothing is written yet.
    pub(crate) fn new(out: W, detail: Detail) -> Self {
        Self {
            out,
            detail,
            told: HashSet::new(),
        }
    }

    /// Writes what `progress` says, when it ends something.
    pub(crate) fn show(&mut self, progress: &Progress) {
        let line = match progress {
            Progress::Run { .. } | Progress::StageStarted { .. } | Progress::StepStarted { .. } => {
                return;
            }
            Progress::StepDone {
                stage,
                step,
                seconds,
                cached,
            } => {
                self.told.insert(*stage);
                format!(
                    "{stage}: {} ({})",
                    clean_line(step),
                    Took(*seconds, *cached)
                )
            }
            Progress::StageDone { timing } if self.told.contains(&timing.stage) => return,
            Progress::StageDone { timing } => {
                format!("{} ({})", timing.stage, Took(timing.seconds, timing.cached))
            }
            Progress::Log { stage, line, .. } => match self.detail {
                Detail::Full => format!("{stage} | {}", clean_line(line)),
                Detail::Brief => return,
            },
            Progress::Notice { text } => notice(text),
            // They are told at the very end.
            Progress::Error { .. } | Progress::Result(_) => return,
        };
        // A run goes on when nobody reads about it.
        let _ = writeln!(self.out, "{line}");
    }

    /// What was written to.
    #[cfg(test)]
    pub(crate) fn into_inner(self) -> W {
        self.out
    }
}

/// A notice of one or more lines.
pub(crate) fn notice(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(clean_line).collect();
    format!("note: {}", lines.join("\n      "))
}

/// How long something took, or that it took nothing.
pub(crate) struct Took(pub(crate) f64, pub(crate) bool);

impl std::fmt::Display for Took {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.1 {
            true => f.write_str("cached"),
            false => Seconds(self.0).fmt(f),
        }
    }
}
