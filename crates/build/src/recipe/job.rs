//! Build commands in sandboxes: their lines go to the one who waits, their ends become failures.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use model::failure::{Failure, FailureCode};
use model::instance::Exit;
use model::limits::{BuildLimits, GIB};
use model::progress::{Stream, clean_line};
use ports::ProgressSink;
use ports::workshop::{Access, Bind, Job, JobEnd, JobReport, Network, Workshop};

/// How many of a command's last lines become causes of its failure.
const LAST_LINES: usize = 12;
/// How many lines are remembered to find the reason in.
const REMEMBERED: usize = 200;
/// The longest line that is remembered, in characters.
const LINE_LETTERS: usize = 500;

/// Where jobs find mayfly's own programs.
pub(super) const PROGRAMS: &str = "/mayfly";

/// One command, described by what differs between commands.
#[derive(Debug, Clone)]
pub(super) struct Command<'a> {
    /// What people read while it runs: `install 12 packages`.
    pub(super) step: &'a str,
    /// Unpacked layers, lowest first.
    pub(super) layers: Vec<PathBuf>,
    /// Folders and files of the machine that it sees.
    pub(super) binds: Vec<Bind>,
    /// A shell script; it ends at the first command that fails.
    pub(super) script: &'a str,
    /// Its environment beside `PATH` and `HOME`.
    pub(super) env: BTreeMap<String, String>,
    /// Where it starts.
    pub(super) workdir: &'a str,
    /// What it reaches.
    pub(super) network: Network,
}

/// How a command ended, and what it said.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) report: JobReport,
    /// Its last lines, cleaned.
    pub(super) lines: Vec<String>,
}

/// Runs commands for one build.
#[derive(Clone, Copy)]
pub(super) struct Runner<'a> {
    pub(super) workshop: &'a dyn Workshop,
    pub(super) progress: &'a dyn ProgressSink,
    pub(super) limits: BuildLimits,
}

/// A folder that a command reads.
pub(super) fn read(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Bind {
    Bind {
        source: source.into(),
        target: target.into(),
        access: Access::Read,
    }
}

/// A folder that a command writes.
pub(super) fn write(source: impl Into<PathBuf>, target: impl Into<PathBuf>) -> Bind {
    Bind {
        source: source.into(),
        target: target.into(),
        access: Access::Write,
    }
}

impl Runner<'_> {
    /// Runs a command to its end. Fails only when no verdict on the app is possible, or when a
    /// limit was reached.
    pub(super) async fn run(&self, command: Command<'_>) -> Result<Done, Failure> {
        let step = command.step;
        let done = self.observe(command).await?;
        match self.limit_reached(step, &done) {
            Some(failure) => Err(failure),
            None => Ok(done),
        }
    }

    /// Runs a command to its end, whatever that is. Fails only when the sandbox does.
    pub(super) async fn observe(&self, command: Command<'_>) -> Result<Done, Failure> {
        self.progress.step_started(command.step);
        let began = Instant::now();
        let lines = Mutex::new(VecDeque::new());
        let sink = |stream: Stream, line: &str| {
            let line: String = clean_line(line).chars().take(LINE_LETTERS).collect();
            self.progress.line(stream, &line);
            let Ok(mut lines) = lines.lock() else { return };
            if lines.len() == REMEMBERED {
                lines.pop_front();
            }
            lines.push_back(line);
        };
        let report = self.workshop.run(self.job(&command), &sink).await;
        let report = report.map_err(|error| Failure::of(&error))?;
        let lines = lines.into_inner().unwrap_or_default().into();
        let done = Done { report, lines };
        if done.report.succeeded() {
            let seconds = began.elapsed().as_secs_f64();
            self.progress.step_done(command.step, seconds, false);
        }
        Ok(done)
    }

    fn job(&self, command: &Command<'_>) -> Job {
        let mut env = command.env.clone();
        let mut default = |name: &str, value: &str| {
            env.entry(name.to_owned())
                .or_insert_with(|| value.to_owned());
        };
        default("PATH", "/usr/local/bin:/usr/bin:/bin");
        default("HOME", "/tmp");
        default("LANG", "C.UTF-8");
        default("NO_COLOR", "1");
        Job {
            layers: command.layers.clone(),
            binds: command.binds.clone(),
            command: vec!["/bin/sh".into(), "-ec".into(), command.script.to_owned()],
            env,
            workdir: command.workdir.into(),
            network: command.network.clone(),
            limits: self.limits,
        }
    }

    fn limit_reached(&self, step: &str, done: &Done) -> Option<Failure> {
        let gib = |bytes: u64| bytes.div_ceil(GIB);
        let (what, hint) = match done.report.end {
            JobEnd::TimedOut => (
                format!("took longer than {} seconds", self.limits.seconds),
                format!(
                    "set `timeout = {}` under [build] in mayfly.toml",
                    self.limits.seconds * 2
                ),
            ),
            JobEnd::DiskLimit => (
                format!("wrote more than {} GiB", gib(self.limits.disk_bytes)),
                format!(
                    "set `disk = \"{} GiB\"` under [build] in mayfly.toml",
                    gib(self.limits.disk_bytes) * 2
                ),
            ),
            JobEnd::Exit(Exit::OutOfMemory) => (
                format!(
                    "needed more than {} GiB of memory",
                    gib(self.limits.memory_bytes)
                ),
                format!(
                    "set `memory = \"{} GiB\"` under [build] in mayfly.toml",
                    gib(self.limits.memory_bytes) * 2
                ),
            ),
            JobEnd::Exit(_) => return None,
        };
        let failure = Failure::new(FailureCode::BuildLimit, format!("`{step}` {what}"));
        Some(done.explain(failure).hint(hint))
    }
}

