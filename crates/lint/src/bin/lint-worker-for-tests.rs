//! The program that reads files, for this crate's own tests. `mayfly` is its own worker.

use std::process::ExitCode;

fn main() -> ExitCode {
    match lint::worker::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
