//! Suites on Node.

use std::collections::BTreeMap;

use model::failure::Failure;
use model::suite::{Framework, Suite};

use super::{Run, Trial};
use crate::detect::NodeSuite;
use crate::recipe::{NodeRecipe, build, node};

/// Writes what became of the tests of Node's own runner.
pub(super) const REPORTER: &str = include_str!("reporter.mjs");

/// Node's runner prints for people, and writes for us.
const OPTIONS: &str = "--test-reporter=spec --test-reporter-destination=stdout --test-reporter=/mayfly/tests/reporter.mjs --test-reporter-destination=stderr";

/// Runs a suite.
pub(super) async fn run(
    trial: &Trial<'_, '_>,
    recipe: &NodeRecipe,
    suite: &NodeSuite,
) -> Result<Suite, Failure> {
    let made = node::make(trial.kit, trial.order, recipe).await?;
    let work = trial.files()?;
    if recipe.build.is_some() {
        trial.add_built(&work.path().join("app")).await?;
    }
    let packages = node::packages(recipe, &made);
    build::modules(&work.path().join("app"), &packages)?;
    let binds = build::packages(work.path(), &packages, &node::CACHES)?;
    let mut env: BTreeMap<String, String> = [
        ("PATH", node::path_variable(recipe)),
        ("NODE_ENV", "test".to_owned()),
        ("DO_NOT_TRACK", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let counted = [Framework::NodeTest, Framework::Script].contains(&suite.framework);
    if counted && !suite.command.contains("--test-reporter") {
        env.insert("NODE_OPTIONS".into(), OPTIONS.into());
    }
    let run = Run {
        framework: suite.framework,
        typed: &suite.typed,
        folder: &suite.folder,
        script: &suite.command,
        layers: made.dirs(),
        binds,
        env,
        program: ("reporter.mjs", REPORTER),
    };
    trial.run(&work, run).await
}
