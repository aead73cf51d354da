//! `cargo xtask bench build`: what a newcomer waits for, and what a contributor waits for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::table::Table;
use crate::command::{self, command};
use crate::step::step;

/// What `bench build` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Leave the clean release build out
    #[arg(long)]
    no_release: bool,
    /// How many of the slowest crates are named
    #[arg(long, default_value_t = 12)]
    slowest: usize,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// A clean release build on 2 cores.
const RELEASE_TARGET: Duration = Duration::from_secs(8 * 60);
/// A one-line change in `delivery`, back under test.
const CHANGE_TARGET: Duration = Duration::from_secs(15);

/// One compilation, as cargo timed it.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize)]
struct Unit {
    name: String,
    version: String,
    /// Seconds.
    duration: f64,
}

/// Measures in a copy of the source, with a fresh target folder.
pub fn run(args: &Args) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix("mayfly-build-").tempdir()?;
    let workspace = Workspace::copy(scratch.path())?;
    let release = match args.no_release {
        true => None,
        false => Some(step("clean release build", || workspace.release())?),
    };
    step("tests of delivery, from nothing", || {
        workspace.compile_tests()
    })?;
    let change = step("a one-line change in delivery", || workspace.change())?;
    print(args, release.as_ref(), change);
    Ok(())
}

/// A copy of the source and a target folder of its own.
struct Workspace {
    source: PathBuf,
    target: PathBuf,
}

struct Release {
    took: Duration,
    units: Vec<Unit>,
}

impl Workspace {
    /// Copies what git knows or would know.
    fn copy(scratch: &Path) -> Result<Self> {
        let source = scratch.join("source");
        fs::create_dir_all(&source)?;
        let files = [
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ];
        let mut list = command("git", files).stdout(Stdio::piped()).spawn()?;
        let names = list.stdout.take().context("git lists nothing")?;
        let archive = scratch.join("source.tar");
        let mut pack = command(
            "tar",
            ["--null", "--files-from=-", "--ignore-failed-read", "-cf"],
        );
        let packed = pack.arg(&archive).stdin(names).status()?;
        anyhow::ensure!(
            packed.success() && list.wait()?.success(),
            "the source cannot be copied"
        );
        command::capture(command("tar", ["-xf"]).arg(&archive).arg("-C").arg(&source))?;
        Ok(Self {
            source,
            target: scratch.join("target"),
        })
    }

    fn release(&self) -> Result<Release> {
        // Downloads are not the compiler's time.
        command::run(&mut self.cargo(&["fetch", "--quiet", "--locked"]))?;
        let began = Instant::now();
        let build = [
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--package",
            "mayfly",
            "--timings",
        ];
        command::run(&mut self.cargo(&build))?;
        let took = began.elapsed();
        let page = fs::read_to_string(self.target.join("cargo-timings/cargo-timing.html"))?;
        Ok(Release {
            took,
            units: units(&page).context("cargo's timings cannot be read")?,
        })
    }

    fn compile_tests(&self) -> Result<()> {
        let test = [
            "test",
            "--quiet",
            "--locked",
            "--package",
            "delivery",
            "--no-run",
        ];
        command::run(&mut self.cargo(&test))
    }

    /// From a saved line to the tests' end.
    fn change(&self) -> Result<Duration> {
        let file = self.source.join("crates/delivery/src/lib.rs");
        let before = fs::read_to_string(&file)?;
        fs::write(&file, format!("{before}\nconst _: () = assert!(2 > 1);\n"))?;
        let began = Instant::now();
        let test = ["test", "--quiet", "--locked", "--package", "delivery"];
        command::capture(&mut self.cargo(&test))?;
        Ok(began.elapsed())
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = command("cargo", arguments);
        cargo
            .current_dir(&self.source)
            .env("CARGO_TARGET_DIR", &self.target);
        cargo
    }
}

/// Reads the table in cargo's page of timings: a constant in its script.
fn units(page: &str) -> Option<Vec<Unit>> {
    let (_, rest) = page.split_once("const UNIT_DATA = ")?;
    let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Vec<Unit>>();
    let mut units = values.next()?.ok()?;
    units.sort_by(|one, other| other.duration.total_cmp(&one.duration));
    Some(units)
}

fn print(args: &Args, release: Option<&Release>, change: Duration) {
    let slowest = |release: &Release| {
        release
            .units
            .iter()
            .take(args.slowest)
            .cloned()
            .collect::<Vec<_>>()
    };
    if args.json {
        let release = release.map(
            |release| json!({ "seconds": release.took.as_secs_f64(), "slowest": slowest(release) }),
        );
        println!(
            "{}",
            json!({ "release": release, "change_seconds": change.as_secs_f64() })
        );
        return;
    }
    if let Some(release) = release {
        let mut table = Table::new(&["slowest crates", "seconds"]);
        for unit in slowest(release) {
            table.row([
                format!("{} {}", unit.name, unit.version),
                format!("{:.1}", unit.duration),
            ]);
        }
        println!("{table}");
        println!(
            "clean release build: {}",
            beside(release.took, RELEASE_TARGET)
        );
    }
    println!(
        "one-line change in delivery, back under test: {}",
        beside(change, CHANGE_TARGET)
    );
}

fn beside(took: Duration, target: Duration) -> String {
    let reached = if took <= target {
        "reached"
    } else {
        "not reached"
    };
    format!(
        "{:.1} s (target ≤ {} s): {reached}",
        took.as_secs_f64(),
        target.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_crate_comes_first() {
        let page = r#"<script>const UNIT_DATA = [
            {"i": 0, "name": "libc", "version": "0.2.1", "mode": "todo", "duration": 1.5, "unlocked_units": []},
            {"i": 1, "name": "pgp", "version": "0.21.0", "mode": "todo", "duration": 30.25, "unlocked_units": [0]}
        ];
        const CONCURRENCY_DATA = [];</script>"#;
        let units = units(page).expect("a table");
        assert_eq!((units[0].name.as_str(), units[0].duration), ("pgp", 30.25));
        assert_eq!(units.len(), 2);
    }
}
