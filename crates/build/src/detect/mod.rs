//! What kind of app a folder is, what speaks for that, and what a build of it has to do.
//!
//! Pure: it sees a [`Folder`], a list of paths whose text it may read, and starts no program.
//! Kinds are weighed by all that speaks for them; the first match does not win.

mod addresses;
mod bad_file;
mod both;
mod command;
mod folder;
mod node;
mod overrides;
mod ports;
mod python;
mod site;
mod suites;
mod unsupported;
mod weigh;

use model::env;
use model::failure::Failure;
use model::keep::{self, DEFAULT_KEEP, KeepRules};
use model::manifest::{KindSetting, Manifest};
use model::plan::{AppKind, Clue, Plan};

use crate::recipe::{Back, FilesRecipe, Front, NodeResult, Recipe, Start};

pub use folder::Folder;
pub(crate) use python::canonical;
pub use site::pages;
pub(crate) use suites::runtimes;
pub use suites::{NodeSuite, PythonSuite, PythonTests, Suites, may_have_tests, suites};

/// The least that must speak for a kind: a lone script is enough.
const ENOUGH: i32 = 8;

/// What was found out about a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// For people.
    pub plan: Plan,
    /// For the build.
    pub recipe: Recipe,
}

/// Finds out what kind of app the folder is. mayfly.toml has the last word.
///
/// Fails with `NotSupported` for a kind that there is no way to run yet, and with `BadManifest` for
/// a file of the app that cannot be read.
pub fn detect(folder: &Folder, manifest: &Manifest) -> Result<Detected, Failure> {
    let mut detected = match manifest.build.kind {
        Some(kind) => of_kind(folder, manifest, kind)?,
        None => guess(folder, manifest)?,
    };
    overrides::apply(&mut detected, manifest)?;
    if detected.recipe.start_mut().is_some() {
        let kept = kept_code(folder, &detected.plan.keep);
        detected.plan.warnings.extend(kept);
    }
    Ok(detected)
}

/// How many kept code files are reported.
const KEPT_REPORTED: usize = 5;

/// Code that a pattern of kept data matches: the data folder's copy counts from the second release
/// on, so that later edits do not reach the app.
fn kept_code(folder: &Folder, keep: &[String]) -> Vec<Clue> {
    let Ok(rules) = KeepRules::new(keep) else {
        return vec![];
    };
    let endings = [".py", ".js", ".mjs", ".cjs", ".ts", ".html", ".css"];
    let code = folder
        .files()
        .filter(|path| endings.iter().any(|end| path.ends_with(end)));
    let kept = code.filter_map(|path| Some((path, rules.kept(path, keep::Entry::File)?.0)));
    let clues = kept.map(|(path, part)| Clue {
        file: path.to_owned(),
        line: None,
        says: format!("is kept as data with `{part}`, so later edits of it do not reach the app; rename that, or set `keep` under [run] in mayfly.toml"),
    });
    clues.take(KEPT_REPORTED).collect()
}

fn guess(folder: &Folder, manifest: &Manifest) -> Result<Detected, Failure> {
    let node = node::look(folder)?;
    let python = python::look(folder)?;
    let site = site::look(folder);
    let other = unsupported::look(folder, node.other_runtime.as_ref());
    let weights = Weights {
        node: weigh::sum(&node.signals),
        python: weigh::sum(&python.signals),
        site: site.as_ref().map_or(0, |site| weigh::sum(&site.signals)),
        other: other.as_ref().map_or(0, |other| weigh::sum(&other.signals)),
    };
    if weights.other < 40
        && let Some(both) = both::look(folder)?
    {
        return describe_both(both, manifest);
    }
    // A root that only holds workspaces together is no app itself.
    let is_app = node.is_server() || node.is_front_end(folder);
    if !is_app
        && weights.python.max(weights.other) < 40
        && let Some((member, look)) = node::app_of_workspaces(folder)?
    {
        return describe_node(&member, look, manifest);
    }
    match weights.heaviest() {
        Some(Heaviest::Node) => describe_node(folder, node, manifest),
        Some(Heaviest::Python) => describe_python(folder, python, manifest),
        Some(Heaviest::Site) => {
            let look = site.ok_or_else(|| unsupported::nothing(folder))?;
            Ok(describe_site(folder, look))
        }
        Some(Heaviest::Other) => Err(other
            .as_ref()
            .map_or_else(|| unsupported::nothing(folder), unsupported::failure)),
        None if manifest.build.output.is_some() => of_kind(folder, manifest, KindSetting::Static),
        None => Err(unsupported::nothing(folder)),
    }
}

