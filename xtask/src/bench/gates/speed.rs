//! How fast files are read: a thousand of popular packages' sources, with two workers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use sha2::{Digest, Sha256};

use super::packages::Source;
use super::tools::{Lint, Timing};
use crate::bench::stats;
use crate::bench::table::Table;

const FILES: usize = 1_000;
const BYTES: u64 = 6_700_000;
/// Larger sources are few, and would be most of the sample.
const FILE_BYTES: u64 = 100_000;
const TARGET: Duration = Duration::from_millis(500);

/// Measures and prints.
pub fn run(lint: &Lint, sources: &[Source], runs: usize) -> Result<()> {
    let scratch = tempfile::Builder::new().prefix("mayfly-bench-").tempdir()?;
    let size_bytes = sample(sources, scratch.path())?;
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        first.push(lint.report(scratch.path(), &[])?.timing);
        let second = lint.report(scratch.path(), &["--again"])?;
        ensure!(second.known == FILES, "{} files were known", second.known);
        again.push(second.timing);
    }
    let mut table = Table::new(&["ms", "patterns", "texts", "parsing", "taint", "in all"]);
    table.row(line("all new", &first));
    table.row(line("nothing changed", &again));
    println!(
        "{table}\n{FILES} files of {:.1} MB, two workers (whose times are added up); at most {} ms in all",
        size_bytes as f64 / 1e6,
        TARGET.as_millis()
    );
    Ok(())
}

fn line(name: &str, timings: &[Timing]) -> [String; 6] {
    let median = |of: fn(&Timing) -> Duration| {
        let samples: Vec<f64> = timings
            .iter()
            .map(|one| of(one).as_secs_f64() * 1e3)
            .collect();
        format!("{:.0}", stats::median(&samples))
    };
    [
        name.to_owned(),
        median(|one| one.patterns),
        median(|one| one.texts),
        median(|one| one.lowering),
        median(|one| one.taint),
        median(|one| one.total),
    ]
}

/// Copies files, chosen by a hash of their names, until they are as many and as large as they should
/// be. Returns their size.
fn sample(sources: &[Source], to: &Path) -> Result<u64> {
    let mut files = Vec::new();
    for source in sources {
        collect(
            &source.folder,
            &source.folder,
            &source.name.replace(' ', "-"),
            &mut files,
        )?;
    }
    files.sort_by_key(|(name, _, _)| Sha256::digest(name).to_vec());
    let (mut count, mut size_bytes) = (0, 0);
    for (name, path, length) in files {
        // As large on average, at every point.
        let fits = size_bytes + length <= BYTES * (count + 1) / FILES as u64 + FILE_BYTES;
        if count == FILES as u64 {
            break;
        }
        if length > FILE_BYTES || !fits {
            continue;
        }
        let copy = to.join(name);
        fs::create_dir_all(copy.parent().unwrap_or(to))?;
        fs::copy(path, copy)?;
        (count, size_bytes) = (count + 1, size_bytes + length);
    }
    ensure!(count == FILES as u64, "only {count} files");
    Ok(size_bytes)
}

fn collect(
    root: &Path,
    folder: &Path,
    package: &str,
    files: &mut Vec<(String, PathBuf, u64)>,
) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(root, &path, package, files)?;
            continue;
        }
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .unwrap_or_default();
        let length = entry.metadata()?.len();
        // Modules that only hand on others are no work.
        if matches!(ending, "py" | "js" | "mjs" | "cjs" | "ts" | "html") && length > 500 {
            let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
            files.push((format!("{package}/{name}"), path, length));
        }
    }
    Ok(())
}
