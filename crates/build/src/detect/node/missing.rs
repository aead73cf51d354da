//! Packages that the code imports and package.json does not list.

use std::collections::BTreeSet;

use model::plan::Clue;

use crate::detect::folder::Folder;
use crate::detect::node::code::Script;
use crate::detect::node::package::Package;

/// A package that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) package: String,
    pub(super) warning: Clue,
}

/// Finds what is missing. `needs` are the start command's own programs, `elsewhere` is what other
/// workspaces bring.
pub(super) fn find(
    folder: &Folder,
    package: Option<&Package>,
    scripts: &[Script],
    needs: &[&str],
    elsewhere: &[String],
) -> Vec<Missing> {
    let listed =
        |name: &str| package.is_some_and(|package| package.has(name) || is_self(package, name));
    let known = |name: &str| listed(name) || elsewhere.iter().any(|known| known == name);
    let aliases = aliases(folder);
    let mut seen = BTreeSet::new();
    let mut missing = Vec::new();
    let list = folder.name_of("package.json");
    for script in scripts.iter().filter(|script| !is_aside(&script.path)) {
        for (name, line) in &script.imports {
            if known(name) || is_local(folder, name, &aliases) || !seen.insert(name.clone()) {
                continue;
            }
            let says = match package {
                Some(_) => {
                    format!("`{name}` is imported, but {list} does not list it; it is installed")
                }
                None => format!("`{name}` is imported; it is installed"),
            };
            let file = folder.name_of(&script.path);
            missing.push(added(name, file, Some(*line), says));
        }
    }
    for need in needs.iter().filter(|need| !known(need)) {
        if seen.insert((*need).to_owned()) {
            let says = format!("does not list {need}, which the app starts with; it is installed");
            missing.push(added(need, list.clone(), None, says));
        }
    }
    missing
}

fn added(package: &str, file: String, line: Option<u32>, says: String) -> Missing {
    Missing {
        package: package.to_owned(),
        warning: Clue { file, line, says },
    }
}

fn is_self(package: &Package, name: &str) -> bool {
    package.json.get("name").and_then(serde_json::Value::as_str) == Some(name)
}

/// Files that neither the server nor the build runs.
pub(super) fn is_aside(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let folders = path.strip_suffix(name).unwrap_or("");
    let aside = [
        "test",
        "tests",
        "__tests__",
        "e2e",
        "cypress",
        "public",
        "static",
        "assets",
        "dist",
        "build",
        "out",
        "docs",
        "examples",
        "vendor",
        "lib",
        "scripts",
        "templates",
    ];
    let tools = [
        "eslint",
        "prettier",
        "jest",
        "vitest",
        "playwright",
        "cypress",
        "commitlint",
        "stylelint",
    ];
    folders.split('/').any(|part| aside.contains(&part))
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".stories.")
        || tools.iter().any(|tool| name.starts_with(tool))
}

/// Quoted names in the settings that may give files another name.
fn aliases(folder: &Folder) -> String {
    let files = [
        "tsconfig.json",
        "jsconfig.json",
        "tsconfig.app.json",
        "vite.config.js",
        "vite.config.ts",
        "webpack.config.js",
    ];
    files.iter().filter_map(|file| folder.text(file)).collect()
}

/// Whether an import means something in the folder: an alias, or a path from `baseUrl`.
fn is_local(folder: &Folder, name: &str, aliases: &str) -> bool {
    let first = name.split('/').next().unwrap_or(name);
    let in_settings = [
        format!("\"{first}\""),
        format!("'{first}'"),
        format!("\"{first}/"),
    ];
    in_settings
        .iter()
        .any(|quoted| aliases.contains(quoted.as_str()))
        || folder.has_folder(first)
        || folder.inside("src").has_folder(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::node::{code, package};

    #[test]
    fn imports_that_package_json_does_not_list_are_added() {
        for (path, text, expected) in [
            (
                "server.js",
                "require('express'); require('cors'); require('fs')",
                vec!["cors"],
            ),
            ("src/a.ts", "import x from 'components/x'", vec![]),
            ("a.test.js", "import x from 'vitest'", vec![]),
            ("public/app.js", "import x from 'three'", vec![]),
            ("a.js", "import me from 'me'", vec![]),
        ] {
            let folder = Folder::from_files([
                (path, text),
                ("src/components/x.ts", ""),
                (
                    "package.json",
                    r#"{"name":"me","dependencies":{"express":"*"}}"#,
                ),
            ]);
            let package = package::read(&folder).expect("a good file");
            let found = find(&folder, package.as_ref(), &code::scripts(&folder), &[], &[]);
            let names: Vec<_> = found.into_iter().map(|missing| missing.package).collect();
            assert_eq!(names, expected, "{path}");
        }
    }
}
