//! `mayfly check`: what is wrong in a folder, without a server.

mod blobs;
mod fix;
mod history;
mod hook;
mod kept;
mod report;
mod sarif;
mod scan_cache;
mod source;
mod staged;

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::history::History;
use model::failure::{Failure, FailureCode};
use model::finding::Gate;
use model::route::Route;
use model::{AppName, Digest};
use serde::Serialize;
use server::checks::{self, Checked, Sources};

use crate::app_choice;
use crate::exit::Exit;
use crate::face::finding::exemption;
use crate::face::{self, Reader, Style};
use crate::folder::Root;

use fix::{Fixes, Outcome, Wanted};
use report::{Length, Report};
use scan_cache::ScanCache;
use source::WorkingTree;
use staged::Staged;

/// How often fixes are applied: of one kind, a line is told once, and what meets another fix waits.
const ROUNDS: usize = 10;

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
    /// Apply the fixes after which the app does the same, but safely
    #[arg(long, conflicts_with_all = ["staged", "sarif"])]
    fix: bool,
    /// With --fix: those too which somebody should look at
    #[arg(long, requires = "fix")]
    unsafe_fixes: bool,
    /// Show what all mechanical fixes would change
    #[arg(long, conflicts_with_all = ["fix", "sarif"])]
    diff: bool,
    /// Look at what is about to be committed, whatever the files say
    #[arg(long)]
    staged: bool,
    /// Look at every commit before it is made
    #[arg(long, conflicts_with_all = ["fix", "diff", "staged", "sarif", "json"])]
    install_hook: bool,
    /// How long to look for secrets in the history of the repository; 0 for not at all
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    history_seconds: u64,
}

/// What a program reads.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    checked: &'a Checked,
    history: &'a History,
    /// What was fixed, and what was not.
    #[serde(flatten)]
    fixes: Option<&'a Outcome>,
    /// What fixes would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'a str>,
    /// How what blocks is let pass, where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    exemption: Option<String>,
}

/// Prints what was found; exit 3 when any of it blocks.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let root = Root::open(&args.dir)?;
    if args.install_hook {
        face::line(&hook::install(root.path())?.text());
        return Ok(Exit::Ok);
    }
    let seen = match args.staged {
        true => look_at_staged(&root)?,
        false => look(&root, args)?,
    };
    show(args, &root, &seen);
    Ok(match seen.checked.blocks() {
        true => Exit::Gate,
        false => Exit::Ok,
    })
}

/// All that a check saw and did.
struct Looked {
    checked: Checked,
    history: History,
    diff: Option<String>,
    fixes: Option<Outcome>,
}

fn look_at_staged(root: &Root) -> Result<Looked, Failure> {
    let staged = Staged::of(root.path(), &Default::default())?;
    Ok(Looked {
        checked: look_at(root, &staged)?,
        history: History::not_scanned("only what is staged was looked at"),
        diff: None,
        fixes: None,
    })
}

fn look(root: &Root, args: &Args) -> Result<Looked, Failure> {
    let within = Duration::from_secs(args.history_seconds);
    std::thread::scope(|threads| {
        let history = threads.spawn(|| history::look(root.path(), within));
        let mut files = WorkingTree::of(root)?;
        let mut checked = look_at(root, &files)?;
        let wanted = Wanted::of(args);
        let mut fixes = None;
        for _ in 0..if args.fix { ROUNDS } else { 0 } {
            let outcome = Fixes::of(&checked.findings, wanted, &files).apply(root);
            let is_last = outcome.fixed.is_empty();
            fixes.get_or_insert_with(Outcome::default).go_on(outcome);
            if is_last {
                break;
            }
            files = WorkingTree::of(root)?;
            checked = look_at(root, &files)?;
        }
        let diff = args
            .diff
            .then(|| Fixes::of(&checked.findings, wanted, &files).diff());
        let history = history
            .join()
            .map_err(|_| Failure::internal("looking at the history ended without a result"))?;
        let (history, old) = history.told(&values_in(&checked, &files));
        checked.add(old);
        Ok(Looked {
            checked,
            history,
            diff,
            fixes,
        })
    })
}

impl Wanted {
    /// What is applied has to be safe, unless it is asked for; what is shown has not.
    fn of(args: &Args) -> Self {
        match args.unsafe_fixes || args.diff {
            true => Self::All,
            false => Self::Safe,
        }
    }
}

/// The credentials that the files themselves have, of which the history need not tell.
fn values_in(checked: &Checked, sources: &dyn Sources) -> HashSet<Digest> {
    let secrets = checked.findings.iter();
    let secrets = secrets.filter(|finding| finding.gate == Gate::Secrets);
    let files: BTreeSet<&str> = secrets.map(|finding| finding.file.as_str()).collect();
    let secrets = files.into_iter().flat_map(|file| {
        let bytes = sources.read(file).unwrap_or_default();
        checks::history::secrets(file, &String::from_utf8_lossy(&bytes))
    });
    secrets.map(|secret| secret.value).collect()
}

/// What the history of a folder still shows, for a server that has none.
pub(crate) fn history_of(folder: &Path, within: Duration) -> History {
    let (history, _) = history::look(folder, within).told(&HashSet::new());
    history
}

/// The routes of the app in a folder, as its code declares them.
pub(crate) fn routes(root: &Root) -> Result<Vec<Route>, Failure> {
    Ok(look_at(root, &WorkingTree::of(root)?)?.routes)
}

/// A worker of a check: reads files from its standard input, and may die of one.
pub(crate) fn work() -> Result<Exit, Failure> {
    checks::work()
        .map(|()| Exit::Ok)
        .map_err(|error| Failure::new(FailureCode::Internal, error.to_string()))
}

fn look_at(root: &Root, sources: &dyn Sources) -> Result<Checked, Failure> {
    let cache = ScanCache::of(root.path());
    let advisories = checks::advisories(&api::paths::home());
    let checked = checks::check(sources, &cache, advisories.as_ref())?;
    cache.store();
    Ok(checked)
}

fn show(args: &Args, root: &Root, seen: &Looked) {
    let app = app_choice::name_of(root.path()).ok().flatten();
    let checked = &seen.checked;
    match (args.sarif, Reader::of_flag(args.json)) {
        (true, _) => face::json(&sarif::log(&checked.findings)),
        (false, Reader::Program) => face::json(&Told {
            checked,
            history: &seen.history,
            fixes: seen.fixes.as_ref(),
            diff: seen.diff.as_deref(),
            exemption: checked
                .blocks()
                .then(|| exemption("FINGERPRINT", app.as_ref())),
        }),
        (false, Reader::Person) => show_person(args, app.as_ref(), seen),
    }
}

/// A diff stands alone on standard output, where another program can read it.
fn show_person(args: &Args, app: Option<&AppName>, seen: &Looked) {
    let style = match seen.diff {
        Some(_) => Style::of_stderr(),
        None => Style::of_stdout(),
    };
    let report = Report {
        checked: &seen.checked,
        history: &seen.history,
        app,
        length: match args.all {
            true => Length::Whole,
            false => Length::Cut,
        },
        style,
    };
    if let Some(fixes) = &seen.fixes {
        face::line(&format!("{}\n", fixes.text()));
    }
    match &seen.diff {
        Some(diff) => {
            face::bytes(diff.as_bytes());
            face::note(&report.text());
        }
        None => face::line(&report.text()),
    }
    if args.staged && seen.checked.blocks() {
        face::note("to commit it as it is: `git commit --no-verify`");
    }
}
