//! An app's own tests: what they said, and what that counts for.
//!
//! Tests run in the process that reports on them, so their report is a claim. It counts only as far
//! as the end of that process agrees with it: no report is no success, and neither is a report
//! without a failure from a process that failed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::failure::{Failure, FailureCode};
use crate::finding::{Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Gate, Place};
use crate::finding::{Severity, stamp};
use crate::instance::Exit;

/// How many failed tests are kept of each suite; the others are only counted.
pub const FAILURES_KEPT: usize = 50;
/// How much of a failure's message is kept, in characters.
pub const MESSAGE_LETTERS: usize = 2_000;
/// How much of a test's name is kept, in characters.
pub const NAME_LETTERS: usize = 300;

/// What runs tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framework {
    /// Python's pytest.
    Pytest,
    /// Python's own, Django's tests among them.
    Unittest,
    /// Node's own: `node --test`.
    NodeTest,
    /// Vitest.
    Vitest,
    /// Jest.
    Jest,
    /// A command whose tests nobody can count: its exit status is one test.
    Script,
}

impl Framework {
    /// As people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::Unittest => "unittest",
            Self::NodeTest => "node --test",
            Self::Vitest => "vitest",
            Self::Jest => "jest",
            Self::Script => "script",
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the process of a suite ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum SuiteEnd {
    /// By itself, by a signal, or for its memory.
    Ended {
        /// How.
        exit: Exit,
    },
    /// Its time was up.
    TimedOut {
        /// The time that it had.
        seconds: u32,
    },
    /// It wrote more than it may.
    DiskLimit,
}

impl SuiteEnd {
    /// Whether it ended with status 0.
    pub fn succeeded(self) -> bool {
        self == Self::Ended {
            exit: Exit::Code { code: 0 },
        }
    }
}

impl fmt::Display for SuiteEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { exit } => exit.fmt(f),
            Self::TimedOut { seconds } => write!(f, "took longer than {seconds} seconds"),
            Self::DiskLimit => f.write_str("wrote more than it may"),
        }
    }
}

/// One test that failed, as it was reported. Cleaned and cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedTest {
    /// Its name, with what it is part of.
    pub name: String,
    /// Relative to the app's folder; empty when it is not known.
    pub file: String,
    /// From 1; 0 when it is not known.
    pub line: u32,
    /// What it said.
    pub message: String,
}

/// How many tests came to which end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Those that passed.
    pub passed: u32,
    /// Those that failed, files that could not be loaded among them.
    pub failed: u32,
    /// Those that were not run.
    pub skipped: u32,
}

/// What was reported about a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Counted {
    /// The report is whole.
    Whole {
        /// Its numbers.
        counts: Counts,
    },
    /// The report breaks off: the process ended before it was done.
    BrokenOff {
        /// The numbers up to there.
        counts: Counts,
    },
    /// There is no report that can be read.
    Missing,
    /// Nobody reports on this kind of suite.
    Uncounted,
}

/// One run of one framework in one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// What ran the tests.
    pub framework: Framework,
    /// What a person would type to run them.
    pub command: String,
    /// Where, in the app's folder; empty for that folder itself.
    pub folder: String,
    /// What was reported.
    pub counted: Counted,
    /// The first of those that failed.
    pub failures: Vec<FailedTest>,
    /// The test that was running when the process ended, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<String>,
    /// How its process ended.
    pub end: SuiteEnd,
    /// The last lines that it printed, cleaned.
    pub said: Vec<String>,
    /// How long it took, in milliseconds.
    pub millis: u64,
}

/// What a suite, or all of them, came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteVerdict {
    /// Tests ran, and none failed.
    Passed,
    /// No test ran.
    Empty,
    /// Nobody knows how many ran: that is no success.
    Inconclusive,
    /// A test failed, or the process did.
    Failed,
}

