//! `mayfly completion`: the Tab key knows mayfly.

use clap_complete::Shell;

use crate::exit::Exit;
use crate::face;

#[derive(Debug, clap::Args)]
#[command(after_help = "For bash: mayfly completion bash | sudo tee /etc/bash_completion.d/mayfly")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &Args, mut command: clap::Command) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "mayfly", &mut script);
    face::line(String::from_utf8_lossy(&script).trim_end());
    Exit::Ok
}
