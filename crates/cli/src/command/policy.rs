//! `mayfly policy`: what decides whether an app may serve.

use std::path::PathBuf;

use api::gates::Decided;
use api::types::Query;
use model::RunId;
use model::failure::Failure;
use model::policy::Verdict;
use server::policies::{self, Explained, Rehearsal, Suite};

use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Style};

/// How many places of a question are shown for a message.
const PLACES: usize = 8;
/// How many flips and openings are shown.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print a JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Load a policy and run its tests (`*_test.rego`); needs no server
    Test {
        /// The policy's folder [default: the policy that comes with mayfly]
        dir: Option<PathBuf>,
    },
    /// Write the policy that decides now into a folder, to begin one's own with
    Export {
        /// The folder; it is made
        dir: PathBuf,
    },
    /// Show which rules decided about a run, and by what
    Explain {
        /// The run: `mayfly up --json` and `mayfly audit` name it
        run: RunId,
    },
    /// Ask what was decided again by another policy, and prove that it does not fail open
    Rehearse {
        /// The other policy's folder
        dir: PathBuf,
        /// How many runs are asked again, newest first
        #[arg(long, default_value_t = 100)]
        runs: usize,
    },
}

/// Does what was asked.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    match &args.action {
        Action::Test { dir } => test(dir.as_deref(), reader),
        Action::Export { dir } => daemon::runtime()?.block_on(async {
            let now = daemon::connect().await?.policy().await?;
            let files: Vec<_> = now.files.into_iter().collect();
            super::key::write(dir, &files)?;
            face::note(&format!(
                "written to {}; change it, run `mayfly policy test {0}` and `mayfly policy rehearse {0}`, then `mayfly serve --policy {0}`",
                dir.display()
            ));
            Ok(Exit::Ok)
        }),
        Action::Explain { run } => daemon::runtime()?.block_on(async {
            let query = Query::from([("run".to_owned(), run.to_string())]);
            let decided = daemon::connect().await?.decisions(&query).await?;
            for one in &decided {
                explain(one, reader)?;
            }
            Ok(Exit::Ok)
        }),
        Action::Rehearse { dir, runs } => daemon::runtime()?.block_on(async {
            let mut client = daemon::connect().await?;
            let query = Query::from([("limit".to_owned(), runs.to_string())]);
            let decided = client.decisions(&query).await?;
            let now = client.policy().await?;
            let rehearsal = policies::rehearse(&now, dir, &decided)?;
            match reader {
                Reader::Program => face::json(&rehearsal),
                Reader::Person => face::line(&rehearsed(&rehearsal, Style::of_stdout())),
            }
            match rehearsal.is_closed() && rehearsal.unanswered.is_empty() {
                true => Ok(Exit::Ok),
                false => Ok(Exit::Gate),
            }
        }),
    }
}

fn test(dir: Option<&std::path::Path>, reader: Reader) -> Result<Exit, Failure> {
    let suite = policies::test(dir)?;
    match reader {
        Reader::Program => face::json(&suite),
        Reader::Person => face::line(&tested(&suite)),
    }
    match suite.passed() {
        true => Ok(Exit::Ok),
        false => Ok(Exit::Failed),
    }
}

fn tested(suite: &Suite) -> String {
    let mut lines: Vec<String> = suite.results.iter().map(ToString::to_string).collect();
    lines.push(match (suite.results.len(), suite.passed()) {
        (0, _) => "no tests: write some in files called *_test.rego".to_owned(),
        (all, true) => format!("{all} tests, all well"),
        (all, false) => format!("{all} tests, some failed"),
    });
    lines.join("\n")
}

fn explain(decided: &Decided, reader: Reader) -> Result<(), Failure> {
    let explained = policies::explain(decided)?;
    match reader {
        Reader::Program => face::json(&serde_json::json!({
            "run": decided.run, "app": decided.app, "at": decided.at, "policy": decided.policy,
            "decision": decided.decision, "explained": explained,
        })),
        Reader::Person => {
            let style = Style::of_stdout();
            let verdict = match decided.decision.verdict {
                Verdict::Pass => style.paint(Paint::Good, "passed"),
                Verdict::Fail => style.paint(Paint::Bad, "refused"),
            };
            let head = format!("{} {verdict} by {}", decided.app, decided.policy.origin);
            let all = explained.iter().map(|one| said(one, style));
            face::line(
                &std::iter::once(head)
                    .chain(all)
                    .collect::<Vec<_>>()
                    .join("\n\n"),
            );
        }
    }
    Ok(())
}

fn said(explained: &Explained, style: Style) -> String {
    let message = &explained.message;
    let entry = style.paint(Paint::Strong, explained.entry.as_str());
    let mut lines = vec![format!("{entry} {}: {}", message.rule, message.msg)];
    lines.extend(message.next.iter().map(|next| format!("  next: {next}")));
    for rule in &explained.rules {
        lines.push(format!("  rule: {}:{}", rule.file, rule.line));
    }
    for seen in explained.seen.iter().take(PLACES) {
        let value = seen
            .value
            .as_ref()
            .map_or("(not there)".to_owned(), ToString::to_string);
        let mark = if seen.is_decisive { " (decides)" } else { "" };
        lines.push(format!("  saw: {} = {value}{mark}", seen.place));
    }
    match explained.seen.len().saturating_sub(PLACES) {
        0 => {}
        more => lines.push(format!("  and {more} more places; --json has all")),
    }
    lines.join("\n")
}

fn rehearsed(rehearsal: &Rehearsal, style: Style) -> String {
    let mut lines = Vec::new();
    for flip in rehearsal.flips.iter().take(SHOWN) {
        let was = |verdict| match verdict {
            Verdict::Pass => "passed",
            Verdict::Fail => "was refused",
        };
        let would = match flip.would_be.verdict {
            Verdict::Pass => "would pass".to_owned(),
            Verdict::Fail => {
                let why = flip.would_be.deny.first().map(|one| one.msg.as_str());
                format!("would be refused: {}", why.unwrap_or_default())
            }
        };
        lines.push(format!(
            "flips  {}: {}, {would}",
            flip.name,
            was(flip.was.verdict)
        ));
    }
    for opening in rehearsal.openings.iter().take(SHOWN) {
        let text = format!(
            "OPENS  {}: with less of `{}`, {} no longer denies",
            opening.name,
            opening.mutation.place,
            opening.silenced.join(", ")
        );
        lines.push(style.paint(Paint::Bad, text));
    }
    for name in &rehearsal.unanswered {
        lines.push(style.paint(
            Paint::Bad,
            format!("FAILS  {name}: the policy cannot answer it"),
        ));
    }
    lines.push(format!(
        "{} questions, {} with less in them: {} flips, {} openings",
        rehearsal.questions,
        rehearsal.mutations,
        rehearsal.flips.len(),
        rehearsal.openings.len()
    ));
    lines.join("\n")
}
