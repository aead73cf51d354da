//! What the tests have in common: apps in memory, checked by a real worker.

use std::fs;
use std::path::Path;

use lint::{InMemory, NoCache, Report, Settings, WorkerCommand};

/// Settings with this crate's own worker.
pub(crate) fn settings() -> Settings {
    let program = env!("CARGO_BIN_EXE_lint-worker-for-tests").into();
    Settings::new(WorkerCommand {
        program,
        args: vec![],
    })
}

/// Checks an app.
pub(crate) fn check(files: Vec<(String, Vec<u8>)>) -> Report {
    lint::check(&InMemory(files), &settings(), &NoCache).expect("a report")
}

/// Every file below a folder, by its path there.
#[allow(dead_code, reason = "not every test reads folders")]
pub(crate) fn folder(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(root).sort_by_file_name() {
        let entry = entry.expect("a folder that can be read");
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(root).expect("below the root");
            let bytes = fs::read(entry.path()).expect("a file that can be read");
            files.push((path.to_string_lossy().into_owned(), bytes));
        }
    }
    files
}
