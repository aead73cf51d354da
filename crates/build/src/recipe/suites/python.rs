//! Suites in Python.

use std::collections::BTreeMap;

use model::failure::Failure;
use model::suite::{Framework, Suite};

use super::{Run, Trial};
use crate::detect::{PythonSuite, PythonTests};
use crate::recipe::start::quoted;
use crate::recipe::{PythonRecipe, python};

/// Runs the tests of every framework, and writes what became of them.
pub(super) const RUNNER: &str = include_str!("run.py");

/// Runs a suite; returns more inputs to keep.
pub(super) async fn run(
    trial: &Trial<'_, '_>,
    recipe: &PythonRecipe,
    suite: &PythonSuite,
) -> Result<(Suite, BTreeMap<String, Vec<u8>>), Failure> {
    let (kit, order) = (trial.kit, trial.order);
    let made = python::make(kit, order, recipe).await?;
    let more = python::for_tests(kit, order, recipe, &made, suite).await?;
    let mut layers = trial.image_layers().await?;
    layers.extend(more.layer.iter().map(|layer| layer.dir.clone()));
    let work = trial.files()?;
    if recipe.build.is_some() {
        trial.add_built(&work.path().join("app")).await?;
    }
    let (framework, typed, script) = command(&suite.tests);
    let mut env = python::serve(recipe).env;
    if more.layer.is_some() {
        env.extend(python::variables_of_tests(&made));
    }
    let run = Run {
        framework,
        typed: &typed,
        folder: &suite.folder,
        script: &script,
        layers,
        binds: vec![],
        env,
        program: ("run.py", RUNNER),
    };
    Ok((trial.run(&work, run).await?, more.pins))
}

/// Whose tests they are, what a person types, and the script that runs and counts them.
fn command(tests: &PythonTests) -> (Framework, String, String) {
    let counted = |framework: &str, arguments: &[String]| {
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        let script = format!(
            "exec python /mayfly/tests/run.py {framework} {}",
            words.join(" ")
        );
        script.trim_end().to_owned()
    };
    let typed = |command: &str, arguments: &[String]| {
        format!("{command} {}", arguments.join(" "))
            .trim_end()
            .to_owned()
    };
    match tests {
        PythonTests::Pytest(arguments) => (
            Framework::Pytest,
            typed("pytest", arguments),
            counted("pytest", arguments),
        ),
        PythonTests::Unittest(arguments) => (
            Framework::Unittest,
            typed("python -m unittest", arguments),
            counted("unittest", arguments),
        ),
        PythonTests::Django => (
            Framework::Unittest,
            "python manage.py test".to_owned(),
            counted("django", &[]),
        ),
        PythonTests::Command(command) => (Framework::Script, command.clone(), command.clone()),
    }
}
