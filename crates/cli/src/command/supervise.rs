//! The supervisor of one sandbox: the daemon starts it, outside every runtime.

use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sandbox's folder
    dir: PathBuf,
}

/// Keeps the sandbox until its app ends.
pub(crate) fn run(args: &Args) -> ExitCode {
    server::supervise(&args.dir)
}
