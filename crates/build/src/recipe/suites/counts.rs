//! What a suite's process wrote about its tests. Hostile: it is read with limits, and nothing in it
//! is followed.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use model::progress::clean_line;
use model::snapshot::is_clean_path;
use model::suite::{Counted, Counts, FAILURES_KEPT, FailedTest, MESSAGE_LETTERS, NAME_LETTERS};
use serde::Deserialize;

/// How much is read of all reports together.
const REPORT_BYTES: u64 = 16 * 1024 * 1024;
/// How many reports are read.
const REPORTS: usize = 64;
/// How many tests are counted.
const TESTS: u32 = 1_000_000;

/// What the reports of a suite say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) counted: Counted,
    pub(super) failures: Vec<FailedTest>,
    /// The test that began and did not end.
    pub(super) running: Option<String>,
}

/// Reads every report in a folder that a job has written.
pub(super) fn read(folder: &Path) -> Told {
    let mut tally = Tally::default();
    let mut left = REPORT_BYTES;
    for path in reports(folder) {
        let Some(text) = text_of(&path, left) else {
            tally.broken = true;
            continue;
        };
        left -= text.len() as u64;
        tally.seen = true;
        match path.extension().is_some_and(|ending| ending == "json") {
            true => tally.add_document(&text),
            false => tally.add_lines(&text),
        }
    }
    tally.told()
}

fn reports(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.truncate(REPORTS);
    paths
}

/// The text of a real file that is no longer than `most`.
fn text_of(path: &Path, most: u64) -> Option<String> {
    let about = fs::symlink_metadata(path).ok()?;
    if !about.is_file() || about.len() > most {
        return None;
    }
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(most)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// One line of a report of our own.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Test(Test),
    Start { start: String },
    End { end: bool },
}

#[derive(Debug, Deserialize)]
struct Test {
    outcome: Outcome,
    name: String,
    #[serde(default)]
    file: String,
    #[serde(default)]
    line: u32,
    #[serde(default)]
    message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Passed,
    Failed,
    #[serde(alias = "pending", alias = "todo", alias = "disabled")]
    Skipped,
    /// Of a file: a test in it was chosen alone.
    Focused,
}

/// The report that Jest writes with `--json`, and Vitest with its reporter of that name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    test_results: Vec<FileResult>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileResult {
    name: String,
    status: Outcome,
    #[serde(default)]
    message: Option<String>,
    assertion_results: Vec<Assertion>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    status: Outcome,
    full_name: String,
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Location {
    line: u32,
}

#[derive(Debug, Default)]
struct Tally {
    counts: Counts,
    failures: Vec<FailedTest>,
    running: Option<String>,
    /// There was a report.
    seen: bool,
    /// One of them has no end, or cannot be read.
    broken: bool,
}

impl Tally {
    fn add_lines(&mut self, text: &str) {
        let mut ended = false;
        for line in text.lines() {
            match serde_json::from_str(line) {
                Ok(Line::Test(test)) => {
                    ended = false;
                    self.running = None;
                    self.add(test);
                }
                Ok(Line::Start { start }) => {
                    ended = false;
                    self.running = Some(short(&start, NAME_LETTERS));
                }
                Ok(Line::End { end }) => {
                    ended = end;
                    self.running = None;
                }
                Err(_) => self.broken = true,
            }
        }
        self.broken |= !ended;
    }

    fn add_document(&mut self, text: &str) {
        let Ok(document) = serde_json::from_str::<Document>(text) else {
            self.broken = true;
            return;
        };
        for file in document.test_results {
            self.add_file(file);
        }
    }

    fn add_file(&mut self, result: FileResult) {
        let file = below_app(&result.name);
        // A file that cannot be loaded has no tests to blame.
        if result.status == Outcome::Failed
            && !result
                .assertion_results
                .iter()
                .any(|test| test.status == Outcome::Failed)
        {
            self.add(Test {
                outcome: Outcome::Failed,
                name: file.clone(),
                file: file.clone(),
                line: 0,
                message: result.message.unwrap_or_default(),
            });
        }
        for test in result.assertion_results {
            self.add(Test {
                outcome: test.status,
                name: test.full_name,
                file: file.clone(),
                line: test.location.map_or(0, |location| location.line),
                message: test.failure_messages.unwrap_or_default().join("\n"),
            });
        }
    }

    fn add(&mut self, test: Test) {
        let count = match test.outcome {
            Outcome::Passed | Outcome::Focused => &mut self.counts.passed,
            Outcome::Failed => &mut self.counts.failed,
            Outcome::Skipped => &mut self.counts.skipped,
        };
        *count = (*count + 1).min(TESTS);
        if test.outcome == Outcome::Failed && self.failures.len() < FAILURES_KEPT {
            let file = test.file.trim_start_matches("./");
            self.failures.push(FailedTest {
                name: short(&test.name, NAME_LETTERS),
                file: match is_clean_path(file) && file.len() <= NAME_LETTERS {
                    true => file.to_owned(),
                    false => String::new(),
                },
                line: test.line,
                message: message(&test.message),
            });
        }
    }

    fn told(self) -> Told {
        let counts = self.counts;
        let counted = match (self.seen, self.broken) {
            (false, _) => Counted::Missing,
            (true, true) => Counted::BrokenOff { counts },
            (true, false) => Counted::Whole { counts },
        };
        Told {
            counted,
            failures: self.failures,
            running: self.running,
        }
    }
}