impl Done {
    /// The failure of a command of the app's own.
    pub(super) fn build_failed(&self, command: &str) -> Failure {
        let how = match self.report.end {
            JobEnd::Exit(exit) => exit.to_string(),
            JobEnd::TimedOut | JobEnd::DiskLimit => "was stopped".to_owned(),
        };
        let failure = Failure::new(
            FailureCode::BuildFailed,
            format!("`{command}` failed: it {how}"),
        );
        let failure = self.explain(failure);
        match self.report.denied.first() {
            Some(denied) => {
                let host = denied.host.clone();
                failure
                    .because(format!("it asked for {host}, and a build has no network"))
                    .hint("commit the file that it downloads to the folder, or set `command` under [build] in mayfly.toml")
            }
            None => failure.hint(format!(
                "run `{command}` on your machine to see the same, or set `command` under [build] in mayfly.toml"
            )),
        }
    }

    /// Adds the command's last lines as causes.
    pub(super) fn explain(&self, mut failure: Failure) -> Failure {
        let said = self.lines.iter().filter(|line| !line.trim().is_empty());
        let said: Vec<&String> = said.collect();
        let last = said.len().saturating_sub(LAST_LINES);
        failure
            .cause
            .extend(said[last..].iter().map(|line| (*line).clone()));
        failure
    }

    /// Whether one of its lines has one of `words`.
    pub(super) fn says_any(&self, words: &[&str]) -> bool {
        let has = |line: &String| words.iter().any(|word| line.contains(word));
        self.lines.iter().any(has)
    }
}

/// Words of installers for which the network is to blame and not the app.
const NETWORK_WORDS: [&str; 16] = [
    "error sending request",
    "Could not connect",
    "dns error",
    "Connection refused",
    "ConnectionRefused",
    "connection closed",
    "ConnectionClosed",
    "timed out",
    "Request failed after",
    "tunnel error",
    "Temporary failure in name resolution",
    "FailedToOpenSocket",
    "UnableToConnect",
    "502 Bad Gateway",
    "503 Service Unavailable",
    "invalid peer certificate",
];

/// The failure of an installer that did not reach its registry; `None` when it did.
pub(super) fn network_failure(done: &Done, registry: &str) -> Option<Failure> {
    done.says_any(&NETWORK_WORDS).then(|| {
        let failure = Failure::new(
            FailureCode::Network,
            format!("the {registry} registry did not answer"),
        );
        done.explain(failure)
            .hint("run `mayfly doctor` to see which hosts this machine reaches")
            .retryable()
    })
}

/// Binds a program of the machine to `/mayfly/<name>`.
pub(super) fn program(path: &Path, name: &str) -> Bind {
    read(path, format!("{PROGRAMS}/{name}"))
}
