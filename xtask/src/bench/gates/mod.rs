//! `cargo xtask bench gates`: how many faults of small apps are found, beside others' programs; how
//! often popular packages are stopped; how fast files are read.

mod packages;
mod score;
mod speed;
mod tools;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::bench::table::Table;
use crate::place;
use crate::step::step;
use packages::PACKAGES;
use score::{Fault, Found, Score};
use tools::{Lint, Tool};

/// What `bench gates` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How often the speed is measured
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Leave others' programs out
    #[arg(long)]
    alone: bool,
    /// List what each tool missed and reported wrongly
    #[arg(long)]
    list: bool,
}

/// Apps and the faults that are known to be in them.
struct Set {
    name: &'static str,
    root: PathBuf,
    faults: Vec<Fault>,
}

/// The apps of the repository's tests, and its examples, which have no fault that must be found.
fn sets() -> Result<Vec<Set>> {
    let tests = place::repository().join("crates/lint/tests");
    let mut sets = vec![Set {
        name: "examples",
        root: place::repository().join("examples"),
        faults: vec![],
    }];
    for name in ["corpus", "second"] {
        let root = tests.join(name);
        let table = root.join("expected.txt");
        let text = fs::read_to_string(&table)
            .with_context(|| format!("there is no `{}`", table.display()))?;
        let faults = score::faults(&text)?;
        sets.push(Set { name, root, faults });
    }
    Ok(sets)
}

/// Measures and prints.
pub fn run(args: &Args) -> Result<()> {
    let lint = Lint::build()?;
    let mut tools = vec![Tool::Lint(lint.clone())];
    if !args.alone {
        tools.extend(tools::others()?);
    }
    found(&tools, args)?;
    let sources = step("the sources of popular packages", packages::fetch)?;
    stopped(&lint, &sources)?;
    speed::run(&lint, &sources, args.runs)
}

/// Prints what each tool finds in the sets.
fn found(tools: &[Tool], args: &Args) -> Result<()> {
    let sets = sets()?;
    let mut table = Table::new(&["tool", "set", "recall", "precision", "s"]);
    let mut by_weakness = Table::new(&["CWE", "tool", "found", "of"]);
    for tool in tools {
        let mut all = Score::default();
        let mut seconds = 0.0;
        for set in &sets {
            let (mut found, took) = tool.look_at(&set.root)?;
            found.retain(Found::is_loud);
            let score = Score::of(&set.faults, &found);
            table.row([
                tool.name().to_owned(),
                set.name.to_owned(),
                score.recall(),
                score.precision(),
                format!("{took:.2}"),
            ]);
            if args.list {
                score.print(tool.name(), set.name);
            }
            all.add(score);
            seconds += took;
        }
        table.row([
            tool.name().to_owned(),
            "all".to_owned(),
            all.recall(),
            all.precision(),
            format!("{seconds:.2}"),
        ]);
        for (cwe, (found, of)) in all.by_weakness() {
            by_weakness.row([
                cwe.to_string(),
                tool.name().to_owned(),
                found.to_string(),
                of.to_string(),
            ]);
        }
    }
    println!("{table}\n{by_weakness}");
    Ok(())
}

/// Prints how often each popular package is stopped, and by what.
fn stopped(lint: &Lint, sources: &[packages::Source]) -> Result<()> {
    let mut table = Table::new(&["package", "files", "blocks"]);
    let (mut files, mut blocks) = (0, 0);
    let mut places = Vec::new();
    for source in sources {
        let report = lint.report(&source.folder, &[])?;
        let stops: Vec<_> = report.findings.iter().filter(|one| one.blocks).collect();
        table.row([
            source.name.clone(),
            report.files.to_string(),
            stops.len().to_string(),
        ]);
        places.extend(
            stops
                .iter()
                .map(|one| format!("{}: {}:{} {}", source.name, one.file, one.line, one.rule_id)),
        );
        files += report.files;
        blocks += stops.len();
    }
    let rate = blocks as f64 * 1_000.0 / files.max(1) as f64;
    println!(
        "{table}\n{} packages, {files} files: {rate:.2} blocks per 1,000 files (at most 2)",
        PACKAGES.len()
    );
    places.iter().for_each(|place| println!("- {place}"));
    println!();
    Ok(())
}
