//! Our policy, and what we answer by it, before OPA: the engine that the language comes from. It
//! evaluates every question that we answered, and has to say the same.

mod answers;
mod opa;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::command::{self, command};
use crate::judges::OPA;
use crate::place;
use crate::step::step;
use answers::Compared;
use opa::Opa;

/// What is judged.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Decisions of real runs in place of made-up questions: a JSON list, as the server gives it
    #[arg(long)]
    decisions: Option<PathBuf>,
}

/// A question, and what we answered.
#[derive(Debug, Clone, Deserialize)]
struct Asked {
    input: Value,
    answer: Value,
}

/// A decision of a run, with the policy that made it.
#[derive(Debug, Deserialize)]
struct Decided {
    run: Value,
    question: Value,
    files: BTreeMap<String, String>,
    decision: Value,
}

/// A policy changed in one place.
struct Change {
    file: &'static str,
    from: &'static str,
    to: &'static str,
    /// The set and the rule that we name in answers to the questions that tell.
    set: &'static str,
    rule: &'static str,
}

/// OPA has to see that we answer by another policy.
const CHANGES: [Change; 4] = [
    Change {
        file: "tests.rego",
        from: "input.tests.failed == 0",
        to: "input.tests.failed >= 0",
        set: "deny",
        rule: "tests.failed",
    },
    Change {
        file: "size.rego",
        from: "value <= limit",
        to: "value >= limit",
        set: "deny",
        rule: "size.memory",
    },
    Change {
        file: "exemptions.rego",
        from: "now_ns < time",
        to: "now_ns > time",
        set: "exempt",
        rule: "finding",
    },
    Change {
        file: "ttl.rego",
        from: "mayfly up --ttl 30d",
        to: "mayfly up --ttl 31d",
        set: "deny",
        rule: "ttl.long",
    },
];

/// Of a hundred questions so many may be of a shape that we do not evaluate.
const UNANSWERED_PERCENT: usize = 5;

/// Fails unless OPA takes the policy, runs its tests, and answers each question as we do.
pub fn run(args: &Args) -> Result<()> {
    let opa = step("OPA", || Ok(Opa::new(OPA.built()?)))?;
    match &args.decisions {
        Some(file) => step("decisions of runs", || recorded(&opa, file)),
        None => made_up(&opa),
    }
}

fn made_up(opa: &Opa) -> Result<()> {
    let policy = place::repository().join("policies");
    step("the policy and its tests", || opa.takes(&policy))?;
    let scratch = tempfile::Builder::new().prefix("mayfly-opa-").tempdir()?;
    let asked = step("our answers", || samples(scratch.path()))?;
    step("its answers", || agree(opa, &policy, &asked))?;
    step("a policy changed in one place is found to differ", || {
        let mut changes = CHANGES.iter();
        changes.try_for_each(|change| control(opa, &policy, &asked, change))
    })
}

/// The samples and their mutations, as the example answers them by the policy that comes with mayfly.
fn samples(scratch: &Path) -> Result<Vec<Asked>> {
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--package",
        "policy",
        "--example",
        "policy",
    ];
    command::run(&mut command("cargo", build))?;
    let example = place::target().join("debug/examples/policy");
    let out = scratch.join("samples.json");
    let mut ask = command(&example.to_string_lossy(), ["samples"]);
    command::run(ask.arg(&out))?;
    let asked: Vec<Asked> = serde_json::from_slice(&fs::read(out)?)?;
    // A comparison of nothing with nothing would agree as well.
    for entry in answers::ENTRIES {
        let speaks = |one: &&Asked| {
            one.answer[entry]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        };
        let speaking = asked.iter().filter(speaks).count();
        ensure!(speaking > 0, "no sample makes the policy say `{entry}`");
        eprintln!(
            "`{entry}` says something to {speaking} of {} questions",
            asked.len()
        );
    }
    Ok(asked)
}

fn agree(opa: &Opa, policy: &Path, asked: &[Asked]) -> Result<()> {
    let compared = compared(opa, policy, asked)?;
    for difference in compared.differences.iter().take(10) {
        eprintln!("  {difference}");
    }
    let (all, unanswered) = (asked.len(), compared.unanswered);
    ensure!(
        compared.differences.is_empty(),
        "OPA answers {} of {all} questions otherwise",
        compared.differences.len(),
    );
    ensure!(
        unanswered * 100 <= all * UNANSWERED_PERCENT,
        "we could not evaluate {unanswered} of {all} questions: nothing is judged"
    );
    eprintln!(
        "OPA answers {} of {all} questions as we do",
        all - unanswered
    );
    eprintln!(
        "  {unanswered} are of a broken shape: OPA leaves the rule out that cannot be evaluated, and \
         denies by another; we deny because it cannot"
    );
    Ok(())
}

fn compared(opa: &Opa, policy: &Path, asked: &[Asked]) -> Result<Compared> {
    let questions: Vec<&Value> = asked.iter().map(|one| &one.input).collect();
    let theirs = opa.answers(policy, &questions)?;
    let mut compared = Compared::default();
    for (number, (one, theirs)) in asked.iter().zip(theirs).enumerate() {
        compared.add(number, &one.answer, theirs)?;
    }
    Ok(compared)
}

/// Asks by the changed policy what the change is about; few questions are enough to tell.
fn control(opa: &Opa, policy: &Path, asked: &[Asked], change: &Change) -> Result<()> {
    let Change {
        file,
        from,
        to,
        set,
        rule,
    } = change;
    let changed = copy(policy)?;
    let path = changed.path().join(file);
    let text = fs::read_to_string(&path)?;
    ensure!(
        text.matches(from).count() == 1,
        "`{from}` is not once in {file}: the control changes nothing"
    );
    fs::write(&path, text.replace(from, to))?;
    let telling = asked.iter().filter(|one| one.names(set, rule)).take(100);
    let telling: Vec<Asked> = telling.cloned().collect();
    let found = compared(opa, changed.path(), &telling)?.differences.len();
    ensure!(
        found > 0,
        "OPA with `{to}` in {file} still says the same: it judges nothing"
    );
    eprintln!(
        "`{to}` in {file}: {found} differences in {} answers",
        telling.len()
    );
    Ok(())
}

impl Asked {
    /// Whether our answer has a message of the rule in the set.
    fn names(&self, set: &str, rule: &str) -> bool {
        let mut messages = self.answer[set].as_array().into_iter().flatten();
        messages.any(|message| message["rule"] == rule)
    }
}

/// The files that decide.
fn copy(policy: &Path) -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(policy)? {
        let entry = entry?;
        fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    Ok(folder)
}

/// Each run's question to the policy that decided about it.
fn recorded(opa: &Opa, file: &Path) -> Result<()> {
    let text = fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let decided: Vec<Decided> = serde_json::from_slice(&text)?;
    ensure!(
        !decided.is_empty(),
        "`{}` holds no decision",
        file.display()
    );
    for one in decided {
        let policy = tempfile::tempdir()?;
        for (name, text) in &one.files {
            let name = Path::new(name)
                .file_name()
                .context("a policy's file has no name")?;
            fs::write(policy.path().join(name), text)?;
        }
        let asked = [Asked {
            input: one.question,
            answer: one.decision,
        }];
        agree(opa, policy.path(), &asked).with_context(|| format!("run {}", one.run))?;
    }
    Ok(())
}