impl Suite {
    /// How many tests came to which end, so far as is known. A script is one test.
    pub fn counts(&self) -> Counts {
        match self.counted {
            Counted::Whole { counts } | Counted::BrokenOff { counts } => counts,
            Counted::Missing => Counts::default(),
            Counted::Uncounted if self.end.succeeded() => Counts {
                passed: 1,
                ..Counts::default()
            },
            Counted::Uncounted => Counts {
                failed: 1,
                ..Counts::default()
            },
        }
    }

    /// What it came to: the worse of what was reported and how the process ended.
    pub fn verdict(&self) -> SuiteVerdict {
        let counts = self.counts();
        let ran = counts.passed + counts.failed;
        match self.counted {
            _ if counts.failed > 0 => SuiteVerdict::Failed,
            Counted::Whole { .. } if ran == 0 && self.ended_without_tests() => SuiteVerdict::Empty,
            _ if !self.end.succeeded() => SuiteVerdict::Failed,
            Counted::Missing | Counted::BrokenOff { .. } => SuiteVerdict::Inconclusive,
            Counted::Whole { .. } | Counted::Uncounted => SuiteVerdict::Passed,
        }
    }

    /// Some frameworks exit with a status of their own when there is no test.
    ///
    /// Source: pytest's documentation, "Exit codes"; Vitest and Jest exit with 1.
    fn ended_without_tests(&self) -> bool {
        let SuiteEnd::Ended {
            exit: Exit::Code { code },
        } = self.end
        else {
            return false;
        };
        match self.framework {
            Framework::Pytest | Framework::Unittest => [0, 5].contains(&code),
            Framework::NodeTest | Framework::Script => code == 0,
            Framework::Vitest | Framework::Jest => [0, 1].contains(&code),
        }
    }

    /// In one line, for people: `pytest: 12 passed, 1 failed`.
    pub fn summary(&self) -> String {
        let counts = self.counts();
        let place = match self.folder.as_str() {
            "" => String::new(),
            folder => format!(" in {folder}"),
        };
        let mut parts = vec![format!("{} passed", counts.passed)];
        for (number, what) in [(counts.failed, "failed"), (counts.skipped, "skipped")] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        if self.counted == Counted::Missing {
            parts = vec!["nothing was reported".to_owned()];
        }
        if !self.end.succeeded() && counts.failed == 0 {
            parts.push(format!("it {}", self.end));
        }
        format!("{}{place}: {}", self.framework, parts.join(", "))
    }
}

/// What became of an app's own tests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestReport {
    /// Each suite that was found.
    pub suites: Vec<Suite>,
    /// What the user should know: tests that nothing here can run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl TestReport {
    /// What the tests came to: the worst suite decides, and no suite is [`SuiteVerdict::Empty`]. One
    /// that has no tests does not count beside one that has some.
    pub fn verdict(&self) -> SuiteVerdict {
        let verdicts: Vec<SuiteVerdict> = self.suites.iter().map(Suite::verdict).collect();
        let worst = verdicts.iter().max().copied();
        match worst {
            Some(SuiteVerdict::Empty) if verdicts.contains(&SuiteVerdict::Passed) => {
                SuiteVerdict::Passed
            }
            Some(worst) => worst,
            None => SuiteVerdict::Empty,
        }
    }

    /// How many tests there were, those that were skipped included.
    pub fn total(&self) -> u32 {
        let all = self.suites.iter().map(Suite::counts);
        all.map(|counts| counts.passed + counts.failed + counts.skipped)
            .sum()
    }

    /// How many passed.
    pub fn passed(&self) -> u32 {
        self.suites.iter().map(|suite| suite.counts().passed).sum()
    }

    /// How many failed.
    pub fn failed(&self) -> u32 {
        self.suites.iter().map(|suite| suite.counts().failed).sum()
    }

    /// The failure that ends a run: `None` when tests passed or there are none.
    pub fn failure(&self) -> Option<Failure> {
        let verdict = self.verdict();
        let bad = self
            .suites
            .iter()
            .find(|suite| suite.verdict() == verdict)?;
        let (message, hint) = match verdict {
            SuiteVerdict::Passed | SuiteVerdict::Empty => return None,
            SuiteVerdict::Failed => (self.what_failed(bad), bad.remedy()),
            SuiteVerdict::Inconclusive => (
                format!(
                    "`{}` ended with status 0 before its tests were done",
                    bad.command
                ),
                "take out what ends the process early (`os._exit`, `process.exit`), or set `command` under [tests] in mayfly.toml".to_owned(),
            ),
        };
        let mut failure = Failure::new(FailureCode::TestsFailed, message).hint(hint);
        if bad.failures.is_empty() {
            failure.cause.clone_from(&bad.said);
        }
        for failed in self
            .suites
            .iter()
            .flat_map(|suite| &suite.failures)
            .take(10)
        {
            failure.cause.push(failed.to_string());
        }
        failure.findings = self.findings();
        Some(failure)
    }

    fn what_failed(&self, bad: &Suite) -> String {
        match self.failed() {
            0 => format!("`{}` failed: it {}", bad.command, bad.end),
            1 => format!("1 of {} tests failed", self.total()),
            failed => format!("{failed} of {} tests failed", self.total()),
        }
    }

    /// What the tests show, one finding for each that failed: these stop a run, and their lack warns.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.suites.iter().flat_map(Suite::findings).collect();
        if self.verdict() == SuiteVerdict::Empty {
            findings.push(no_tests());
        }
        stamp(&mut findings);
        findings
    }
}

