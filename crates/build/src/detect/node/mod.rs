//! Node apps: servers, and front ends that Node builds.

mod code;
mod front;
mod missing;
mod package;
mod scripts;
mod start;
pub(in crate::detect) mod suites;
mod workspaces;

use std::collections::{BTreeMap, BTreeSet};

use model::failure::{Failure, FailureCode};
use model::manifest::Manifest;
use model::plan::Clue;
use serde_json::json;

use crate::detect::folder::Folder;
use crate::detect::weigh::{Signal, signal};
use workspaces::Workspaces;

use crate::recipe::{NodeLock, NodePackages, NodeRecipe, NodeResult, Start};

pub(super) use code::without_comments;
pub(super) use workspaces::app as app_of_workspaces;

/// Versions of Node that there are layers for; the first is taken unless the app asks for another.
const NODES: [&str; 2] = ["22", "24"];

/// Packages that say that an app is a server.
const SERVER_PACKAGES: [&str; 16] = [
    "express",
    "fastify",
    "koa",
    "hono",
    "@hono/node-server",
    "@hapi/hapi",
    "ws",
    "socket.io",
    "next",
    "nuxt",
    "@nestjs/core",
    "polka",
    "restify",
    "apollo-server",
    "@apollo/server",
    "json-server",
];

/// What a folder has of a Node app.
pub(super) struct Look {
    package: Option<package::Package>,
    scripts: Vec<code::Script>,
    found: Option<start::Found>,
    tool: Option<front::Tool>,
    /// What speaks for Node.
    pub(super) signals: Vec<Signal>,
    /// What speaks for a runtime that is not there: Bun's, Deno's.
    pub(super) other_runtime: Option<(&'static str, Clue)>,
}

/// A Node app, described.
pub(super) struct Described {
    pub(super) recipe: NodeRecipe,
    pub(super) warnings: Vec<Clue>,
    pub(super) build: Vec<String>,
}

/// Looks for a Node app.
pub(super) fn look(folder: &Folder) -> Result<Look, Failure> {
    let package = package::read(folder)?;
    let scripts = code::scripts(folder);
    let tool = package.as_ref().and_then(front::tool_of);
    let found = start::find(folder, package.as_ref(), &scripts);
    let found = found.filter(|found| tool.is_none() || found.weight > 40);
    let mut signals = Vec::new();
    if let Some(found) = &found {
        signals.push(Signal {
            weight: found.weight,
            clue: found.clue.clone(),
        });
    }
    if let Some(package) = &package {
        signals.extend(package_signals(folder, package, tool, found.is_some()));
    }
    let other_runtime = scripts.iter().find_map(|script| {
        let (name, line) = script.other_runtime?;
        let clue = Clue {
            file: folder.name_of(&script.path),
            line: Some(line),
            says: format!("serves with {name}"),
        };
        Some((name, clue))
    });
    Ok(Look {
        package,
        scripts,
        found,
        tool,
        signals,
        other_runtime,
    })
}

fn package_signals(
    folder: &Folder,
    package: &package::Package,
    tool: Option<front::Tool>,
    serves: bool,
) -> Vec<Signal> {
    let mut signals = Vec::new();
    if let Some(tool) = tool
        && can_build(folder, package, tool)
    {
        let says = format!("is a front end that {} builds", tool.package);
        signals.push(signal(folder, "package.json", 50, &says));
    }
    if let Some(server) = package.has_any(&SERVER_PACKAGES).filter(|_| serves) {
        signals.push(signal(
            folder,
            "package.json",
            15,
            &format!("lists {server}"),
        ));
    }
    if signals.is_empty() {
        signals.push(signal(
            folder,
            "package.json",
            5,
            "is there, but names no server and no front end",
        ));
    }
    signals
}

/// Whether the tool has something to build: a script that says so, or a page to start from.
fn can_build(folder: &Folder, package: &package::Package, tool: front::Tool) -> bool {
    // These turn code into code as often as into pages.
    let pages_only = !matches!(tool.package, "webpack" | "esbuild");
    let has_page =
        folder.has("index.html") || folder.has("src/index.html") || folder.has("public/index.html");
    let builds = package.scripts.contains_key("build");
    if pages_only {
        builds || has_page
    } else {
        builds && has_page
    }
}

impl Look {
    /// Whether the folder is a front end that is built and then served as files.
    pub(super) fn is_front_end(&self, folder: &Folder) -> bool {
        let builds = match (&self.package, self.tool) {
            (Some(package), Some(tool)) => can_build(folder, package, tool),
            _ => false,
        };
        self.found.is_none() && builds
    }