fn below_app(path: &str) -> String {
    let below = path.strip_prefix("/app/").unwrap_or(path);
    below.to_owned()
}

fn short(text: &str, letters: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    clean_line(line).chars().take(letters).collect()
}

/// A message's lines, cleaned one by one. The end of a long one stays: there it says what was
/// wrong.
fn message(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(clean_line).collect();
    let text = lines.join("\n");
    let letters = text.chars().count();
    let skip = letters.saturating_sub(MESSAGE_LETTERS);
    text.chars().skip(skip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Told {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        read(folder.path())
    }

    fn counts(passed: u32, failed: u32, skipped: u32) -> Counts {
        Counts {
            passed,
            failed,
            skipped,
        }
    }

    const PASS: &str = r#"{"outcome":"passed","name":"a"}"#;
    const FAIL: &str =
        r#"{"outcome":"failed","name":"b","file":"test_a.py","line":3,"message":"x\nE y"}"#;
    const END: &str = r#"{"end":true}"#;

    #[test]
    fn a_report_is_whole_when_its_last_line_says_so() {
        let lines = |lines: &[&str]| lines.join("\n");
        for (text, counted) in [
            (
                lines(&[PASS, FAIL, END]),
                Counted::Whole {
                    counts: counts(1, 1, 0),
                },
            ),
            (
                lines(&[PASS]),
                Counted::BrokenOff {
                    counts: counts(1, 0, 0),
                },
            ),
            (
                lines(&[PASS, END, PASS]),
                Counted::BrokenOff {
                    counts: counts(2, 0, 0),
                },
            ),
            (
                lines(&[PASS, "no json", END]),
                Counted::BrokenOff {
                    counts: counts(1, 0, 0),
                },
            ),
            (
                lines(&[r#"{"end":false}"#]),
                Counted::BrokenOff {
                    counts: counts(0, 0, 0),
                },
            ),
            (
                String::new(),
                Counted::BrokenOff {
                    counts: counts(0, 0, 0),
                },
            ),
        ] {
            assert_eq!(told(&[("a.ndjson", &text)]).counted, counted, "{text}");
        }
        assert_eq!(told(&[]).counted, Counted::Missing);
    }

    #[test]
    fn one_process_that_breaks_off_breaks_the_whole_suite_off() {
        let whole = format!("{PASS}\n{END}");
        let told = told(&[("a.ndjson", &whole), ("b.ndjson", PASS)]);
        let both = counts(2, 0, 0);
        assert_eq!(told.counted, Counted::BrokenOff { counts: both });
    }

    #[test]
    fn the_test_that_did_not_end_is_named() {
        let start = serde_json::json!({ "start": "test_\u{1b}[31mwaits" });
        let text = format!("{PASS}\n{start}");
        assert_eq!(
            told(&[("a.ndjson", &text)]).running.as_deref(),
            Some("test_waits")
        );
    }

    #[test]
    fn jests_report_is_read_with_files_that_do_not_load() {
        let text = r#"{"numTotalTests":3,"testResults":[
            {"name":"/app/a.test.js","status":"failed","message":"","assertionResults":[
                {"status":"passed","fullName":"adds","failureMessages":[]},
                {"status":"pending","fullName":"later","failureMessages":[]},
                {"status":"failed","fullName":"breaks","location":{"line":4,"column":2},"failureMessages":["boom"]}]},
            {"name":"/app/b.test.js","status":"failed","message":"SyntaxError","assertionResults":[]}]}"#;
        let told = told(&[("jest.json", text)]);
        let expected = counts(1, 2, 1);
        assert_eq!(told.counted, Counted::Whole { counts: expected });
        assert_eq!(told.failures[0].to_string(), "a.test.js:4: breaks: boom");
        assert_eq!(told.failures[1].file, "b.test.js");
    }

    #[test]
    fn what_is_hostile_neither_hides_nor_grows_nor_leads_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let secret = folder.path().join("secret");
        fs::write(&secret, format!("{PASS}\n{END}")).expect("a file");
        let counts_folder = folder.path().join("counts");
        fs::create_dir(&counts_folder).expect("a folder");
        let link = counts_folder.join("a.ndjson");
        std::os::unix::fs::symlink(&secret, link).expect("a link");
        assert_eq!(read(&counts_folder).counted, Counted::Missing);

        let long = "x".repeat(10_000);
        let failing = serde_json::json!({
            "outcome": "failed", "name": format!("\u{202e}{long}"), "file": "../../etc/passwd",
            "line": 1, "message": format!("{long}\u{1b}[2J the end"),
        });
        let text = format!("{failing}\n").repeat(200) + END;
        let told = told(&[("a.ndjson", &text)]);
        assert_eq!(told.failures.len(), FAILURES_KEPT);
        let first = &told.failures[0];
        assert_eq!(first.name, "x".repeat(NAME_LETTERS));
        assert_eq!(first.file, "");
        assert_eq!(first.message.chars().count(), MESSAGE_LETTERS);
        assert!(first.message.ends_with(" the end"), "{}", first.message);
    }

    #[test]
    fn a_report_that_is_too_large_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join("a.ndjson")).expect("a file");
        file.set_len(REPORT_BYTES + 1).expect("a length");
        assert_eq!(read(folder.path()).counted, Counted::Missing);
    }
}
