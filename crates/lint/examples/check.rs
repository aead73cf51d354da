//! Checks a folder and prints what it found: `cargo run -p lint --example check DIR [--json]`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lint::{Folder, Listed, MemoryCache, Settings, WorkerCommand};

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
        eprintln!("usage: check DIR [--json] [--timing]");
        return ExitCode::from(2);
    };
    let program = env::current_exe().expect("this program has a path");
    let settings = Settings::new(WorkerCommand {
        program,
        args: vec![WORKER.into()],
    });
    let folder = Folder {
        root: PathBuf::from(root),
        files: files(Path::new(root)),
    };
    let report = match lint::check(&folder, &settings, &MemoryCache::default()) {
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
            digest: None,
            is_tracked: None,
        });
    files.collect()
}
