//! OPA as a program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::answers::ENTRIES;
use crate::command::{self, command};

/// So many questions are asked at once: starting costs more than answering.
const BATCH: usize = 1_500;

/// The program.
pub(super) struct Opa {
    program: PathBuf,
}

impl Opa {
    pub(super) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Fails unless the policy passes the strict check and its own tests.
    pub(super) fn takes(&self, policy: &Path) -> Result<()> {
        command::run(self.command("check").arg("--strict").arg(policy))?;
        let told = command::capture(self.command("test").args(["--format", "json"]).arg(policy))?;
        let tests: Vec<Value> = serde_json::from_str(&told)?;
        let failed =
            |test: &&Value| test["fail"] == true || test.get("error").is_some_and(|e| !e.is_null());
        let skipped = |test: &&Value| test["skip"] == true;
        ensure!(!tests.is_empty(), "OPA finds no tests");
        ensure!(
            tests.iter().filter(failed).count() == 0,
            "tests fail: {told}"
        );
        ensure!(
            tests.iter().filter(skipped).count() == 0,
            "tests are skipped: {told}"
        );
        eprintln!("OPA runs {} tests", tests.len());
        Ok(())
    }

    /// What the policy says to each question, before anything is lifted: the sets by their names.
    pub(super) fn answers(&self, policy: &Path, questions: &[&Value]) -> Result<Vec<Value>> {
        let query = query(&self.packages(policy)?);
        let mut answers = Vec::with_capacity(questions.len());
        for batch in questions.chunks(BATCH) {
            let said = self.ask(policy, &query, batch)?;
            ensure!(
                said.len() == batch.len(),
                "OPA gives {} answers to {}",
                said.len(),
                batch.len()
            );
            answers.extend(said);
        }
        Ok(answers)
    }

    fn ask(&self, policy: &Path, query: &str, questions: &[&Value]) -> Result<Vec<Value>> {
        let input = tempfile::Builder::new().suffix(".json").tempfile()?;
        serde_json::to_writer(&input, &json!({ "questions": questions }))?;
        let mut eval = self.command("eval");
        eval.args(["--format", "json", "--input"]).arg(input.path());
        eval.arg("--data")
            .arg(policy)
            .args(["--ignore", "*_test.rego", query]);
        let told: Value = serde_json::from_str(&command::capture(&mut eval)?)?;
        let answers = &told["result"][0]["expressions"][0]["value"];
        Ok(answers.as_array().context("OPA answers nothing")?.clone())
    }

    /// The packages of the files that decide: `data.mayfly`.
    fn packages(&self, policy: &Path) -> Result<Vec<String>> {
        let mut inspect = self.command("inspect");
        let told = command::capture(inspect.args(["--format", "json"]).arg(policy))?;
        let told: Value = serde_json::from_str(&told)?;
        let packages = told["namespaces"]
            .as_object()
            .context("OPA sees no package")?;
        let decides = |files: &Value| {
            let mut files = files
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            files.any(|file| !file.ends_with("_test.rego"))
        };
        let deciding = packages.iter().filter(|(_, files)| decides(files));
        Ok(deciding.map(|(name, _)| name.clone()).collect())
    }

    fn command(&self, action: &str) -> Command {
        command(&self.program.to_string_lossy(), [action])
    }
}

/// Every question is a part of one input, and takes the input's place in turn. What a package does
/// not define adds nothing.
fn query(packages: &[String]) -> String {
    let set = |entry: &str| {
        let of = |package: &String| {
            format!("{{m | some m in {package}.{entry} with input as question}}")
        };
        let all: Vec<String> = packages.iter().map(of).collect();
        format!("\"{entry}\": {}", all.join(" | "))
    };
    let sets = ENTRIES.map(set).join(", ");
    format!("[answer | some question in input.questions; answer := {{{sets}}}]")
}
