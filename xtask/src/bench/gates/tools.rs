//! The tools that look for faults: mayfly's own, and others'.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::score::Found;
use crate::command::{self, command};
use crate::judges;
use crate::place;
use crate::setup;

/// Others' tools, each pinned.
const PYTHON: [&str; 2] = ["bandit==1.9.4", "njsscan==1.0.2"];

/// A tool that looks for faults.
pub enum Tool {
    /// Ours.
    Lint(Lint),
    /// PyPI's `bandit`.
    Bandit(PathBuf),
    /// PyPI's `njsscan`.
    Njsscan(PathBuf),
    /// gitleaks.
    Gitleaks(PathBuf),
}

/// Others' tools, installed when they are not there yet.
pub fn others() -> Result<Vec<Tool>> {
    let python = setup::python_packages("gates", &PYTHON)?;
    Ok(vec![
        Tool::Bandit(python.join("bin/bandit")),
        Tool::Njsscan(python.join("bin/njsscan")),
        Tool::Gitleaks(judges::GITLEAKS.built()?),
    ])
}

impl Tool {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Lint(_) => "mayfly",
            Self::Bandit(_) => "bandit",
            Self::Njsscan(_) => "njsscan",
            Self::Gitleaks(_) => "gitleaks",
        }
    }

    /// What it finds in a folder, and the seconds that it took.
    pub fn look_at(&self, root: &Path) -> Result<(Vec<Found>, f64)> {
        let began = Instant::now();
        let found = match self {
            Self::Lint(lint) => lint.look_at(root)?,
            Self::Bandit(program) => bandit(program, root)?,
            Self::Njsscan(program) => njsscan(program, root)?,
            Self::Gitleaks(program) => gitleaks(program, root)?,
        };
        Ok((found, began.elapsed().as_secs_f64()))
    }
}

/// The program that checks one folder.
#[derive(Clone)]
pub struct Lint(PathBuf);

/// What it reports.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// What was found.
    pub findings: Vec<Finding>,
    /// How many files there were.
    pub files: usize,
    /// How many were known from before.
    pub known: usize,
    /// What took how long.
    pub timing: Timing,
}

/// One finding.
#[derive(Debug, Deserialize)]
pub struct Finding {
    pub rule_id: String,
    pub file: String,
    pub line: u32,
    pub blocks: bool,
    cwe: Option<u32>,
    severity: String,
    confidence: String,
}

/// Times of the workers, added up, and of the whole.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Timing {
    pub patterns: std::time::Duration,
    pub texts: std::time::Duration,
    pub lowering: std::time::Duration,
    pub taint: std::time::Duration,
    pub total: std::time::Duration,
}

impl Lint {
    /// Compiled as it is released.
    pub fn build() -> Result<Self> {
        let build = [
            "build",
            "--release",
            "--package",
            "lint",
            "--example",
            "check",
        ];
        command::run(&mut command("cargo", build))?;
        Ok(Self(place::target().join("release/examples/check")))
    }

    /// What it reports of a folder. It says by its code that it blocks: that is no failure.
    pub fn report(&self, folder: &Path, flags: &[&str]) -> Result<Report> {
        let mut check = Command::new(&self.0);
        let output = output(check.arg(folder).arg("--json").args(flags))?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("no report of `{}`", folder.display()))
    }

    /// Looks at each app of a set by itself.
    fn look_at(&self, root: &Path) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for app in apps(root)? {
            let name = app.strip_prefix(root)?.to_string_lossy().into_owned();
            let findings = self.report(&app, &[])?.findings;
            found.extend(findings.into_iter().map(|one| Found {
                file: format!("{name}/{}", one.file),
                cwe: one.cwe.unwrap_or_default(),
                line: one.line,
                is_loud: is_half(&one.severity) && is_half(&one.confidence),
            }));
        }
        Ok(found)
    }
}

/// The apps of a set: those of each kind, or, where there are no kinds, every folder.
fn apps(root: &Path) -> Result<Vec<PathBuf>> {
    let mut apps = Vec::new();
    let kinds = ["bad", "good"].map(|kind| root.join(kind));
    let parents = match kinds[0].is_dir() {
        true => kinds.to_vec(),
        false => vec![root.to_owned()],
    };
    for parent in parents {
        for entry in fs::read_dir(&parent)? {
            apps.push(entry?.path());
        }
    }
    apps.retain(|app| app.is_dir());
    apps.sort();
    ensure!(!apps.is_empty(), "no apps below `{}`", root.display());
    Ok(apps)
}

