//! Builds apps with real bases, tools, registries and sandboxes, and asks what runs on them.
//!
//! Needs root and the network. The supervisor of the sandboxes is this program itself, which must
//! have one thread then: so there is no test harness. Arguments name the tests to run; the variable
//! `MAYFLY_TEST_CACHE` names a folder whose caches are kept between runs.

mod admission;
mod answer;
mod bench;
mod cases;
mod own_tests;

use std::path::Path;
use std::process::ExitCode;

/// The first argument of a supervisor.
const SUPERVISE: &str = "supervise";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    if first.as_deref() == Some(SUPERVISE) {
        let folder = args.next().unwrap_or_default();
        return sandbox::supervise::main(Path::new(&folder));
    }
    let names: Vec<String> = first
        .into_iter()
        .chain(args)
        .filter(|name| !name.starts_with('-'))
        .collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(cases::run(&names))
}
