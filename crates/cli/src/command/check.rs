//! `mayfly check`: what is wrong in a folder, without a server.

mod sarif;

use std::path::PathBuf;

use model::failure::{Failure, FailureCode};
use model::finding::{Finding, FixKind, Severity};
use model::progress::clean_line;
use model::snapshot::Entry;
use server::checks::{self, Checked};

use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Seconds, Style};
use crate::folder::{self, Reading, Root};

/// How many findings that only warn a person is shown.
const WARNINGS_SHOWN: usize = 10;

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

/// Prints what was found; exit 3 when any of it blocks.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let root = Root::open(&args.dir)?;
    let taken = folder::take(&root, &Reading::within(Default::default()))?;
    let files = taken
        .snapshot
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::File { .. } => Some(entry.path().to_owned()),
            _ => None,
        });
    let checked = checks::check(root.path(), files.collect())?;
    let blocks = checked.findings.iter().any(|finding| finding.blocks);
    match (args.sarif, Reader::of_flag(args.json)) {
        (true, _) => face::json(&sarif::log(&checked.findings)),
        (false, Reader::Program) => face::json(&checked),
        (false, Reader::Person) => {
            let shown = if args.all { usize::MAX } else { WARNINGS_SHOWN };
            face::line(&report(&checked, shown, Style::of_stdout()));
        }
    }
    match blocks {
        true => Ok(Exit::Gate),
        false => Ok(Exit::Ok),
    }
}

/// A worker of a check: reads files from its standard input, and may die of one.
pub(crate) fn work() -> Result<Exit, Failure> {
    checks::work()
        .map(|()| Exit::Ok)
        .map_err(|error| Failure::new(FailureCode::Internal, error.to_string()))
}

fn report(checked: &Checked, warnings_shown: usize, style: Style) -> String {
    let (blocking, warning): (Vec<_>, Vec<_>) =
        checked.findings.iter().partition(|finding| finding.blocks);
    let mut blocks: Vec<String> = blocking.iter().map(|one| block(one, style)).collect();
    blocks.extend(
        warning
            .iter()
            .take(warnings_shown)
            .map(|one| block(one, style)),
    );
    match warning.len().saturating_sub(warnings_shown) {
        0 => {}
        more => blocks.push(format!(
            "and {more} more warnings; `mayfly check --all` shows them"
        )),
    }
    let seconds = Seconds(checked.seconds);
    blocks.push(match (blocking.len(), warning.len()) {
        (0, 0) => style.paint(
            Paint::Good,
            format!("nothing found in {} files ({seconds})", checked.files),
        ),
        (0, warnings) => format!("{warnings} warnings in {} files ({seconds})", checked.files),
        (blocking, warnings) => style.paint(
            Paint::Bad,
            format!(
                "{blocking} findings that block and {warnings} warnings in {} files ({seconds})",
                checked.files
            ),
        ),
    });
    blocks.join("\n\n")
}

fn block(finding: &Finding, style: Style) -> String {
    let (paint, verdict) = match (finding.blocks, finding.severity) {
        (true, _) => (Paint::Bad, "blocks"),
        (false, Severity::Info | Severity::Low) => (Paint::Dim, "note"),
        (false, _) => (Paint::Warn, "warning"),
    };
    let place = match finding.line {
        0 => finding.file.clone(),
        line => format!("{}:{line}", finding.file),
    };
    let mut lines = vec![format!(
        "{}: {} {}",
        clean_line(&place),
        style.paint(paint, verdict),
        finding.rule_id
    )];
    if !finding.snippet.is_empty() {
        let first = finding.snippet.lines().next().unwrap_or_default();
        lines.push(format!(
            "  | {}",
            style.paint(Paint::Dim, clean_line(first))
        ));
    }
    for step in &finding.trace {
        let text = format!("{}:{}: {}", step.file, step.line, step.what);
        lines.push(format!("  via {}", clean_line(&text)));
    }
    lines.push(format!("  {}", clean_line(&finding.why)));
    let advice = finding.fix.as_ref().map(|fix| match fix.kind {
        FixKind::Advice => fix.to.clone(),
        FixKind::Replace | FixKind::Upgrade => format!("`{}` → `{}`", fix.from, fix.to),
    });
    let advice = advice.unwrap_or_else(|| finding.next.clone());
    if !advice.is_empty() {
        lines.push(format!("  mend: {}", clean_line(&advice)));
    }
    lines.join("\n")
}
