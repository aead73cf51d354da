//! The supervisors alone, for this package's tests: `supervise-for-tests <home>`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args_os().nth(1) {
        Some(home) => sandbox::supervise::main(Path::new(&home)),
        None => ExitCode::FAILURE,
    }
}