/// How much speaks for each kind.
#[derive(Debug, Clone, Copy)]
struct Weights {
    node: i32,
    python: i32,
    site: i32,
    other: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heaviest {
    Node,
    Python,
    Site,
    Other,
}

impl Weights {
    /// The kind that most speaks for; of equal ones the first in this order.
    fn heaviest(self) -> Option<Heaviest> {
        let all = [
            (self.python, Heaviest::Python),
            (self.node, Heaviest::Node),
            (self.site, Heaviest::Site),
            (self.other, Heaviest::Other),
        ];
        let most = all.iter().map(|(weight, _)| *weight).max()?;
        let winner = all.iter().find(|(weight, _)| *weight == most)?;
        (most >= ENOUGH).then_some(winner.1)
    }
}

fn of_kind(folder: &Folder, manifest: &Manifest, kind: KindSetting) -> Result<Detected, Failure> {
    match kind {
        KindSetting::Node => {
            let node = node::look(folder)?;
            let is_app = node.is_server() || node.is_front_end(folder);
            match node::app_of_workspaces(folder)?.filter(|_| !is_app) {
                Some((member, look)) => describe_node(&member, look, manifest),
                None => describe_node(folder, node, manifest),
            }
        }
        KindSetting::Python => describe_python(folder, python::look(folder)?, manifest),
        KindSetting::FrontAndBack => {
            let both = both::look(folder)?.ok_or_else(both::not_found)?;
            describe_both(both, manifest)
        }
        KindSetting::Static => {
            let node = node::look(folder)?;
            if node.is_front_end(folder) || manifest.build.command.is_some() {
                return describe_node(folder, node, manifest);
            }
            let look = match &manifest.build.output {
                Some(place) => site::at(folder, place.trim_end_matches('/')),
                None => site::look(folder).ok_or_else(|| unsupported::nothing(folder))?,
            };
            Ok(describe_site(folder, look))
        }
    }
}

fn describe_site(folder: &Folder, look: site::Look) -> Detected {
    let files = FilesRecipe {
        folder: look.place.clone(),
        pages: look.pages,
    };
    let warnings = addresses::in_front_end(folder);
    Detected {
        plan: Plan {
            evidence: weigh::clues(look.signals),
            warnings,
            ..empty_plan(folder, AppKind::Static, "none".into())
        },
        recipe: Recipe::Files(files),
    }
}

fn describe_node(
    folder: &Folder,
    look: node::Look,
    manifest: &Manifest,
) -> Result<Detected, Failure> {
    let evidence = weigh::clues(look.signals.clone());
    let described = node::describe(folder, look, manifest)?;
    let mut warnings = described.warnings;
    let empty = Start::default();
    let (start, port) = match &described.recipe.result {
        NodeResult::Server(start) => {
            warnings.extend(addresses::in_server(folder));
            (start, Some(start.port))
        }
        NodeResult::Site { .. } => {
            warnings.extend(addresses::in_front_end(folder));
            (&empty, None)
        }
    };
    let base = format!("node {}", described.recipe.version);
    Ok(Detected {
        plan: Plan {
            evidence,
            build: described.build,
            start: start.command.clone(),
            port,
            warnings,
            ..empty_plan(folder, AppKind::Node, base)
        },
        recipe: Recipe::Node(described.recipe),
    })
}

fn describe_python(
    folder: &Folder,
    look: python::Look,
    manifest: &Manifest,
) -> Result<Detected, Failure> {
    let mut evidence = weigh::clues(look.signals.clone());
    let described = python::describe(folder, look, manifest)?;
    evidence.extend(described.evidence);
    let mut warnings = described.warnings;
    warnings.extend(addresses::in_server(folder));
    let recipe = described.recipe;
    let base = python::base_of(&recipe.version);
    Ok(Detected {
        plan: Plan {
            evidence,
            build: described.build,
            start: recipe.start.command.clone(),
            before: before_lines(&recipe.start),
            port: Some(recipe.start.port),
            warnings,
            ..empty_plan(folder, AppKind::Python, base)
        },
        recipe: Recipe::Python(recipe),
    })
}

fn describe_both(both: both::Look, manifest: &Manifest) -> Result<Detected, Failure> {
    let both::Look {
        front_folder,
        front,
        back_folder,
        back,
    } = both;
    // `version`, `command` and `output` under [build] speak of one of the two: the version of the
    // back end, the build and the output of the front end.
    let (front_says, back_says) = overrides::shares(manifest);
    let front = match front {
        both::FrontLook::Built(look) => describe_node(&front_folder, look, &front_says)?,
        both::FrontLook::Files(look) => describe_site(&front_folder, look),
    };
    let back = match back {
        both::BackLook::Node(look) => describe_node(&back_folder, look, &back_says)?,
        both::BackLook::Python(look) => describe_python(&back_folder, look, &back_says)?,
    };
    let recipe = both::recipe(front.recipe, &front_folder, back.recipe)?;
    let mut plan = back.plan;
    plan.kind = AppKind::FrontAndBack;
    plan.evidence.splice(0..0, front.plan.evidence);
    let in_folder = |folder: &Folder, commands: Vec<String>| match folder.path() {
        "" => commands,
        path => commands
            .into_iter()
            .map(|command| format!("cd {path} && {command}"))
            .collect::<Vec<_>>(),
    };
    let mut build = in_folder(&front_folder, front.plan.build);
    build.extend(in_folder(&back_folder, plan.build));
    plan.build = build;
    if front.plan.base != "none" && front.plan.base != plan.base {
        plan.base = format!(
            "{}; {} for the front end's build",
            plan.base, front.plan.base
        );
    }
    plan.warnings.extend(front.plan.warnings);
    plan.warnings.dedup();
    Ok(Detected { plan, recipe })
}

fn before_lines(start: &Start) -> Vec<String> {
    start.before.iter().map(|words| words.join(" ")).collect()
}

fn empty_plan(folder: &Folder, kind: AppKind, base: String) -> Plan {
    Plan {
        kind,
        evidence: vec![],
        base,
        packages: vec![],
        build: vec![],
        start: vec![],
        before: vec![],
        port: None,
        health: "/".into(),
        keep: DEFAULT_KEEP.map(str::to_owned).to_vec(),
        env_keys: env_keys(folder),
        warnings: vec![],
        overridden: Default::default(),
    }
}

/// What `.env` files set, and what their examples ask for.
fn env_keys(folder: &Folder) -> Vec<String> {
    let mut keys = folder.env_keys().to_vec();
    for file in [".env.example", ".env.sample", ".env.template"] {
        let example = folder
            .text(file)
            .and_then(|text| env::parse_env_file(&text).ok());
        for name in example.into_iter().flat_map(|env| env.0.into_keys()) {
            if !keys.contains(&name) {
                keys.push(name);
            }
        }
    }
    keys
}

impl Recipe {
    /// The server's start, when the app has one.
    pub(crate) fn start_mut(&mut self) -> Option<&mut Start> {
        match self {
            Self::Files(_) => None,
            Self::Node(node)
            | Self::FrontAndBack {
                back: Back::Node(node),
                ..
            } => match &mut node.result {
                NodeResult::Server(start) => Some(start),
                NodeResult::Site { .. } => None,
            },
            Self::Python(python)
            | Self::FrontAndBack {
                back: Back::Python(python),
                ..
            } => Some(&mut python.start),
        }
    }

    /// The command that builds it: of the front end when it has one.
    pub(crate) fn build_mut(&mut self) -> Option<&mut Option<String>> {
        match self {
            Self::Files(_) => None,
            Self::Node(node) => Some(&mut node.build),
            Self::Python(python) => Some(&mut python.build),
            Self::FrontAndBack {
                front: Front::Built(node),
                ..
            } => Some(&mut node.build),
            Self::FrontAndBack {
                back: Back::Node(node),
                ..
            } => Some(&mut node.build),
            Self::FrontAndBack {
                back: Back::Python(python),
                ..
            } => Some(&mut python.build),
        }
    }
}

/// A clue as one line: `file:line says`.
pub fn clue_line(clue: &Clue) -> String {
    match clue.line {
        Some(line) => format!("{}:{line} {}", clue.file, clue.says),
        None => format!("{} {}", clue.file, clue.says),
    }
}

#[cfg(test)]
mod tests;
