//! `cargo xtask fuzz`: parsers of foreign bytes meet bytes that nobody would write.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{self, command};
use crate::step::step;
use crate::{place, setup};

/// What is fuzzed, and for how long.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The target, a file in fuzz/fuzz_targets; all of them by default
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Runs the targets one after the other. Fails at the first that finds something; its bytes lie in
/// fuzz/artifacts then.
pub fn run(args: &Args) -> Result<()> {
    let program = setup::cargo_fuzz()?;
    let all = targets()?;
    let chosen = match &args.target {
        Some(name) if all.contains(name) => vec![name.clone()],
        Some(name) => bail!("there is no target `{name}`; there are {}", all.join(", ")),
        None => all,
    };
    for target in chosen {
        step(&target, || {
            command::run(&mut fuzz(&program, &target, args.seconds)?)
        })?;
    }
    Ok(())
}

/// The names of all targets, sorted.
fn targets() -> Result<Vec<String>> {
    let folder = place::repository().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("no `{}`", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.path());
    let mut names: Vec<String> = names
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Our code is safe Rust: coverage is what a target needs, not a sanitizer, which needs a nightly
/// compiler. What two runs of one target find goes into one corpus; what parsers would hardly meet
/// by chance is in `fuzz/seeds`.
fn fuzz(program: &Path, target: &str, seconds: u32) -> Result<Command> {
    let folder = place::repository().join("fuzz");
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let seeds = folder.join("seeds").join(target);
    let mut fuzz = command(&program.to_string_lossy(), ["run", "--sanitizer", "none"]);
    fuzz.arg("--target-dir")
        .arg(place::target().join("fuzz"))
        .arg(target)
        .arg(corpus)
        .args(Some(seeds).filter(|seeds| seeds.is_dir()))
        .args(["--", &format!("-max_total_time={seconds}")])
        .args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1"]);
    Ok(fuzz)
}
