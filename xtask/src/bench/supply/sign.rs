//! Signing, attesting and keeping one release with the server's key, beside cosign 3 doing the same
//! into the same registry.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bench::stats;
use crate::bench::table::Table;
use crate::command;
use crate::interop::door::Door;
use crate::interop::laid_out::digest;
use crate::interop::{ours, sample};
use crate::judges::COSIGN_3;
use crate::place;
use crate::registry::{Profile, Registry};
use crate::step::step;

/// What `bench supply sign` is told.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many releases are signed
    #[arg(long, default_value_t = 50)]
    runs: usize,
    /// How many of them by cosign too
    #[arg(long, default_value_t = 5)]
    peer_runs: usize,
    /// How mayfly is compiled; only `release` gives figures
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

const TARGET: Duration = Duration::from_millis(20);

/// One release, in seconds.
#[derive(Debug, Clone, Copy, Deserialize)]
struct Sample {
    sign: f64,
    store: f64,
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<()> {
    // On the disk where state would be, not in memory.
    let scratch = tempfile::Builder::new()
        .prefix("bench-")
        .tempdir_in(place::target())?;
    let program = ours::build("bench-attest", args.profile)?;
    let mut measure = Command::new(program);
    measure.arg("sign").arg(scratch.path());
    let told = step("mayfly", || {
        command::capture(measure.arg(args.runs.max(1).to_string()))
    })?;
    let ours: Vec<Sample> = told
        .lines()
        .map(|line| Ok(serde_json::from_str(line)?))
        .collect::<Result<_>>()?;
    let theirs = step("cosign 3", || cosign(args, scratch.path()))?;
    let figures = Figures { ours, theirs };
    match args.json {
        true => println!("{}", figures.json()),
        false => println!("{}\n{}", figures.table(), figures.summary()),
    }
    Ok(())
}

struct Figures {
    ours: Vec<Sample>,
    theirs: Vec<f64>,
}

impl Figures {
    fn of(&self, figure: fn(&Sample) -> f64) -> f64 {
        stats::median(&self.ours.iter().map(figure).collect::<Vec<_>>())
    }

    fn total(&self) -> f64 {
        self.of(|one| one.sign + one.store)
    }

    fn table(&self) -> Table {
        let mut table = Table::new(&["one release", "sign ms", "store ms", "both ms"]);
        let ms = |seconds: f64| format!("{:.1}", seconds * 1e3);
        table.row([
            "mayfly".into(),
            ms(self.of(|one| one.sign)),
            ms(self.of(|one| one.store)),
            ms(self.total()),
        ]);
        let theirs = ms(stats::median(&self.theirs));
        table.row(["cosign 3".into(), String::new(), String::new(), theirs]);
        table
    }

    fn summary(&self) -> String {
        let reached = match self.total() <= TARGET.as_secs_f64() {
            true => "reached",
            false => "not reached",
        };
        format!(
            "a signature and three attestations; {:.0} times as fast as cosign (target ≤ {TARGET:?}): \
             {reached}",
            stats::median(&self.theirs) / self.total()
        )
    }

    fn json(&self) -> Value {
        json!({
            "sign_seconds": self.of(|one| one.sign),
            "store_seconds": self.of(|one| one.store),
            "both_seconds": self.total(),
            "cosign_seconds": stats::median(&self.theirs),
        })
    }
}

/// What cosign attests, in its words and in the files that were measured before.
const ATTESTED: [(&str, &str); 3] = [
    ("slsaprovenance1", "provenance.json"),
    ("spdxjson", "spdx.json"),
    ("cyclonedx", "cyclonedx.json"),
];

fn cosign(args: &Args, folder: &Path) -> Result<Vec<f64>> {
    let registry = Registry::start(&folder.join("registry"), args.profile)?;
    let door = Door::with_token(registry.address, &registry.writer);
    door.log_in(folder)?;
    let program = COSIGN_3.built()?;
    let cosign = |words: &[&str]| {
        let mut cosign = Command::new(&program);
        cosign.current_dir(folder).args(words);
        cosign.env("HOME", folder).env("COSIGN_PASSWORD", "");
        cosign
    };
    command::capture(&mut cosign(&["generate-key-pair"]))?;
    let signed = |number: usize| {
        let manifest = sample::manifest(&format!("release {number}"));
        sample::put(&door, "bench/app", &manifest)?;
        let name = format!("{}@{}", door.name("bench/app"), digest(&manifest));
        let began = Instant::now();
        command::capture(unlogged(&mut cosign(&["sign"])).arg(&name))?;
        for (kind, file) in ATTESTED {
            let mut attest = cosign(&["attest", "--type", kind, "--predicate", file]);
            command::capture(unlogged(&mut attest).arg(&name))?;
        }
        Ok(began.elapsed().as_secs_f64())
    };
    fs::metadata(folder.join("spdx.json")).context("what is attested is not there")?;
    (0..args.peer_runs.max(1)).map(signed).collect()
}

fn unlogged(cosign: &mut Command) -> &mut Command {
    cosign.args(["--yes", "--key", "cosign.key", "--use-signing-config=false"]);
    cosign.arg("--tlog-upload=false")
}
