//! The transparency log: many entries in batches, some one by one, and a verification of the whole.

use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use crate::bench::stats;
use crate::bench::table::Table;
use crate::command;
use crate::interop::ours;
use crate::place;
use crate::registry::Profile;

/// What `bench supply log` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many entries a log gets
    #[arg(long, default_value_t = 100_000)]
    entries: usize,
    /// How many logs are filled
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How mayfly is compiled; only `release` gives figures
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// One log, in seconds.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Sample {
    append: f64,
    one: f64,
    verify: f64,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<()> {
    let program = ours::build("bench-attest", args.profile)?;
    let mut samples = Vec::new();
    for _ in 0..args.runs.max(1) {
        let scratch = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir_in(place::target())?;
        let mut measure = Command::new(&program);
        measure.arg("log").arg(scratch.path());
        let told = command::capture(measure.arg(args.entries.to_string()))?;
        let line = told.lines().next().context("nothing was measured")?;
        samples.push(serde_json::from_str(line)?);
    }
    print(args, &samples);
    Ok(())
}

fn print(args: &Args, samples: &[Sample]) {
    let of =
        |figure: fn(&Sample) -> f64| stats::median(&samples.iter().map(figure).collect::<Vec<_>>());
    let (append, one, verify) = (of(|it| it.append), of(|it| it.one), of(|it| it.verify));
    if args.json {
        let figures = json!({
            "entries": args.entries,
            "append_seconds": append,
            "one_append_seconds": one,
            "verify_seconds": verify,
        });
        return println!("{figures}");
    }
    let mut table = Table::new(&["log", "append s", "one append ms", "verify all s"]);
    table.row([
        format!("{} entries", args.entries),
        format!("{append:.2}"),
        format!("{:.2}", one * 1e3),
        format!("{verify:.2}"),
    ]);
    println!("{table}");
}