impl Suite {
    fn findings(&self) -> Vec<Finding> {
        let verdict = self.verdict();
        if verdict < SuiteVerdict::Inconclusive {
            return vec![];
        }
        if self.failures.is_empty() {
            let why = match verdict {
                SuiteVerdict::Inconclusive => {
                    "The tests ended before they were done, so nobody knows whether the app works."
                        .to_owned()
                }
                _ => format!(
                    "The app's tests do not run to their end: `{}` {}.",
                    self.command, self.end
                ),
            };
            let rule = match self.end {
                SuiteEnd::TimedOut { .. } => "test-timeout",
                SuiteEnd::Ended {
                    exit: Exit::OutOfMemory,
                } => "test-memory",
                _ if verdict == SuiteVerdict::Inconclusive => "tests-inconclusive",
                _ => "tests-failed",
            };
            let snippet = self.running.clone().unwrap_or_default();
            return vec![finding(rule, &why, &self.remedy(), &snippet)];
        }
        let each = self.failures.iter().map(|failed| Finding {
            file: failed.file.clone(),
            line: failed.line,
            column: u32::from(failed.line > 0),
            end: Place {
                line: failed.line,
                column: u32::from(failed.line > 0),
            },
            ..finding(
                "test-failed",
                "The app does not do what its own test expects.",
                &self.remedy(),
                &format!("{}: {}", failed.name, gist(&failed.message)),
            )
        });
        each.collect()
    }

    /// What helps when it failed.
    fn remedy(&self) -> String {
        match self.end {
            SuiteEnd::TimedOut { seconds } => format!(
                "make {} end, or set `timeout = {}` under [tests] in mayfly.toml",
                self.running.as_deref().unwrap_or("the tests"),
                seconds * 2
            ),
            SuiteEnd::Ended {
                exit: Exit::OutOfMemory,
            } => format!(
                "make {} use less, or set `memory = \"1 GiB\"` under [tests] in mayfly.toml",
                self.running.as_deref().unwrap_or("the tests")
            ),
            _ => {
                let place = match self.folder.as_str() {
                    "" => String::new(),
                    folder => format!(" in {folder}"),
                };
                format!(
                    "run `{}`{place} on your machine to see the same, then correct the app or the test",
                    self.command
                )
            }
        }
    }
}

impl fmt::Display for FailedTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.line > 0 {
                write!(f, ":{}", self.line)?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}: {}", self.name, gist(&self.message))
    }
}

