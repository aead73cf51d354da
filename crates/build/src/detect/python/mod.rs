//! Python apps: what they need, and how they start.

mod code;
mod django;
mod missing;
mod names;
mod requirements;
mod start;
mod stdlib;
pub(in crate::detect) mod suites;
mod version;

pub(crate) use names::canonical;

use model::failure::{Failure, FailureCode};
use model::manifest::Manifest;
use model::plan::Clue;

use crate::detect::folder::Folder;
use crate::detect::weigh::{Signal, signal};
use crate::recipe::{PYTHONS, PythonPackages, PythonRecipe, PythonVersion};

pub(super) use code::Script;

/// What a folder has of a Python app.
pub(super) struct Look {
    scripts: Vec<Script>,
    listed: requirements::Listed,
    found: Option<start::Found>,
    /// What speaks for Python.
    pub(super) signals: Vec<Signal>,
}

/// A Python app, described.
pub(super) struct Described {
    /// What to do.
    pub(super) recipe: PythonRecipe,
    /// What the user should know.
    pub(super) warnings: Vec<Clue>,
    /// What speaks for the choices made.
    pub(super) evidence: Vec<Clue>,
    /// The commands of its build, as a person would type them.
    pub(super) build: Vec<String>,
}

/// All Python files, read.
pub(super) fn scripts(folder: &Folder) -> Vec<Script> {
    folder.code(&[".py"]).into_iter().map(code::read).collect()
}

/// Looks for a Python app.
pub(super) fn look(folder: &Folder) -> Result<Look, Failure> {
    let scripts = scripts(folder);
    let listed = requirements::read(folder)?;
    let found = start::find(folder, &scripts, &listed);
    let mut signals = Vec::new();
    if let Some(found) = &found {
        signals.push(Signal {
            weight: found.weight,
            clue: found.clue.clone(),
        });
    }
    if let Some(file) = &listed.file {
        let says = format!("lists {} packages", listed.lines.len());
        signals.push(Signal {
            weight: if scripts.is_empty() { 5 } else { 20 },
            clue: Clue {
                file: file.clone(),
                line: None,
                says,
            },
        });
    } else if listed.uv_lock {
        signals.push(signal(
            folder,
            "uv.lock",
            20,
            "names every package and its version",
        ));
    }
    Ok(Look {
        scripts,
        listed,
        found,
        signals,
    })
}

impl Look {
    /// Whether the folder is a server.
    pub(super) fn is_server(&self) -> bool {
        self.found.as_ref().is_some_and(|found| found.weight >= 40)
    }
}

/// Describes the app. `look` found one, or mayfly.toml says that it is one.
pub(super) fn describe(
    folder: &Folder,
    look: Look,
    manifest: &Manifest,
) -> Result<Described, Failure> {
    let Look {
        scripts,
        listed,
        found,
        ..
    } = look;
    let (guessed, evidence) = version::choose(folder, &listed, &scripts);
    let version = match &manifest.build.version {
        Some(version) => version::checked(version)?,
        None => guessed,
    };
    let mut warnings = listed.warnings.clone();
    let needs = found.as_ref().map_or(&[][..], |found| &found.needs);
    // What tests alone use is no part of the image.
    let (_, of_app): (Vec<Script>, Vec<Script>) = scripts
        .into_iter()
        .partition(|script| suites::is_for_tests(&script.path));
    let missing = missing::find(folder, &of_app, &listed, needs);
    warnings.extend(missing.iter().map(|missing| missing.warning.clone()));
    let start = match found {
        Some(found) => {
            warnings.extend(found.warnings);
            found.start
        }
        None if manifest.run.command.is_some() => crate::recipe::Start {
            port: crate::detect::ports::DEFAULT_PORT,
            ..Default::default()
        },
        None => return Err(no_start(folder)),
    };
    let added = missing.into_iter().map(|missing| missing.package).collect();
    let packages = packages_of(listed, added);
    let build = build_commands(&packages);
    Ok(Described {
        recipe: PythonRecipe {
            folder: folder.path().to_owned(),
            version,
            packages,
            build: None,
            start,
        },
        warnings,
        evidence,
        build,
    })
}

/// The base as plans name it.
pub(super) fn base_of(version: &PythonVersion) -> String {
    match version {
        PythonVersion::Asked(version) => format!("python {version}"),
        PythonVersion::Newest => format!("python {}", PYTHONS[0]),
    }
}

fn packages_of(listed: requirements::Listed, added: Vec<String>) -> PythonPackages {
    if listed.uv_lock {
        return PythonPackages::UvLock { added };
    }
    let mut lines = listed.lines;
    lines.extend(added);
    if lines.is_empty() {
        return PythonPackages::None;
    }
    PythonPackages::Listed {
        lines,
        file: listed.file,
    }
}

fn build_commands(packages: &PythonPackages) -> Vec<String> {
    match packages {
        PythonPackages::None => vec![],
        PythonPackages::UvLock { added } if added.is_empty() => vec!["uv sync --frozen".into()],
        PythonPackages::UvLock { added } => {
            vec![
                "uv sync --frozen".into(),
                format!("uv pip install {}", added.join(" ")),
            ]
        }
        PythonPackages::Listed { lines, file } => {
            let from = file.as_deref().filter(|file| file.ends_with(".txt"));
            let what = from.map_or_else(|| lines.join(" "), |file| format!("-r {file}"));
            vec![format!("uv pip install {what}")]
        }
    }
}

fn no_start(folder: &Folder) -> Failure {
    let scripts: Vec<&str> = folder
        .top_files()
        .filter(|path| path.ends_with(".py"))
        .take(5)
        .collect();
    let example = scripts.first().copied().unwrap_or("app.py");
    Failure::new(
        FailureCode::NotSupported,
        "none of the Python files seems to start a server",
    )
    .because(format!("looked at {}", scripts.join(", ")))
    .hint(format!(
        "say how it starts: `command = \"python {example}\"` under [run] in mayfly.toml"
    ))
}
