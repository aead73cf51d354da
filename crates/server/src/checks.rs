//! What needs no server: the checks of a folder, in the command line's own process and its workers.

use std::path::{Path, PathBuf};

use lint::{Folder, Listed, NoCache, Settings, WorkerCommand};
use model::Failure;
use model::failure::FailureCode;
use model::finding::Finding;
use model::route::Route;
use serde::Serialize;

/// What makes the program a worker of a check.
pub const WORKER: &str = "check-worker";

/// What a check says.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// How many files were looked at.
    pub files: usize,
    /// How long it took.
    pub seconds: f64,
    /// What was found, what blocks first.
    pub findings: Vec<Finding>,
    /// The app's routes.
    pub routes: Vec<Route>,
}

/// Checks `files` of the folder `root`.
pub fn check(root: &Path, files: Vec<String>) -> Result<Checked, Failure> {
    let listed = |path: String| Listed {
        size_bytes: std::fs::metadata(root.join(&path)).map_or(0, |metadata| metadata.len()),
        path,
        digest: None,
        is_tracked: None,
    };
    let folder = Folder {
        root: root.to_owned(),
        files: files.into_iter().map(listed).collect(),
    };
    let worker = WorkerCommand {
        // Also when the program's file was replaced meanwhile.
        program: PathBuf::from("/proc/self/exe"),
        args: vec![WORKER.into()],
    };
    let report = lint::check(&folder, &Settings::new(worker), &NoCache);
    let report = report.map_err(|error| {
        Failure::new(FailureCode::Machine, "the folder cannot be checked")
            .because(error.to_string())
            .hint("run `mayfly doctor` to see what this machine lacks")
    })?;
    Ok(Checked {
        files: folder.files.len(),
        seconds: report.timing.total.as_secs_f64(),
        findings: report.findings,
        routes: report.routes,
    })
}

/// A worker's whole life: files come in, what was seen in them goes out.
pub fn work() -> std::io::Result<()> {
    lint::worker::run()
}
