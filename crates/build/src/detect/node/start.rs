//! How a Node app starts.

use model::plan::Clue;

use crate::detect::command::shell;
use crate::detect::folder::Folder;
use crate::detect::node::code::Script;
use crate::detect::node::front::is_development;
use crate::detect::node::package::Package;
use crate::detect::node::scripts::start_command;
use crate::detect::ports::{DEFAULT_PORT, PortClue, port_of};
use crate::recipe::Start;

/// A way to start the app, and why it was chosen.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) start: Start,
    pub(super) clue: Clue,
    /// How strongly it says that the folder is a Node server, 0–60.
    pub(super) weight: i32,
    /// What has to be built before, when package.json does not say how.
    pub(super) build: Option<&'static str>,
    /// Packages that the command needs.
    pub(super) needs: Vec<&'static str>,
}

/// Names of a server's first file, the likeliest first.
const USUAL: [&str; 22] = [
    "server.js",
    "server.mjs",
    "server.cjs",
    "index.js",
    "index.mjs",
    "index.cjs",
    "app.js",
    "app.mjs",
    "main.js",
    "bot.js",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "src/main.js",
    "server.ts",
    "index.ts",
    "app.ts",
    "main.ts",
    "src/server.ts",
    "src/index.ts",
    "src/app.ts",
    "src/main.ts",
];

/// The best way to start the app, if there is any.
pub(super) fn find(
    folder: &Folder,
    package: Option<&Package>,
    scripts: &[Script],
) -> Option<Found> {
    let by_package = package.and_then(|package| {
        framework(folder, package)
            .or_else(|| by_script(folder, package, scripts, "start"))
            .or_else(|| by_main(folder, package, scripts))
    });
    by_package
        .or_else(|| by_usual_file(folder, scripts, package.is_some()))
        .or_else(|| {
            ["serve", "server", "start:prod", "dev"]
                .iter()
                .find_map(|name| by_script(folder, package?, scripts, name))
        })
}

/// Frameworks that bring a server of their own.
fn framework(folder: &Folder, package: &Package) -> Option<Found> {
    let exports = ["next.config.js", "next.config.mjs", "next.config.ts"]
        .iter()
        .filter_map(|file| folder.text(file))
        .any(|text| {
            text.contains("export") && text.contains("output") && text.contains("'export'")
        });
    let (name, command, build) = if package.has("next") && !exports {
        (
            "next",
            "next start --hostname 127.0.0.1 --port 3000",
            "next build",
        )
    } else if package.has("nuxt") {
        ("nuxt", "node .output/server/index.mjs", "nuxt build")
    } else if package.has("@sveltejs/adapter-node") {
        ("@sveltejs/adapter-node", "node build", "vite build")
    } else {
        return None;
    };
    Some(Found {
        start: Start {
            command: shell(command),
            port: 3000,
            ..Start::default()
        },
        clue: clue(folder, "package.json", None, format!("uses {name}")),
        weight: 60,
        build: Some(build),
        needs: vec![],
    })
}

fn by_script(folder: &Folder, package: &Package, scripts: &[Script], name: &str) -> Option<Found> {
    let command = start_command(&package.scripts, name)?;
    if is_development(&command) || command.contains("concurrently") {
        return None;
    }
    let says = format!("has the script `{name}`: `{command}`");
    let clue = clue(folder, "package.json", None, says);
    started(folder, package, scripts, &command, clue)
}

