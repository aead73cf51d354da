//! Checks a folder and prints what it found: `cargo run -p lint --example check DIR [--json]`. With
//! `--again` it checks it twice, and prints what the second time says, which knows the files.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lint::{Folder, Listed, MemoryCache, Settings, WorkerCommand};

/// As mayfly has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const WORKER: &str = "--worker";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == WORKER) {
        return match lint::worker::run() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    let Some(root) = args.iter().find(|arg| !arg.starts_with("--")) else {
        eprintln!("usage: check DIR [--json] [--timing] [--again]");
        return ExitCode::from(2);
    };
    let program = env::current_exe().expect("this program has a path");
    let settings = Settings::new(WorkerCommand {
        program,
        args: vec![WORKER.into()],
    });
    let again = args.iter().any(|arg| arg == "--again");
    let folder = Folder {
        root: PathBuf::from(root),
        files: files(Path::new(root)),
    };
    let cache = MemoryCache::default();
    let check = || lint::check(&folder, &settings, &cache);
    let report = match check().and_then(|first| if again { check() } else { Ok(first) }) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if args.iter().any(|arg| arg == "--json") {
        println!(
            "{}",
            serde_json::to_string_pretty(&report).expect("a report is JSON")
        );
    } else {
        print(&report);
    }
    if args.iter().any(|arg| arg == "--timing") {
        println!("{} files, {:?}", report.files, report.timing);
    }
    match report.findings.iter().any(|finding| finding.blocks) {
        true => ExitCode::from(3),
        false => ExitCode::SUCCESS,
    }
}

fn print(report: &lint::Report) {
    for finding in &report.findings {
        let verdict = if finding.blocks { "blocks" } else { "warns" };
        println!(
            "{}:{}: {verdict} {} (CWE-{}, {:?})",
            finding.file,
            finding.line,
            finding.rule_id,
            finding.cwe.unwrap_or_default(),
            finding.confidence
        );
        println!("    {}", finding.snippet);
        for step in &finding.trace {
            println!("    {}:{} {}", step.file, step.line, step.what);
        }
    }
}

fn files(root: &Path) -> Vec<Listed> {
    let walk = walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            !(entry.file_type().is_dir() && model::snapshot::leaves_out_folder(&name))
                || entry.depth() == 0
        });
    let files = walk
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| Listed {
            path: entry
                .path()
                .strip_prefix(root)
                .expect("below the root")
                .to_string_lossy()
                .into_owned(),
            size_bytes: entry.metadata().map_or(0, |metadata| metadata.len()),
            digest: std::fs::read(entry.path())
                .ok()
                .map(|bytes| model::Digest::of(&bytes)),
            is_tracked: None,
        });
    files.collect()
}
