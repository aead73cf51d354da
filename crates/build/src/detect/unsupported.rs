//! Kinds of app that mayfly cannot run yet, and what would work instead.

use model::failure::{Failure, FailureCode};
use model::plan::Clue;

use crate::detect::folder::Folder;
use crate::detect::weigh::{Signal, signal};

/// Files that speak for a kind that is not there yet: name or ending, kind, weight.
const FILES: [(&str, &str, i32); 18] = [
    ("go.mod", "Go", 45),
    ("main.go", "Go", 40),
    ("Cargo.toml", "Rust", 45),
    ("composer.json", "PHP", 40),
    ("index.php", "PHP", 45),
    ("artisan", "PHP", 40),
    ("Gemfile", "Ruby", 45),
    ("config.ru", "Ruby", 40),
    ("pom.xml", "Java", 45),
    ("build.gradle", "Java", 45),
    ("build.gradle.kts", "Kotlin", 45),
    (".csproj", ".NET", 45),
    ("mix.exs", "Elixir", 45),
    ("deno.json", "Deno", 30),
    ("deno.jsonc", "Deno", 30),
    ("Package.swift", "Swift", 45),
    ("pubspec.yaml", "Dart", 45),
    ("shard.yml", "Crystal", 45),
];

/// A kind that is not supported, and what speaks for it.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// What people call it.
    pub(super) name: &'static str,
    /// What speaks for it.
    pub(super) signals: Vec<Signal>,
}

/// Looks for the likeliest kind that is not supported. `other_runtime` was seen in code.
pub(super) fn look(folder: &Folder, other_runtime: Option<&(&'static str, Clue)>) -> Option<Look> {
    let by_file = FILES.iter().find_map(|(file, name, weight)| {
        let found = folder
            .top_files()
            .find(|path| path == file || (file.starts_with('.') && path.ends_with(file)))?;
        let signals = vec![signal(
            folder,
            found,
            *weight,
            &format!("speaks for {name}"),
        )];
        Some(Look { name, signals })
    });
    by_file.or_else(|| {
        let (name, clue) = other_runtime?;
        let signals = vec![Signal {
            weight: 45,
            clue: clue.clone(),
        }];
        Some(Look { name, signals })
    })
}

/// The failure that names what was seen and what would work.
pub(super) fn failure(look: &Look) -> Failure {
    let seen: Vec<String> = look
        .signals
        .iter()
        .map(|signal| match signal.clue.line {
            Some(line) => format!("{}:{line} {}", signal.clue.file, signal.clue.says),
            None => format!("{} {}", signal.clue.file, signal.clue.says),
        })
        .collect();
    let hint = match look.name {
        "Bun" => {
            "start the server with `node:http` or Express, or give the package.json a `start` script that Node runs"
        }
        "Deno" => "add a package.json with a `start` script that Node runs",
        _ => {
            "mayfly runs static sites, Node and Python apps; if there is one in this folder, run `mayfly up` in its own folder or set `kind` under [build] in mayfly.toml"
        }
    };
    Failure::new(
        FailureCode::NotSupported,
        format!("{} apps are not supported yet", look.name),
    )
    .because(seen.join("; "))
    .hint(hint)
}

/// The failure of a folder in which nothing was recognised.
pub(super) fn nothing(folder: &Folder) -> Failure {
    let mut seen: Vec<&str> = folder.top_files().take(8).collect();
    if seen.is_empty() {
        seen = folder.files().take(8).collect();
    }
    let message = if folder.has("Dockerfile") {
        "there is a Dockerfile, but nothing that mayfly can run without Docker"
    } else {
        "nothing here looks like an app"
    };
    Failure::new(FailureCode::NotSupported, message)
        .because(format!("the folder has {}", seen.join(", ")))
        .hint("add an index.html, a package.json with a `start` script, or a Python file that starts a server; or set `command` and `kind` in mayfly.toml")
}