/// Follows a command to its file; `None` when that is not there and nothing would build it.
fn started(
    folder: &Folder,
    package: &Package,
    scripts: &[Script],
    command: &str,
    clue: Clue,
) -> Option<Found> {
    let last = command.rsplit("&&").next().unwrap_or(command);
    let words: Vec<&str> = last
        .split_whitespace()
        .filter(|word| !word.contains('='))
        .collect();
    let runner = *words.first()?;
    let file = words
        .iter()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .filter(|_| matches!(runner, "node" | "tsx"));
    let is_built = package.scripts.contains_key("build");
    let is_typescript = folder.has("tsconfig.json");
    let there = file.is_none_or(|file| resolve(folder, file).is_some());
    let build = match (there, is_built, is_typescript) {
        (true, ..) | (false, true, _) => None,
        (false, false, true) => Some("tsc"),
        (false, false, false) => return None,
    };
    let entry = file.and_then(|file| resolve(folder, file));
    let listens = scripts.iter().any(|script| {
        script.listens.is_some() && entry.as_deref().is_none_or(|e| e == script.path)
    });
    let mut needs = programs(runner);
    needs.extend(build.map(|_| "typescript"));
    Some(Found {
        start: Start {
            command: shell(command),
            port: port(entry.as_deref(), scripts),
            ..Start::default()
        },
        clue,
        weight: if listens { 60 } else { 40 },
        build,
        needs,
    })
}

/// Packages whose programs start scripts and that package.json may lack.
fn programs(runner: &str) -> Vec<&'static str> {
    ["tsx", "json-server", "next", "nuxt", "nest", "fastify-cli"]
        .into_iter()
        .filter(|program| *program == runner)
        .collect()
}

/// A module's file as Node finds it: with its ending, or the index of a folder.
fn resolve(folder: &Folder, file: &str) -> Option<String> {
    let file = file.trim_start_matches("./").trim_end_matches('/');
    let spellings = [
        file.to_owned(),
        format!("{file}.js"),
        format!("{file}/index.js"),
        if file == "." {
            "index.js".to_owned()
        } else {
            String::new()
        },
    ];
    spellings.into_iter().find(|path| folder.has(path))
}

fn by_main(folder: &Folder, package: &Package, scripts: &[Script]) -> Option<Found> {
    let main = package.main.as_deref()?;
    let clue = clue(
        folder,
        "package.json",
        None,
        format!("names `{main}` as its main file"),
    );
    let found = started(folder, package, scripts, &run_command(main), clue)?;
    let listens = found.weight > 40;
    let entry = resolve(folder, main);
    // A front end's main file is no server; one that will be built may be.
    (listens || entry.is_none()).then_some(found)
}

fn by_usual_file(folder: &Folder, scripts: &[Script], has_package: bool) -> Option<Found> {
    let script_at = |path: &str| scripts.iter().find(|script| script.path == path);
    let usual = || USUAL.iter().filter_map(|path| script_at(path));
    let script = usual()
        .find(|script| script.listens.is_some() && script.other_runtime.is_none())
        .or_else(|| {
            let top = scripts.iter().filter(|script| !script.path.contains('/'));
            let listening: Vec<_> = top.filter(|script| script.listens.is_some()).collect();
            (listening.len() == 1).then(|| listening[0])
        })?;
    let says = "listens for requests".to_owned();
    let needs = if is_typescript(&script.path) {
        vec!["tsx"]
    } else {
        vec![]
    };
    Some(Found {
        start: Start {
            command: shell(&run_command(&script.path)),
            port: port(Some(&script.path), scripts),
            ..Start::default()
        },
        clue: clue(folder, &script.path, script.listens, says),
        weight: if has_package { 50 } else { 55 },
        build: None,
        needs,
    })
}

fn is_typescript(path: &str) -> bool {
    path.ends_with(".ts") || path.ends_with(".mts") || path.ends_with(".cts")
}

fn run_command(path: &str) -> String {
    let runner = if is_typescript(path) { "tsx" } else { "node" };
    format!("{runner} {path}")
}

/// The port in the first file, else in another that listens.
fn port(entry: Option<&str>, scripts: &[Script]) -> u16 {
    let first = scripts
        .iter()
        .find(|script| Some(script.path.as_str()) == entry);
    let listening = scripts.iter().filter(|script| script.listens.is_some());
    let found = first
        .into_iter()
        .chain(listening)
        .find_map(|script| port_of(&script.text));
    match found {
        Some(PortClue::Fixed(port)) => port,
        Some(PortClue::FollowsPort) | None => DEFAULT_PORT,
    }
}

fn clue(folder: &Folder, file: &str, line: Option<u32>, says: String) -> Clue {
    Clue {
        file: folder.name_of(file),
        line,
        says,
    }
}
