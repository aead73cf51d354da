//! `mayfly audit`: what happened, and whether the record of it is whole.

mod export;

use std::collections::BTreeMap;
use std::path::PathBuf;

use api::Client;
use api::types::Query;
use model::event::{Event, Happening};
use model::failure::{Failure, FailureCode};
use model::{AppName, Timestamp};
use serde_json::Value;

use super::moment;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Style, Table};
use crate::witness;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only what is about this app
    app: Option<AppName>,
    /// Only what came after: `2026-01-31`, `2026-01-31T12:00:00Z` or `2h` ago
    #[arg(long, value_name = "TIME", value_parser = moment::past)]
    since: Option<Timestamp>,
    /// Print one JSON object a line; a result as one object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Compare the whole log with the ledger, and with what was seen of it before
    Verify,
    /// Write the log, its proofs and every release's signatures to a folder that verifies offline
    Export {
        /// The folder; it must be new or empty
        dir: PathBuf,
    },
    /// Take the log as it is now, after you have made the server anew
    Trust,
    /// Let nobody tell any more which entries are about what this user did
    Forget {
        /// The user's id
        uid: u32,
    },
}

/// Does what was asked.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        match &args.action {
            None => history(&mut client, args, reader).await,
            Some(Action::Verify) => verify(&mut client, reader).await,
            Some(Action::Export { dir }) => export::export(&mut client, dir, reader).await,
            Some(Action::Trust) => trust(&mut client, reader).await,
            Some(Action::Forget { uid }) => {
                client.forget_person(*uid).await?;
                if reader == Reader::Person {
                    face::note("nobody can tell any more which entries are about that user");
                }
                Ok(Exit::Ok)
            }
        }
    })
}

async fn history(client: &mut Client, args: &Args, reader: Reader) -> Result<Exit, Failure> {
    let people = client.people().await?;
    let mut events = all(client, args.app.as_ref()).await?;
    if let Some(since) = args.since {
        events.retain(|event| event.at >= since);
    }
    match reader {
        Reader::Program => events.iter().for_each(face::json),
        Reader::Person => face::line(&table(&events, &people, Style::of_stdout())),
    }
    Ok(Exit::Ok)
}

/// Every event, of one app or of all.
pub(super) async fn all(client: &mut Client, app: Option<&AppName>) -> Result<Vec<Event>, Failure> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.seq);
        let mut query = Query::from([("after".to_owned(), after.to_string())]);
        if let Some(app) = app {
            query.insert("app".into(), app.to_string());
        }
        let next = client.history(&query).await?;
        if next.is_empty() {
            return Ok(events);
        }
        events.extend(next);
    }
}

fn table(events: &[Event], people: &BTreeMap<String, u32>, style: Style) -> String {
    let mut table = Table::new(style, ["ENTRY", "TIME", "APP", "WHAT"]);
    for event in events {
        table.row([
            event.seq.to_string(),
            moment::shown(event.at),
            event
                .app
                .as_ref()
                .map_or("-".to_owned(), AppName::to_string),
            told(&event.what, people),
        ]);
    }
    table.to_string()
}

/// One event, in a line: what it is called, and its details.
fn told(what: &Happening, people: &BTreeMap<String, u32>) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(what) else {
        return String::new();
    };
    let name = fields.remove("event").unwrap_or_default();
    let name = name.as_str().unwrap_or_default().replace('_', " ");
    let details = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            match (key.as_str(), people.get(&value)) {
                ("by", Some(uid)) => format!("by user {uid}"),
                ("by", None) => "by somebody who was forgotten".to_owned(),
                _ => format!("{key} {}", short(&value)),
            }
        });
    let details = details.collect::<Vec<_>>().join(", ");
    match details.is_empty() {
        true => name,
        false => format!("{name}: {details}"),
    }
}

/// A digest by its first digits.
fn short(value: &str) -> &str {
    match value.strip_prefix("sha256:") {
        Some(hex) => hex.get(..12).unwrap_or(hex),
        None => value,
    }
}

async fn verify(client: &mut Client, reader: Reader) -> Result<Exit, Failure> {
    let seen = witness::check(client).await;
    let report = client.audit().await?;
    let mut differences = report.differences.clone();
    if let Err(failure) = &seen {
        if failure.code != FailureCode::NotVerified {
            return Err(failure.clone());
        }
        let why = failure.cause.iter().map(String::as_str);
        differences.extend(
            std::iter::once(failure.message.as_str())
                .chain(why)
                .map(str::to_owned),
        );
    }
    let report = api::supply::AuditReport {
        differences,
        ..report
    };
    match reader {
        Reader::Program => face::json(&report),
        Reader::Person => face::line(&verdict(&report, Style::of_stdout())),
    }
    match report.differences.is_empty() {
        true => Ok(Exit::Ok),
        false => Ok(Exit::Gate),
    }
}

fn verdict(report: &api::supply::AuditReport, style: Style) -> String {
    let head = format!(
        "{} entries, log {}",
        report.entries, report.checkpoint.origin
    );
    if report.differences.is_empty() {
        let good = "the log and the ledger agree, and continue what was seen before";
        return format!("{head}\n{}", style.paint(Paint::Good, good));
    }
    let bad = style.paint(Paint::Bad, "the record was changed:");
    let why = report.differences.iter().map(|why| format!("\n  {why}"));
    format!("{head}\n{bad}{}", why.collect::<String>())
}

async fn trust(client: &mut Client, reader: Reader) -> Result<Exit, Failure> {
    witness::forget()?;
    let checkpoint = witness::check(client).await?;
    match reader {
        Reader::Program => face::json(&checkpoint),
        Reader::Person => face::note(&format!(
            "from now on, the log {} with {} entries is what is remembered",
            checkpoint.origin, checkpoint.size
        )),
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Digest, ReleaseNumber};

    #[test]
    fn an_event_is_told_in_a_line_and_a_person_by_id_until_forgotten() {
        let by = Digest::of(b"ann");
        let started = Happening::RunStarted {
            run: "019aa000-0000-7000-8000-000000000000"
                .parse()
                .expect("a run"),
            snapshot: Digest::of(b"folder"),
            by: Some(by),
        };
        let known = BTreeMap::from([(by.to_string(), 1000)]);
        let told_known = told(&started, &known);
        assert!(
            told_known.starts_with("run started: by user 1000, run 019aa"),
            "{told_known}"
        );
        let forgotten = told(&started, &BTreeMap::new());
        assert!(
            forgotten.contains("somebody who was forgotten"),
            "{forgotten}"
        );
        let promoted = Happening::Promoted {
            release: ReleaseNumber::new(2),
            previous: None,
        };
        assert_eq!(told(&promoted, &known), "promoted: release 2");
        assert_eq!(told(&Happening::Destroyed, &known), "destroyed");
    }
}
