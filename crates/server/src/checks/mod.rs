//! What needs no server: the checks of a folder, in the command line's own process and its workers.

mod declared;
mod dependencies;
mod locked;

use std::path::{Path, PathBuf};

use lint::{Settings, WorkerCommand};
use model::advisory::MAX_AGE_SECONDS;
use model::failure::FailureCode;
use model::finding::{self, Finding};
use model::route::Route;
use model::{Failure, Timestamp};
use serde::Serialize;

pub use advisories::Database;
pub use lint::history;
pub use lint::{Cache, Listed, Sources};

/// What makes the program a worker of a check.
pub const WORKER: &str = "check-worker";

/// What a check says.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// How many files were looked at.
    pub files: usize,
    /// How many of them were known already, and not read again.
    pub known: usize,
    /// How long it took.
    pub seconds: f64,
    /// What was found, what blocks first.
    pub findings: Vec<Finding>,
    /// The app's routes.
    pub routes: Vec<Route>,
    /// What was not looked at.
    pub not_checked: Vec<NotChecked>,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotChecked {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

impl Checked {
    /// Whether anything that was found stops a run.
    pub fn blocks(&self) -> bool {
        self.findings.iter().any(|finding| finding.blocks)
    }

    /// Adds what was found elsewhere, in its place.
    pub fn add(&mut self, findings: Vec<Finding>) {
        self.findings.extend(findings);
        finding::sort(&mut self.findings);
    }
}

/// The data about known vulnerabilities that the daemon of `home` keeps, when there is some that can
/// be read and decided by.
pub fn advisories(home: &Path) -> Option<Database> {
    let database = Database::open(&home.join("advisories/index")).ok()?;
    let age = database.age_seconds(Timestamp::now())?;
    (age <= MAX_AGE_SECONDS).then_some(database)
}

/// Checks the files of an app: its code, secrets, settings and the names of its packages; known
/// vulnerabilities where there is data about them.
pub fn check(
    sources: &dyn Sources,
    cache: &dyn Cache,
    advisories: Option<&Database>,
) -> Result<Checked, Failure> {
    let worker = WorkerCommand {
        // Also when the program's file was replaced meanwhile.
        program: PathBuf::from("/proc/self/exe"),
        args: vec![WORKER.into()],
    };
    let report = lint::check(sources, &Settings::new(worker), cache);
    let report = report.map_err(|error| {
        Failure::new(FailureCode::Machine, "the folder cannot be checked")
            .because(error.to_string())
            .hint("run `mayfly doctor` to see what this machine lacks")
    })?;
    let packages = dependencies::check(sources, advisories);
    let mut checked = Checked {
        files: report.files,
        known: report.known,
        seconds: report.timing.total.as_secs_f64(),
        findings: report.findings,
        routes: report.routes,
        not_checked: packages.not_checked,
    };
    checked.add(packages.findings);
    Ok(checked)
}

/// A worker's whole life: files come in, what was seen in them goes out.
pub fn work() -> std::io::Result<()> {
    lint::worker::run()
}