    /// Whether the folder is a server.
    pub(super) fn is_server(&self) -> bool {
        self.found.is_some()
    }
}

/// Describes the app. `look` found one, or mayfly.toml says that it is one.
pub(super) fn describe(
    folder: &Folder,
    look: Look,
    manifest: &Manifest,
) -> Result<Described, Failure> {
    let (version, engine_warning) = version(folder, look.package.as_ref(), manifest)?;
    let needs = look.found.as_ref().map_or(&[][..], |found| &found.needs);
    let workspaces = workspaces::around(folder)?;
    let elsewhere = workspaces.as_ref().map(|all| all.known(folder.path()));
    let elsewhere = elsewhere.unwrap_or_default();
    let missing = missing::find(
        folder,
        look.package.as_ref(),
        &look.scripts,
        needs,
        &elsewhere,
    );
    let mut warnings: Vec<Clue> = missing
        .iter()
        .map(|missing| missing.warning.clone())
        .collect();
    warnings.extend(engine_warning);
    let added: Vec<String> = missing.into_iter().map(|missing| missing.package).collect();
    let packages = packages(folder, &look, workspaces.as_ref(), &added);
    let build = build_command(folder, &look, workspaces.as_ref());
    let result = result(folder, &look, manifest)?;
    let commands = commands(packages.as_ref(), build.as_deref(), look.package.as_ref());
    Ok(Described {
        recipe: NodeRecipe {
            folder: folder.path().to_owned(),
            version,
            packages,
            build,
            result,
        },
        warnings,
        build: commands,
    })
}

fn result(folder: &Folder, look: &Look, manifest: &Manifest) -> Result<NodeResult, Failure> {
    if let Some(output) = &manifest.build.output {
        return Ok(NodeResult::Site {
            outputs: vec![output.trim_end_matches('/').to_owned()],
        });
    }
    match (&look.found, look.tool) {
        (Some(found), _) => Ok(NodeResult::Server(found.start.clone())),
        (None, _) if manifest.run.command.is_some() => Ok(NodeResult::Server(Start {
            port: crate::detect::ports::DEFAULT_PORT,
            ..Start::default()
        })),
        (None, Some(tool)) => Ok(NodeResult::Site {
            outputs: tool.outputs(folder),
        }),
        (None, None) => Err(no_start(folder)),
    }
}

fn packages(
    folder: &Folder,
    look: &Look,
    workspaces: Option<&Workspaces>,
    added: &[String],
) -> Option<NodePackages> {
    let at_run_time = imported_at_run_time(&look.scripts);
    if let Some(workspaces) = workspaces {
        return Some(packages_of_all(folder, workspaces, added, at_run_time));
    }
    let Some(package) = &look.package else {
        let empty = package::Package {
            json: [
                ("name".to_owned(), json!("app")),
                ("private".to_owned(), json!(true)),
            ]
            .into_iter()
            .collect(),
            ..package::Package::default()
        };
        return (!added.is_empty()).then(|| NodePackages {
            manifest: empty.with_added(added),
            lock: None,
            root: folder.path().to_owned(),
            members: BTreeMap::new(),
            at_run_time,
        });
    };
    if package.dependencies.is_empty() && package.dev.is_empty() && added.is_empty() {
        return None;
    }
    let manifest = if added.is_empty() {
        folder.text("package.json").unwrap_or_default()
    } else {
        package.with_added(added)
    };
    Some(NodePackages {
        manifest,
        lock: lock(folder, added),
        root: folder.path().to_owned(),
        members: BTreeMap::new(),
        at_run_time,
    })
}

/// The lock file of a folder, unless packages were added that it lacks.
fn lock(folder: &Folder, added: &[String]) -> Option<NodeLock> {
    let mut locks = NodeLock::ALL.into_iter();
    locks
        .find(|lock| folder.has(lock.file_name()))
        .filter(|_| added.is_empty())
}

/// The packages of all workspaces; `added` are those that the app in `folder` lacks.
fn packages_of_all(
    folder: &Folder,
    workspaces: &Workspaces,
    added: &[String],
    at_run_time: Vec<String>,
) -> NodePackages {
    let text = |path: &str, package: &package::Package| match path == folder.path() {
        true => package.with_added(added),
        false => package.with_added(&[]),
    };
    let members = workspaces.members.iter();
    NodePackages {
        manifest: text("", &workspaces.root),
        lock: lock(&folder.outermost(), added),
        root: String::new(),
        members: members
            .map(|(path, member)| (path.clone(), text(path, member)))
            .collect(),
        at_run_time,
    }
}

/// The packages that an app's code imports, but for what only tests and builds run.
fn imported_at_run_time(scripts: &[code::Script]) -> Vec<String> {
    let runs = scripts
        .iter()
        .filter(|script| !missing::is_aside(&script.path) && !script.path.contains(".config."));
    let imports = runs.flat_map(|script| script.imports.iter().map(|(name, _)| name.clone()));
    let imports: BTreeSet<String> = imports.collect();
    imports.into_iter().collect()
}

fn build_command(folder: &Folder, look: &Look, workspaces: Option<&Workspaces>) -> Option<String> {
    let (found, tool) = (look.found.as_ref(), look.tool);
    let package = look.package.as_ref()?;
    let member = !folder.path().is_empty();
    let script = match workspaces {
        Some(all) => all.build(folder.path()).map(|build| match member {
            // The build runs in the app's folder, the root's command in the root's.
            true => format!("cd {} && {build}", to_the_top(folder)),
            false => build,
        }),
        None => scripts::expand(&package.scripts, "build", scripts::DEPTH),
    };
    // Some scripts install first; what they would install is there, or is another folder's own.
    let script =
        script.filter(|script| !script.contains("npm install") && !script.starts_with("echo "));
    let by_tool = match found {
        Some(found) => found.build,
        None => tool
            .map(|tool| tool.build)
            .filter(|build| !build.is_empty()),
    };
    script.or_else(|| by_tool.map(str::to_owned))
}

/// The way from a folder to the outermost one: `../..`.
fn to_the_top(folder: &Folder) -> String {
    let steps = folder.path().split('/').map(|_| "..");
    steps.collect::<Vec<_>>().join("/")
}

fn commands(
    packages: Option<&NodePackages>,
    build: Option<&str>,
    package: Option<&package::Package>,
) -> Vec<String> {
    let install = packages.map(|packages| match packages.lock {
        Some(_) => "bun install --frozen-lockfile".to_owned(),
        None => "bun install".to_owned(),
    });
    let by_script = package.is_some_and(|package| package.scripts.contains_key("build"));
    let build = build.map(|build| {
        if by_script {
            "npm run build".to_owned()
        } else {
            build.to_owned()
        }
    });
    install.into_iter().chain(build).collect()
}

fn version(
    folder: &Folder,
    package: Option<&package::Package>,
    manifest: &Manifest,
) -> Result<(String, Option<Clue>), Failure> {
    if let Some(version) = &manifest.build.version {
        return if NODES.contains(&version.as_str()) {
            Ok((version.clone(), None))
        } else {
            Err(Failure::new(
                FailureCode::BadManifest,
                format!("mayfly.toml asks for Node {version}, which there is no base image for"),
            )
            .hint(format!(
                "set `version` under [build] to \"{}\"",
                NODES.join("\" or \"")
            )))
        };
    }
    let wish = package.and_then(|package| package.engine.as_deref());
    let fits = |version: &&str| wish.is_none_or(|wish| engine_fits(wish, version));
    if let Some(version) = NODES.into_iter().find(|version| fits(version)) {
        return Ok((version.to_owned(), None));
    }
    let warning = wish.map(|wish| Clue {
        file: folder.name_of("package.json"),
        line: None,
        says: format!("asks for Node {wish}; {} is used", NODES[0]),
    });
    Ok((NODES[0].to_owned(), warning))
}

/// Whether a range of `engines.node` allows a major version, by those that it names.
fn engine_fits(wish: &str, version: &str) -> bool {
    let Ok(ours) = version.parse::<u32>() else {
        return false;
    };
    let allows = |range: &str| {
        range.split_whitespace().all(|part| {
            let digits = part.find(|c: char| c.is_ascii_digit());
            let (operator, version) = part.split_at(digits.unwrap_or(part.len()));
            let Ok(major) = version.split('.').next().unwrap_or("").parse::<u32>() else {
                return true;
            };
            match operator {
                ">=" | ">" => major <= ours,
                "<" => major > ours,
                "<=" => major >= ours,
                _ => major == ours,
            }
        })
    };
    wish.split("||").any(allows)
}

fn no_start(folder: &Folder) -> Failure {
    let scripts: Vec<&str> = folder
        .top_files()
        .filter(|path| code::ENDINGS.iter().any(|ending| path.ends_with(ending)))
        .take(5)
        .collect();
    let example = scripts.first().copied().unwrap_or("server.js");
    Failure::new(
        FailureCode::NotSupported,
        "package.json has no `start` script, and no file seems to start a server",
    )
    .hint(format!(
        "say how it starts: `command = \"node {example}\"` under [run] in mayfly.toml"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engine_ranges_are_read_by_their_major_versions() {
        for (wish, fits) in [
            (">=18", true),
            ("^20.0.0", false),
            ("18 || 20 || 22", true),
            (">=18 <21", false),
            ("22.x", true),
            ("*", true),
            (">=24", false),
        ] {
            assert_eq!(engine_fits(wish, "22"), fits, "{wish}");
        }
    }
}
