//! `mayfly`: a folder becomes a running app at a URL. This file parses and calls.

mod app_choice;
mod command;
mod daemon;
mod exit;
mod face;
mod folder;
mod memory;
mod witness;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use model::failure::{Failure, FailureCode};

use exit::Exit;
use face::Reader;

/// Turns a folder into a running app at a URL.
#[derive(Debug, Parser)]
#[command(name = "mayfly", version, disable_help_subcommand = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Start with `mayfly up` in the folder of an app. Settings go into mayfly.toml (see `mayfly schema`).

Environment:
  MAYFLY_HOME     where the daemon keeps apps and their data [default: /var/lib/mayfly]
  XDG_CACHE_HOME  where hashes of your files are kept [default: ~/.cache]
  NO_COLOR        no colours, when set

Exit codes:
  0 done             1 build or app failed    2 wrong arguments or folder
  3 stopped by gate  4 not allowed            5 more than allowed
  6 rolled back     10 plan differs          75 temporary, try again";

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the app in a folder up, or its changes live
    Up(command::up::Args),
    /// Show what `up` would do with a folder, and why
    Plan(command::plan::Args),
    /// Look for what is wrong in a folder: code, secrets, settings
    Check(command::check::Args),
    /// Write first settings and tests for the app in a folder
    Init(command::init::Args),
    /// Show how an app does
    Status(command::status::Args),
    /// Show all apps
    List(command::list::Args),
    /// Show what an app printed
    Logs(command::logs::Args),
    /// Print an app's URL and open it in the browser
    Open(command::open::Args),
    /// Go back to an earlier release
    Rollback(command::rollback::Args),
    /// Show what is in an app's image
    Sbom(command::sbom::Args),
    /// Check everything that was signed about an image
    Verify(command::verify::Args),
    /// Copy an app's image, with all that vouches for it, to another registry
    Push(command::push::Args),
    /// Show what happened, and whether the record of it is whole
    Audit(command::audit::Args),
    /// The keys that images are signed with
    Key(command::key::Args),
    /// Tokens for the registry
    Token(command::token::Args),
    /// Let something pass for a while that a gate stops
    Exempt(command::exempt::Args),
    /// The data about known vulnerabilities
    Db(command::db::Args),
    /// The policy that decides what may serve
    Policy(command::policy::Args),
    /// Remove an app; it can be restored for 72 hours
    Destroy(command::destroy::Args),
    /// Bring a destroyed app back
    Restore(command::restore::Args),
    /// Run the daemon that keeps the apps
    Serve(command::serve::Args),
    /// End the daemon and its apps
    Stop(command::stop::Args),
    /// Check whether this machine has what mayfly needs
    Doctor(command::doctor::Args),
    /// Print the JSON schema of mayfly.toml, for editors
    Schema,
    /// Print the completion script for a shell
    Completion(command::completion::Args),
    /// Read files for a check (started by it)
    #[command(name = server::checks::WORKER, hide = true)]
    CheckWorker,
    /// Keep one sandbox (started by the daemon)
    #[command(hide = true)]
    Supervise(command::supervise::Args),
}

fn main() -> ExitCode {
    memory::keep_low();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(refusal) => return refuse(&refusal),
    };
    // A supervisor enters namespaces, which takes a process of one thread.
    if let Command::Supervise(args) = &command {
        return command::supervise::run(args);
    }
    let reader = command.reader();
    match command.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            reader.show_failure(&failure);
            Exit::of_failure(&failure).into()
        }
    }
}

impl Command {
    fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::Up(args) => command::up::run(args),
            Self::Plan(args) => command::plan::run(&args),
            Self::Check(args) => command::check::run(&args),
            Self::CheckWorker => command::check::work(),
            Self::Init(args) => command::init::run(&args),
            Self::Status(args) => command::status::run(args),
            Self::List(args) => command::list::run(&args),
            Self::Logs(args) => command::logs::run(args),
            Self::Open(args) => command::open::run(args),
            Self::Rollback(args) => command::rollback::run(args),
            Self::Sbom(args) => command::sbom::run(args),
            Self::Verify(args) => command::verify::run(&args),
            Self::Push(args) => command::push::run(&args),
            Self::Audit(args) => command::audit::run(&args),
            Self::Key(args) => command::key::run(&args),
            Self::Token(args) => command::token::run(&args),
            Self::Exempt(args) => command::exempt::run(args),
            Self::Db(args) => command::db::run(&args),
            Self::Policy(args) => command::policy::run(&args),
            Self::Destroy(args) => command::destroy::run(&args),
            Self::Restore(args) => command::restore::run(&args),
            Self::Serve(args) => command::serve::run(&args),
            Self::Stop(args) => command::stop::run(&args),
            Self::Doctor(args) => command::doctor::run(&args),
            Self::Schema => Ok(command::schema::run()),
            Self::Completion(args) => Ok(command::completion::run(&args, Cli::command())),
            Self::Supervise(_) => Ok(Exit::Usage),
        }
    }

    fn reader(&self) -> Reader {
        Reader::of_flag(match self {
            Self::Up(args) => args.json,
            Self::Plan(args) => args.json,
            Self::Check(args) => args.json,
            Self::Init(args) => args.json,
            Self::Status(args) => args.json,
            Self::List(args) => args.json,
            Self::Logs(args) => args.json,
            Self::Open(args) => args.json,
            Self::Rollback(args) => args.json,
            Self::Sbom(args) => args.json,
            Self::Verify(args) => args.json,
            Self::Push(args) => args.json,
            Self::Audit(args) => args.json,
            Self::Key(args) => args.json,
            Self::Token(args) => args.json,
            Self::Exempt(args) => args.json,
            Self::Db(args) => args.json,
            Self::Policy(args) => args.json,
            Self::Destroy(args) => args.json,
            Self::Restore(args) => args.json,
            Self::Stop(args) => args.json,
            Self::Doctor(args) => args.json,
            Self::Serve(_)
            | Self::Schema
            | Self::Completion(_)
            | Self::CheckWorker
            | Self::Supervise(_) => false,
        })
    }
}

/// Says what is wrong with the arguments, as an object when the caller reads JSON; prints help and
/// version as asked.
fn refuse(refusal: &clap::Error) -> ExitCode {
    if refusal.use_stderr() && std::env::args().any(|argument| argument == "--json") {
        let text = refusal.to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        let failure = Failure::new(FailureCode::Usage, message).hint("run `mayfly --help`");
        Reader::Program.show_failure(&failure);
    } else {
        let _ = refusal.print();
    }
    match refusal.use_stderr() {
        true => Exit::Usage.into(),
        false => Exit::Ok.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
