//! What a run tells while it goes on. One JSON object a line; the last line is the result.

use serde::{Deserialize, Serialize};

use crate::app::AppName;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::finding::Finding;
use crate::policy::Message;
use crate::release::ReleaseNumber;
use crate::run::{Outcome, RunId};
use crate::stage::Stage;

/// Where a line of output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of a run's NDJSON stream. Later work only adds to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Progress {
    /// The run has begun.
    Run {
        /// Its name.
        run: RunId,
        /// The app.
        app: AppName,
    },
    /// A stage has begun.
    StageStarted {
        /// The stage.
        stage: Stage,
    },
    /// A step of a stage has begun.
    StepStarted {
        /// The stage.
        stage: Stage,
        /// What it does, in a few words: `install 12 packages`.
        step: String,
    },
    /// A step of a stage has ended.
    StepDone {
        /// The stage.
        stage: Stage,
        /// The same words as at its start.
        step: String,
        /// How long it took.
        seconds: f64,
        /// Whether an earlier result was used.
        cached: bool,
    },
    /// A stage has ended well.
    StageDone {
        /// The stage, its time, and whether an earlier result was used.
        #[serde(flatten)]
        timing: StageTiming,
    },
    /// A line that a build command or the app printed. Hostile input.
    Log {
        /// The stage.
        stage: Stage,
        /// Where it came from.
        stream: Stream,
        /// The line without its end, control characters taken out.
        line: String,
    },
    /// Something that the user should know, in a sentence, with the line to add where there is one.
    Notice {
        /// The sentence.
        text: String,
    },
    /// The end of something that is no run of its own and went wrong: a rollback, a restoration.
    Error {
        /// What.
        error: Failure,
    },
    /// The end. Always the last line.
    Result(Box<RunResult>),
}

/// How long a stage took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTiming {
    /// The stage.
    pub stage: Stage,
    /// Its time.
    pub seconds: f64,
    /// Whether an earlier result was used.
    pub cached: bool,
}

/// The last line of a run's stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// The run.
    pub run: RunId,
    /// The app.
    pub app: AppName,
    /// The release that the run made, or that still serves.
    pub release: Option<ReleaseNumber>,
    /// What became of the run.
    pub outcome: Outcome,
    /// The image's digest.
    pub digest: Option<Digest>,
    /// Where the app answers.
    pub url: String,
    /// Where it answers for programs that do not resolve `*.localhost`.
    pub local_url: String,
    /// The time of all stages.
    pub seconds: f64,
    /// Each stage that ran.
    pub stages: Vec<StageTiming>,
    /// What gates found and let pass; what blocks is in the error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// What the policy warns of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Message>,
    /// Why the image was not matched against known vulnerabilities, when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_scanned: Option<String>,
    /// Why it failed, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

/// Takes out what could move a terminal's cursor, reverse text or hide it: control characters
/// except tab, ANSI sequences, bidirectional and zero-width characters.
pub fn clean_line(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => skip_escape(&mut letters),
            '\t' => clean.push('\t'),
            c if c.is_control() || is_invisible(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Skips the rest of an escape sequence (ECMA-48, 5.4): CSI up to its final byte, OSC up to its
/// terminator, anything else one character.
fn skip_escape(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match letters.next() {
        Some('[') => {
            letters.find(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']') => {
            while let Some(letter) = letters.next() {
                if letter == '\u{7}' || (letter == '\u{1b}' && letters.next_if_eq(&'\\').is_some())
                {
                    break;
                }
            }
        }
        _ => {}
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_output_cannot_move_the_cursor_or_hide_text() {
        for (line, clean) in [
            ("plain\ttext", "plain\ttext"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link", "link"),
            ("a\u{202e}b\u{200b}c", "abc"),
            ("over\rwritten\u{8}", "overwritten"),
            ("ends \u{1b}[", "ends "),
            ("Grüße 日本", "Grüße 日本"),
        ] {
            assert_eq!(clean_line(line), clean, "{line:?}");
        }
    }
}
