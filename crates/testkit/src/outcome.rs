//! What a command printed, and how it ended.

use std::process::Output;

use model::Failure;
use model::progress::{Progress, RunResult};
use serde_json::Value;

/// A command that ended.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl From<Output> for Command {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Command {
    /// Itself, when it ended well.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(
            self.code, 0,
            "exit {}, stdout:\n{}\nstderr:\n{}",
            self.code, self.stdout, self.stderr
        );
        self
    }

    /// Its standard output as one JSON value.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// An `up --json` that ended.
#[derive(Debug, Clone)]
pub struct Up {
    /// Its exit code.
    pub code: i32,
    /// Every line that it printed.
    pub events: Vec<Progress>,
    /// What it printed to standard error.
    pub stderr: String,
    /// The last line as it was printed.
    pub last_line: String,
}

impl From<Command> for Up {
    fn from(command: Command) -> Self {
        let events = command
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        let last_line = command.stdout.lines().last().unwrap_or_default().to_owned();
        Self {
            code: command.code,
            events,
            stderr: command.stderr,
            last_line,
        }
    }
}

impl Up {
    /// The result line.
    ///
    /// # Panics
    /// When the run had none.
    #[track_caller]
    pub fn result(&self) -> RunResult {
        match self.events.last() {
            Some(Progress::Result(result)) => (**result).clone(),
            _ => panic!(
                "no result: exit {}, {}\n{}",
                self.code, self.last_line, self.stderr
            ),
        }
    }

    /// The result of a run that must have promoted its release.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn promoted(&self) -> RunResult {
        let result = self.result();
        assert_eq!(
            (self.code, result.outcome.as_str()),
            (0, "promoted"),
            "{result:#?}\n{}",
            self.log()
        );
        result
    }

    /// Why it failed.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn failure(&self) -> Failure {
        let failure = match self.events.last() {
            Some(Progress::Result(result)) => result.error.clone(),
            Some(Progress::Error { error }) => Some(error.clone()),
            _ => None,
        };
        failure.unwrap_or_else(|| {
            panic!(
                "no failure: exit {}, {}\n{}",
                self.code, self.last_line, self.stderr
            )
        })
    }

    /// Every sentence for the user.
    pub fn notices(&self) -> Vec<String> {
        let notice = |event: &Progress| match event {
            Progress::Notice { text } => Some(text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(notice).collect()
    }

    /// What build commands and the app printed.
    pub fn log(&self) -> String {
        let line = |event: &Progress| match event {
            Progress::Log { line, .. } => Some(line.clone()),
            _ => None,
        };
        self.events
            .iter()
            .filter_map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }
}