/// The line of a message that says most: what pytest marks, the error above a stack of calls, or
/// else the last one.
fn gist(message: &str) -> &str {
    let lines = || message.lines().filter(|line| !line.trim().is_empty());
    let marked = lines().find(|line| line.starts_with("E  "));
    if let Some(marked) = marked {
        return marked[1..].trim();
    }
    let has_stack = lines().any(|line| line.starts_with("    at "));
    let said = match has_stack {
        true => lines().next(),
        false => lines().next_back(),
    };
    said.unwrap_or_default().trim()
}

fn no_tests() -> Finding {
    Finding {
        severity: Severity::Low,
        blocks: false,
        ..finding(
            "no-tests",
            "Nothing checks that the app still works after a change.",
            "run `mayfly init` to add a first set of tests",
            "",
        )
    }
}

fn finding(rule: &str, why: &str, next: &str, snippet: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint(String::new()),
        gate: Gate::Tests,
        rule_id: rule.to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        blocks: true,
        cwe: None,
        file: String::new(),
        line: 0,
        column: 0,
        end: Place::default(),
        snippet: snippet.to_owned(),
        trace: vec![],
        why: why.to_owned(),
        fix: Some(Fix {
            kind: FixKind::Advice,
            safety: FixSafety::Review,
            from: String::new(),
            to: next.to_owned(),
            patch: None,
            file_digest: None,
        }),
        purl: None,
        path: vec![],
        aliases: vec![],
        introduced_by_this_change: None,
        retryable: false,
        next: next.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(framework: Framework, counted: Counted, end: SuiteEnd) -> Suite {
        Suite {
            framework,
            command: framework.to_string(),
            folder: String::new(),
            counted,
            failures: vec![],
            running: None,
            end,
            said: vec!["a line".into()],
            millis: 10,
        }
    }

    const fn code(code: i32) -> SuiteEnd {
        SuiteEnd::Ended {
            exit: Exit::Code { code },
        }
    }

    const fn whole(passed: u32, failed: u32, skipped: u32) -> Counted {
        Counted::Whole {
            counts: Counts {
                passed,
                failed,
                skipped,
            },
        }
    }

    #[test]
    fn a_report_counts_only_as_far_as_the_process_agrees() {
        use Framework::{Jest, NodeTest, Pytest, Script, Unittest};
        use SuiteVerdict as V;
        let broken_off = Counted::BrokenOff {
            counts: Counts {
                passed: 3,
                ..Counts::default()
            },
        };
        let timed_out = SuiteEnd::TimedOut { seconds: 120 };
        let out_of_memory = SuiteEnd::Ended {
            exit: Exit::OutOfMemory,
        };
        for (framework, counted, end, verdict) in [
            (Pytest, whole(3, 0, 0), code(0), V::Passed),
            (Pytest, whole(3, 0, 0), code(1), V::Failed),
            (Pytest, whole(2, 1, 0), code(1), V::Failed),
            (Pytest, whole(2, 1, 0), code(0), V::Failed),
            (Pytest, whole(0, 0, 0), code(5), V::Empty),
            (Pytest, whole(0, 0, 2), code(0), V::Empty),
            (Pytest, whole(0, 0, 0), code(4), V::Failed),
            (Pytest, Counted::Missing, code(0), V::Inconclusive),
            (Pytest, Counted::Missing, code(2), V::Failed),
            (Pytest, broken_off, code(0), V::Inconclusive),
            (Pytest, broken_off, timed_out, V::Failed),
            (Pytest, whole(3, 0, 0), out_of_memory, V::Failed),
            (Unittest, whole(0, 0, 0), code(5), V::Empty),
            (NodeTest, whole(0, 0, 0), code(0), V::Empty),
            (NodeTest, whole(0, 0, 0), code(1), V::Failed),
            (NodeTest, whole(1, 0, 0), SuiteEnd::DiskLimit, V::Failed),
            (Jest, whole(0, 0, 0), code(1), V::Empty),
            (Script, Counted::Uncounted, code(0), V::Passed),
            (Script, Counted::Uncounted, code(1), V::Failed),
        ] {
            let suite = suite(framework, counted, end);
            assert_eq!(suite.verdict(), verdict, "{suite:?}");
        }
    }

    #[test]
    fn the_worst_suite_decides_and_no_suite_is_no_test() {
        let passed = suite(Framework::Pytest, whole(1, 0, 0), code(0));
        let empty = suite(Framework::NodeTest, whole(0, 0, 0), code(0));
        let failed = suite(Framework::Jest, whole(4, 2, 1), code(1));
        let report = |suites: &[&Suite]| TestReport {
            suites: suites.iter().copied().cloned().collect(),
            notes: vec![],
        };
        for (suites, verdict, findings) in [
            (vec![], SuiteVerdict::Empty, vec!["no-tests"]),
            (vec![&passed, &empty], SuiteVerdict::Passed, vec![]),
            (vec![&empty], SuiteVerdict::Empty, vec!["no-tests"]),
            (
                vec![&passed, &failed],
                SuiteVerdict::Failed,
                vec!["tests-failed"],
            ),
        ] {
            let report = report(&suites);
            assert_eq!(report.verdict(), verdict);
            let rules = report.findings();
            let rules: Vec<&str> = rules.iter().map(|f| f.rule_id.as_str()).collect();
            assert_eq!(rules, findings);
            let fails = verdict == SuiteVerdict::Failed;
            assert_eq!(report.failure().is_some(), fails);
        }
        let both = report(&[&passed, &failed]);
        assert_eq!((both.total(), both.passed(), both.failed()), (8, 5, 2));
        let failure = both.failure().expect("a failure");
        assert_eq!(failure.code, FailureCode::TestsFailed);
        assert_eq!(failure.message, "2 of 8 tests failed");
    }

    #[test]
    fn a_failed_test_is_a_finding_where_it_stands() {
        let mut failed = suite(Framework::Pytest, whole(0, 1, 0), code(1));
        failed.failures.push(FailedTest {
            name: "test_adds".into(),
            file: "tests/test_app.py".into(),
            line: 7,
            message: "def test_adds():\n>   assert 1 == 2\nE   assert 1 == 2\n\ntest_app.py:7: AssertionError".into(),
        });
        let report = TestReport {
            suites: vec![failed],
            notes: vec![],
        };
        let finding = &report.findings()[0];
        assert!(finding.blocks && finding.gate == Gate::Tests);
        assert_eq!(
            (finding.file.as_str(), finding.line),
            ("tests/test_app.py", 7)
        );
        assert_eq!(finding.snippet, "test_adds: assert 1 == 2");
        let failure = report.failure().expect("a failure");
        assert_eq!(
            failure.cause,
            ["tests/test_app.py:7: test_adds: assert 1 == 2"]
        );
    }

    #[test]
    fn the_line_that_says_most_is_shown() {
        for (message, line) in [
            (
                "def f():\nE   assert 1\nE   where 1\n\na.py:3: AssertionError",
                "assert 1",
            ),
            (
                "AssertionError: 2 !== 3\n    at Test (a.js:5:3)\n",
                "AssertionError: 2 !== 3",
            ),
            ("Traceback:\n  File x\nValueError: bad\n", "ValueError: bad"),
            ("", ""),
        ] {
            assert_eq!(gist(message), line);
        }
    }

    #[test]
    fn an_endless_test_is_named_with_what_helps() {
        let mut endless = suite(
            Framework::Pytest,
            Counted::BrokenOff {
                counts: Counts::default(),
            },
            SuiteEnd::TimedOut { seconds: 120 },
        );
        endless.running = Some("test_waits".into());
        let report = TestReport {
            suites: vec![endless],
            notes: vec![],
        };
        let failure = report.failure().expect("a failure");
        assert_eq!(
            failure.message,
            "`pytest` failed: it took longer than 120 seconds"
        );
        assert_eq!(
            failure.hint.as_deref(),
            Some("make test_waits end, or set `timeout = 240` under [tests] in mayfly.toml")
        );
        assert_eq!(report.findings()[0].rule_id, "test-timeout");
    }
}
