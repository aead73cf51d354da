//! Runs a policy's own tests.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::ast;
use crate::compile;
use crate::limits::timer;
use crate::load::{Policies, PolicyError};

/// How long one test may take: it asks many questions.
const LONGEST: Duration = Duration::from_secs(30);

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TestOutcome {
    /// Its rule holds.
    Passed,
    /// Its rule does not hold.
    Failed,
    /// Its rule could not be evaluated.
    Broken(String),
    /// It is called `todo_test_…`.
    Todo,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// The file.
    pub file: String,
    /// Where the rule begins, from 1.
    pub line: u32,
    /// The rule, with its package: `mayfly_test.test_a_secret_denies`.
    pub name: String,
    /// How it ended.
    pub outcome: TestOutcome,
    /// How long it took.
    #[serde(skip)]
    pub took: Duration,
}

/// All tests of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suite {
    /// In the order of their files and names.
    pub results: Vec<TestResult>,
}

impl Suite {
    /// Whether there are tests, and none failed or broke.
    pub fn passed(&self) -> bool {
        let good =
            |one: &TestResult| matches!(one.outcome, TestOutcome::Passed | TestOutcome::Todo);
        let ran = |one: &TestResult| one.outcome == TestOutcome::Passed;
        self.results.iter().all(good) && self.results.iter().any(ran)
    }
}

impl fmt::Display for TestResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file, line, name, ..
        } = self;
        match &self.outcome {
            TestOutcome::Passed => write!(f, "pass  {name}"),
            TestOutcome::Todo => write!(f, "todo  {name}"),
            TestOutcome::Failed => write!(f, "FAIL  {name} ({file}:{line})"),
            TestOutcome::Broken(why) => write!(f, "FAIL  {name} ({file}:{line}): {why}"),
        }
    }
}

impl Policies {
    /// Runs every rule `test_…` of the files `*_test.rego`, by the interpreter: the bytecode has no
    /// `with`.
    pub fn test(&self) -> Result<Suite, PolicyError> {
        let mut engine = self.engine.clone();
        engine.set_execution_timer_config(timer(LONGEST));
        for (file, text) in self.spelled.tests() {
            compile::add(&mut engine, file, text)?;
        }
        let modules = engine.get_modules().clone();
        let mut results = Vec::new();
        for module in modules.iter() {
            let file = module.package.span.source.get_path().clone();
            let package = ast::package(module);
            for (rule, line) in ast::tests(module) {
                let began = Instant::now();
                let outcome = match rule.starts_with("todo_") {
                    true => TestOutcome::Todo,
                    false => outcome(&mut engine, &format!("data.{package}.{rule}")),
                };
                results.push(TestResult {
                    file: file.clone(),
                    line,
                    name: format!("{package}.{rule}"),
                    outcome,
                    took: began.elapsed(),
                });
            }
        }
        Ok(Suite { results })
    }
}

/// A test passes when its rule is true and nothing else; an undefined one fails.
fn outcome(engine: &mut regorus::Engine, path: &str) -> TestOutcome {
    match engine.eval_rule(path.to_owned()) {
        Ok(value) if value == regorus::Value::from(true) => TestOutcome::Passed,
        Ok(_) => TestOutcome::Failed,
        Err(error) => TestOutcome::Broken(compile::told(&error)),
    }
}
