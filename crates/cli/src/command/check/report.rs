//! A check as people read it: what blocks first, and how to go on.

use api::history::{History, HistoryState};
use model::AppName;
use model::finding::Finding;
use model::progress::clean_line;
use server::checks::Checked;

use crate::face::finding;
use crate::face::{Paint, Seconds, Style};

/// How much of a long list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    /// As much as one reads.
    Cut,
    /// All of it.
    Whole,
}

/// How many findings that block a person is shown.
const BLOCKS_SHOWN: usize = 20;
/// How many findings that only warn a person is shown.
const WARNINGS_SHOWN: usize = 10;

/// What is said.
pub(super) struct Report<'a> {
    pub(super) checked: &'a Checked,
    pub(super) history: &'a History,
    /// The app's name, where the folder has one.
    pub(super) app: Option<&'a AppName>,
    pub(super) length: Length,
    pub(super) style: Style,
}

impl Report<'_> {
    /// All of it, in paragraphs.
    pub(super) fn text(&self) -> String {
        let (blocking, warning): (Vec<&Finding>, Vec<&Finding>) = self
            .checked
            .findings
            .iter()
            .partition(|finding| finding.blocks);
        let mut parts = self.list(&blocking, BLOCKS_SHOWN, "findings that block");
        parts.extend(self.list(&warning, WARNINGS_SHOWN, "warnings"));
        if !blocking.is_empty() {
            parts.push(
                "An exemption ends, is logged, and is granted by somebody other than the app's \
                 creator or an agent."
                    .to_owned(),
            );
        }
        parts.push(self.end(blocking.len(), warning.len()));
        parts.join("\n\n")
    }

    fn list(&self, findings: &[&Finding], shown: usize, kind: &str) -> Vec<String> {
        let shown = match self.length {
            Length::Cut => shown,
            Length::Whole => usize::MAX,
        };
        let first = findings.iter().take(shown);
        let mut parts: Vec<String> = first
            .map(|one| finding::shown(one, self.app, self.style))
            .collect();
        if let more @ 1.. = findings.len().saturating_sub(shown) {
            parts.push(format!(
                "and {more} more {kind}; `mayfly check --all` shows them"
            ));
        }
        parts
    }

    fn end(&self, blocking: usize, warning: usize) -> String {
        let files = self.checked.files;
        let time = Seconds(self.checked.seconds);
        let sum = match (blocking, warning) {
            (0, 0) => {
                let text = format!("nothing found in {files} files ({time})");
                self.style.paint(Paint::Good, text)
            }
            (0, _) => format!("{} in {files} files ({time})", count(warning, "warning")),
            (1, _) => self.style.paint(
                Paint::Bad,
                format!(
                    "1 finding that blocks and {} in {files} files ({time})",
                    count(warning, "warning")
                ),
            ),
            (_, _) => self.style.paint(
                Paint::Bad,
                format!(
                    "{blocking} findings that block and {} in {files} files ({time})",
                    count(warning, "warning")
                ),
            ),
        };
        let mut lines = vec![sum];
        let not_checked = self.checked.not_checked.iter();
        let mut aside: Vec<String> = not_checked
            .map(|one| format!("{}: not checked ({})", one.what, one.why))
            .collect();
        aside.push(history(self.history));
        let aside = aside
            .iter()
            .map(|line| self.style.paint(Paint::Dim, clean_line(line)));
        lines.extend(aside);
        lines.join("\n")
    }
}

fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

/// What was looked at in the history, in a line.
pub(super) fn history(history: &History) -> String {
    let why = history
        .why
        .as_deref()
        .map_or_else(String::new, |why| format!(" ({why})"));
    match (history.state, history.of) {
        (HistoryState::NotScanned, _) => format!("history: not scanned{why}"),
        (_, Some(of)) => format!("history: scanned {} of {of} commits{why}", history.commits),
        (_, None) => format!("history: scanned {} commits{why}", history.commits),
    }
}