fn is_half(word: &str) -> bool {
    matches!(
        word.to_ascii_lowercase().as_str(),
        "medium" | "high" | "critical" | "warning" | "error"
    )
}

fn output(command: &mut Command) -> Result<Output> {
    let line = command::line(command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    output.with_context(|| format!("`{line}` cannot be started"))
}

fn relative(root: &Path, file: &str) -> String {
    let path = Path::new(file);
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

fn number(value: &Value) -> u32 {
    value
        .as_u64()
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn bandit(program: &Path, root: &Path) -> Result<Vec<Found>> {
    let mut bandit = Command::new(program);
    let output = output(
        bandit
            .args(["--recursive", "--quiet", "--format", "json"])
            .arg(root),
    )?;
    let report: Value = serde_json::from_slice(&output.stdout).context("bandit's report")?;
    let results = report["results"].as_array().context("bandit's results")?;
    let found = results.iter().map(|one| Found {
        file: relative(root, &text(&one["filename"])),
        cwe: number(&one["issue_cwe"]["id"]),
        line: number(&one["line_number"]),
        is_loud: is_half(&text(&one["issue_severity"])) && is_half(&text(&one["issue_confidence"])),
    });
    Ok(found.collect())
}

fn njsscan(program: &Path, root: &Path) -> Result<Vec<Found>> {
    let scratch = tempfile::Builder::new().prefix("mayfly-bench-").tempdir()?;
    let file = scratch.path().join("report.json");
    let mut njsscan = Command::new(program);
    // It looks for its engine beside itself by `$PATH` alone.
    let beside = program.parent().unwrap_or(root).to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([beside].into_iter().chain(std::env::split_paths(&path)))?;
    njsscan.env("PATH", path);
    output(njsscan.arg("--json").arg("--output").arg(&file).arg(root))?;
    let report: Value = serde_json::from_slice(&fs::read(&file).context("njsscan's report")?)?;
    let mut found = Vec::new();
    for part in ["nodejs", "templates"] {
        let rules = report[part].as_object().into_iter().flatten();
        for (_, rule) in rules {
            let cwe = cwe(&text(&rule["metadata"]["cwe"]));
            let is_loud = is_half(&text(&rule["metadata"]["severity"]));
            for one in rule["files"].as_array().into_iter().flatten() {
                let file = relative(root, &text(&one["file_path"]));
                let line = number(&one["match_lines"][0]);
                found.push(Found {
                    file,
                    cwe,
                    line,
                    is_loud,
                });
            }
        }
    }
    Ok(found)
}

/// `CWE-79: Improper Neutralization …`
fn cwe(text: &str) -> u32 {
    let digits = text.trim_start_matches(|letter: char| !letter.is_ascii_digit());
    let end = digits
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().unwrap_or_default()
}

/// It knows secrets alone, which are one weakness.
fn gitleaks(program: &Path, root: &Path) -> Result<Vec<Found>> {
    const SECRETS: u32 = 798;
    let scratch = tempfile::Builder::new().prefix("mayfly-bench-").tempdir()?;
    let file = scratch.path().join("report.json");
    let mut gitleaks = Command::new(program);
    let options = [
        "--no-banner",
        "--report-format",
        "json",
        "--exit-code",
        "0",
        "--report-path",
    ];
    output(gitleaks.arg("dir").args(options).arg(&file).arg(root))?;
    let report: Value = serde_json::from_slice(&fs::read(&file).context("gitleaks' report")?)?;
    let found = report.as_array().into_iter().flatten().map(|one| Found {
        file: relative(root, &text(&one["File"])),
        cwe: SECRETS,
        line: number(&one["StartLine"]),
        is_loud: true,
    });
    Ok(found.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_weakness_is_read_from_its_name() {
        for (text, expected) in [("CWE-79: Improper", 79), ("cwe-89", 89), ("", 0)] {
            assert_eq!(cwe(text), expected, "{text}");
        }
    }
}
