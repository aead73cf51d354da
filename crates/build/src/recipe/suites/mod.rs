//! Runs an app's own tests over its image: in sandboxes, without a network, in a copy of the app's
//! files that they may change.

mod counts;
mod node;
mod python;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use model::Digest;
use model::failure::Failure;
use model::image::LayerKind;
use model::limits::TestLimits;
use model::suite::{Counted, Framework, Suite, SuiteEnd, TestReport};
use ports::workshop::{Bind, JobEnd, Network};
use ports::{TestRequest, Tested};
use walkdir::WalkDir;

use crate::detect::{Suites, runtimes};
use crate::layer::{LayerError, Scratch};
use crate::recipe::Recipe;
use crate::recipe::build::{Sees, copy_source};
use crate::recipe::job::{Command, Runner, read, write};
use crate::recipe::kit::{Kit, Order, RECIPES, key};
use crate::recipe::start::APP;

/// Where a suite's process leaves its report.
const COUNTS: &str = "/mayfly/counts";
/// Where our own programs for tests lie.
const PROGRAMS: &str = "/mayfly/tests";
/// How many of a suite's last lines are kept.
const LAST_LINES: usize = 12;

/// The identity of all that decides how the tests of an image end.
pub(crate) fn identity(request: &TestRequest, suites: &Suites) -> Digest {
    let files = serde_json::to_string(&request.source.snapshot.entries).unwrap_or_default();
    let env = serde_json::to_string(&variables(request)).unwrap_or_default();
    let limits = request.manifest.test_limits();
    key(&[
        "tests",
        RECIPES,
        python::RUNNER,
        node::REPORTER,
        &request.image.digest.to_string(),
        &files,
        &env,
        &format!("{suites:?} {limits:?}"),
    ])
}

/// Runs every suite to its end.
pub(crate) async fn run(
    kit: &Kit,
    order: &Order<'_>,
    request: &TestRequest,
    recipe: &Recipe,
    suites: &Suites,
) -> Result<Tested, Failure> {
    let (python, nodes) = runtimes(recipe);
    let trial = Trial {
        kit,
        order,
        request,
        limits: request.manifest.test_limits(),
    };
    let mut tested = Tested {
        report: TestReport {
            suites: vec![],
            notes: suites.notes.clone(),
        },
        pins: BTreeMap::new(),
    };
    if let (Some(recipe), Some(suite)) = (python, &suites.python) {
        let (ran, pins) = python::run(&trial, recipe, suite).await?;
        tested.report.suites.push(ran);
        tested.pins.extend(pins);
    }
    for suite in &suites.node {
        let recipe = nodes.iter().find(|node| node.folder == suite.app);
        if let Some(recipe) = recipe {
            tested
                .report
                .suites
                .push(node::run(&trial, recipe, suite).await?);
        }
    }
    Ok(tested)
}

/// What tests see beside their framework's own: what `[env]` says, and public variables.
fn variables(request: &TestRequest) -> BTreeMap<String, String> {
    let mut env = request.manifest.env.clone();
    env.extend(request.public_env.clone());
    env
}

/// One image under test.
struct Trial<'a, 'o> {
    kit: &'a Kit,
    order: &'a Order<'o>,
    request: &'a TestRequest,
    limits: TestLimits,
}

/// One suite, described by what differs between suites.
struct Run<'a> {
    framework: Framework,
    /// What a person types.
    typed: &'a str,
    /// Where it starts, in the source.
    folder: &'a str,
    /// A shell script.
    script: &'a str,
    /// Unpacked layers, lowest first.
    layers: Vec<PathBuf>,
    /// Packages in the app's folder.
    binds: Vec<Bind>,
    env: BTreeMap<String, String>,
    /// A program of ours: its name and text.
    program: (&'a str, &'a str),
}

impl Trial<'_, '_> {
    /// The app's files, as tests may change them: the source, and what the build made of it.
    fn files(&self) -> Result<Scratch, Failure> {
        let work = self.kit.packer.scratch()?;
        let root = work.path().join("app");
        copy_source(self.order, &Sees::All, &root)?;
        for folder in ["counts", "programs"] {
            let path = work.path().join(folder);
            fs::create_dir(&path).map_err(LayerError::at(path))?;
        }
        Ok(work)
    }

    /// Unpacked layers of the image, lowest first.
    async fn image_layers(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut layers = Vec::new();
        for layer in &self.request.image.layers {
            layers.push(self.kit.packer.unpacked(layer).await?);
        }
        Ok(layers)
    }

    /// Adds what the app's build made to `root`, where the source has nothing of that name.
    async fn add_built(&self, root: &Path) -> Result<(), Failure> {
        let layers = self.request.image.layers.iter();
        let Some(layer) = layers.rev().find(|layer| layer.kind == LayerKind::App) else {
            return Ok(());
        };
        let built = self.kit.packer.unpacked(layer).await?;
        let built = built.join(APP.trim_start_matches('/'));
        add_missing(&built, root).map_err(|cause| LayerError::at(root)(cause))?;
        Ok(())
    }

    async fn run(&self, work: &Scratch, run: Run<'_>) -> Result<Suite, Failure> {
        let (counts, programs) = (work.path().join("counts"), work.path().join("programs"));
        let (name, text) = run.program;
        let path = programs.join(name);
        fs::write(&path, text).map_err(LayerError::at(path))?;
        let mut binds = vec![
            write(work.path().join("app"), APP),
            write(&counts, COUNTS),
            read(&programs, PROGRAMS),
        ];
        binds.extend(run.binds);
        let mut env = variables(self.request);
        env.extend(run.env);
        // Colours and questions are for people at a terminal.
        env.insert("CI".into(), "1".into());
        let step = format!("test: {}", run.typed);
        let workdir = Path::new(APP).join(run.folder);
        let command = Command {
            step: &step,
            layers: run.layers,
            binds,
            script: run.script,
            env,
            workdir: workdir.to_str().unwrap_or(APP),
            network: Network::None,
        };
        let runner = Runner {
            limits: self.limits.into(),
            ..self.kit.runner(self.order)
        };
        let began = Instant::now();
        let done = runner.observe(command).await?;
        let told = counts::read(&counts);
        let (framework, counted) = match (run.framework, told.counted) {
            (Framework::Script, Counted::Missing) => (Framework::Script, Counted::Uncounted),
            // It ran Node's own tests, and these report.
            (Framework::Script, counted) => (Framework::NodeTest, counted),
            (framework, counted) => (framework, counted),
        };
        let said = done.lines.iter().filter(|line| !line.trim().is_empty());
        let said: Vec<String> = said.cloned().collect();
        Ok(Suite {
            framework,
            command: run.typed.to_owned(),
            folder: run.folder.to_owned(),
            counted,
            failures: told.failures,
            running: told.running,
            end: match done.report.end {
                JobEnd::Exit(exit) => SuiteEnd::Ended { exit },
                JobEnd::TimedOut => SuiteEnd::TimedOut {
                    seconds: self.limits.seconds,
                },
                JobEnd::DiskLimit => SuiteEnd::DiskLimit,
            },
            said: said[said.len().saturating_sub(LAST_LINES)..].to_vec(),
            millis: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// Copies what `to` has nothing of; links are copied as links.
fn add_missing(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    for entry in WalkDir::new(from).min_depth(1) {
        let entry = entry.map_err(std::io::Error::other)?;
        let path = entry
            .path()
            .strip_prefix(from)
            .map_err(std::io::Error::other)?;
        let target = to.join(path);
        let there = fs::symlink_metadata(&target).is_ok();
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
        } else if there {
            continue;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
