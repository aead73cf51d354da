//! The supervisor alone, for this package's tests: `supervise-for-tests <folder>`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(folder) => sandbox::supervise::main(Path::new(&folder)),
        None => ExitCode::FAILURE,
    }
}
