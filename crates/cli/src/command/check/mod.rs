//! `mayfly check`: what is wrong in a folder, without a server.

mod kept;
mod report;
mod sarif;
mod scan_cache;
mod source;

use std::path::PathBuf;

use api::history::History;
use model::AppName;
use model::failure::{Failure, FailureCode};
use serde::Serialize;
use server::checks::{self, Checked, Sources};

use crate::app_choice;
use crate::exit::Exit;
use crate::face::{self, Reader, Style};
use crate::folder::Root;

use report::{Length, Report};
use scan_cache::ScanCache;
use source::WorkingTree;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Show every finding, however many there are
    #[arg(long)]
    all: bool,
    /// Print a JSON object
    #[arg(long, conflicts_with = "sarif")]
    pub(crate) json: bool,
    /// Print SARIF 2.1.0, as code hosts and editors read it
    #[arg(long)]
    sarif: bool,
}

/// What a program reads.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    checked: &'a Checked,
    history: &'a History,
    /// How what blocks is let pass, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    exemption: Option<String>,
}

/// Prints what was found; exit 3 when any of it blocks.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let root = Root::open(&args.dir)?;
    let app = app_choice::name_of(root.path()).ok().flatten();
    let checked = look(&root, &WorkingTree::of(&root)?)?;
    let history = History::not_scanned("the folder is in no repository");
    show(args, &checked, &history, app.as_ref());
    Ok(match checked.blocks() {
        true => Exit::Gate,
        false => Exit::Ok,
    })
}

/// A worker of a check: reads files from its standard input, and may die of one.
pub(crate) fn work() -> Result<Exit, Failure> {
    checks::work()
        .map(|()| Exit::Ok)
        .map_err(|error| Failure::new(FailureCode::Internal, error.to_string()))
}

fn look(root: &Root, sources: &dyn Sources) -> Result<Checked, Failure> {
    let cache = ScanCache::of(root.path());
    let checked = checks::check(sources, &cache, None)?;
    cache.store();
    Ok(checked)
}

fn show(args: &Args, checked: &Checked, history: &History, app: Option<&AppName>) {
    match (args.sarif, Reader::of_flag(args.json)) {
        (true, _) => face::json(&sarif::log(&checked.findings)),
        (false, Reader::Program) => face::json(&Told {
            checked,
            history,
            exemption: checked
                .blocks()
                .then(|| report::exemption("FINGERPRINT", app)),
        }),
        (false, Reader::Person) => {
            let report = Report {
                checked,
                history,
                app,
                length: match args.all {
                    true => Length::Whole,
                    false => Length::Cut,
                },
                style: Style::of_stdout(),
            };
            face::line(&report.text());
        }
    }
}
