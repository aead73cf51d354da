//! Tests on Node.

use model::failure::Failure;
use model::suite::Framework;
use serde_json::Value;

use crate::detect::folder::Folder;
use crate::detect::node::package::{self, Package};
use crate::detect::node::scripts;
use crate::detect::suites::Suites;
use crate::recipe::NodeRecipe;

/// The tests of a Node app or front end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSuite {
    /// Where the app lies whose packages they use, in the source.
    pub app: String,
    /// Where they start, in the source; empty for the source itself.
    pub folder: String,
    /// Who reports on them.
    pub framework: Framework,
    /// What a person types.
    pub typed: String,
    /// The shell command that does the same without a package manager.
    pub command: String,
}

/// What npm writes into every new package.json.
const NO_TEST: &str = "no test specified";
/// Endings of code files.
const CODE: [&str; 8] = ["js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx"];

/// Whether a file holds tests, by its name.
///
/// Source: Node's documentation, "Test runner"; the defaults of Jest and Vitest.
pub(in crate::detect) fn is_test(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let Some((stem, ending)) = name.rsplit_once('.') else {
        return false;
    };
    let marks = [".test", ".spec", "-test", "_test"];
    let mut folders = folders.split('/');
    CODE.contains(&ending)
        && (marks.iter().any(|mark| stem.ends_with(mark))
            || stem == "test"
            || stem.starts_with("test-")
            || folders.any(|folder| ["test", "__tests__"].contains(&folder)))
}

/// Whether a package.json has a script for tests that is not npm's own placeholder.
pub(in crate::detect) fn has_script(folder: &Folder, path: &str) -> bool {
    let text = folder.text(path).unwrap_or_default();
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let script = json["scripts"]["test"].as_str().unwrap_or_default();
    !script.trim().is_empty() && !script.contains(NO_TEST)
}

impl NodeSuite {
    /// The suite that a command of mayfly.toml runs.
    pub(in crate::detect) fn by_command(recipe: &NodeRecipe, command: &str) -> Self {
        Self {
            app: recipe.folder.clone(),
            folder: String::new(),
            framework: framework_of(command),
            typed: command.to_owned(),
            command: counted(command),
        }
    }
}

/// Adds the tests of one app: its script, or else the files that a runner it has would find.
pub(in crate::detect) fn find(
    source: &Folder,
    recipe: &NodeRecipe,
    found: &mut Suites,
) -> Result<(), Failure> {
    let folder = match recipe.folder.as_str() {
        "" => source.clone(),
        path => source.inside(path),
    };
    let package = package::read(&folder)?.unwrap_or_default();
    let suite = |typed: &str, command: &str| NodeSuite {
        app: recipe.folder.clone(),
        folder: recipe.folder.clone(),
        framework: framework_of(command),
        typed: typed.to_owned(),
        command: counted(command),
    };
    if has_script(&folder, "package.json") {
        match scripts::expand(&package.scripts, "test", scripts::DEPTH) {
            Some(command) => found.node.push(suite("npm test", &command)),
            None => found.notes.push(format!(
                "the script `test` of {} was not run: its scripts call each other for ever",
                folder.name_of("package.json")
            )),
        }
        return Ok(());
    }
    let tests: Vec<&str> = folder.files().filter(|path| is_test(path)).collect();
    if tests.is_empty() {
        return Ok(());
    }
    match runner(&folder, &package, &tests) {
        Some((typed, command)) => found.node.push(suite(typed, command)),
        None => found.notes.push(format!(
            "{} was not run: add a script `test` to {} that runs it",
            folder.name_of(tests[0]),
            folder.name_of("package.json")
        )),
    }
    Ok(())
}

fn runner(
    folder: &Folder,
    package: &Package,
    tests: &[&str],
) -> Option<(&'static str, &'static str)> {
    if package.has("vitest") {
        return Some(("npx vitest run", "vitest run"));
    }
    if package.has("jest") {
        return Some(("npx jest", "jest"));
    }
    let of_node = |path: &&str| folder.text(path).is_some_and(|it| it.contains("node:test"));
    let own = tests.iter().any(of_node);
    own.then_some(("node --test", "node --test"))
}

/// Whose report a command's tests write.
fn framework_of(command: &str) -> Framework {
    let kinds: Vec<Framework> = parts(command).iter().map(|part| kind_of(part)).collect();
    let known = kinds.iter().find(|kind| **kind != Framework::Script);
    known.copied().unwrap_or(Framework::Script)
}

fn parts(command: &str) -> Vec<&str> {
    command.split("&&").map(str::trim).collect()
}

/// The framework that one command runs. One with a shell's signs in it is not taken apart.
fn kind_of(part: &str) -> Framework {
    if part.contains(|c: char| "|;<>()$`\\".contains(c)) {
        return Framework::Script;
    }
    let words: Vec<&str> = part.split_whitespace().skip_while(is_before).collect();
    let own_report = words.iter().any(|word| word.contains("--test-reporter"));
    let tests = |word: &&str| *word == "--test";
    let program = |word: &str| word.rsplit('/').next().unwrap_or(word).to_owned();
    match words.first().map(|word| program(word)).as_deref() {
        Some("node") if !own_report && words.iter().any(tests) => Framework::NodeTest,
        Some("vitest") => Framework::Vitest,
        Some("jest") => Framework::Jest,
        _ => Framework::Script,
    }
}

/// Words that stand before the program of a command: variables, and what sets or fetches.
fn is_before(word: &&str) -> bool {
    word.contains('=') || ["cross-env", "env", "npx", "bunx"].contains(word)
}

/// Packages are installed already, and nothing fetches them.
fn without_fetcher(part: &str) -> String {
    let program = part.split_whitespace().position(|word| !is_before(&word));
    let fetches = |(at, word): &(usize, &str)| {
        program.is_some_and(|program| *at < program) && ["npx", "bunx"].contains(word)
    };
    let words = part.split_whitespace().enumerate();
    let words: Vec<&str> = words
        .filter(|it| !fetches(it))
        .map(|(_, word)| word)
        .collect();
    words.join(" ")
}

/// A command whose frameworks write a report where it is looked for.
fn counted(command: &str) -> String {
    let with_report = |part: &str| match kind_of(part) {
        Framework::Vitest => format!(
            "{} --reporter=default --reporter=json --outputFile.json=/mayfly/counts/vitest.json",
            without_watcher(&without_fetcher(part))
        ),
        Framework::Jest => format!(
            "{} --json --testLocationInResults --outputFile=/mayfly/counts/jest.json",
            without_watcher(&without_fetcher(part))
        ),
        Framework::NodeTest => without_fetcher(part),
        _ => part.to_owned(),
    };
    let parts: Vec<String> = parts(command).into_iter().map(with_report).collect();
    parts.join(" && ")
}

/// Watchers wait for edits, and end never.
fn without_watcher(part: &str) -> String {
    let watches = |word: &&str| word.starts_with("--watch") || ["watch", "dev"].contains(word);
    let words: Vec<&str> = part.split_whitespace().filter(|it| !watches(it)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{detect, suites};
    use model::manifest::Manifest;

    fn found(package: &str, files: &[(&str, &str)]) -> Suites {
        let app = [
            ("package.json", package),
            ("index.js", "require('http').createServer().listen(3000)\n"),
        ];
        let folder = Folder::from_files(app.into_iter().chain(files.iter().copied()));
        let manifest = Manifest::default();
        let detected = detect(&folder, &manifest).expect("an app");
        suites(&folder, &detected.recipe, &manifest).expect("suites")
    }

    #[test]
    fn a_script_runs_as_its_own_command_with_a_report() {
        for (script, framework, command) in [
            ("node --test", Framework::NodeTest, "node --test"),
            (
                "npm run lint && node --test tests/",
                Framework::NodeTest,
                "npm run lint && node --test tests/",
            ),
            (
                "NODE_ENV=test npx jest --watchAll",
                Framework::Jest,
                "NODE_ENV=test jest --json --testLocationInResults --outputFile=/mayfly/counts/jest.json",
            ),
            (
                "vitest",
                Framework::Vitest,
                "vitest --reporter=default --reporter=json --outputFile.json=/mayfly/counts/vitest.json",
            ),
            ("mocha", Framework::Script, "mocha"),
            ("node check.js", Framework::Script, "node check.js"),
            (
                "node --test --test-reporter=tap",
                Framework::Script,
                "node --test --test-reporter=tap",
            ),
            ("jest | tee log", Framework::Script, "jest | tee log"),
        ] {
            let package = format!(r#"{{"scripts":{{"test":"{script}"}}}}"#);
            let suites = found(&package, &[]);
            let [suite] = suites.node.as_slice() else {
                panic!("{suites:?}");
            };
            assert_eq!(suite.framework, framework, "{script}");
            assert_eq!(suite.command, command, "{script}");
            assert_eq!(suite.typed, "npm test");
        }
    }

    #[test]
    fn npms_placeholder_is_no_test() {
        let package = r#"{"scripts":{"test":"echo \"Error: no test specified\" && exit 1"}}"#;
        assert!(found(package, &[]).is_empty());
    }

    #[test]
    fn files_of_tests_run_by_what_the_app_has() {
        let own = ("a.test.js", "import test from 'node:test'");
        for (package, file, command) in [
            ("{}", own, Some("node --test")),
            (
                r#"{"devDependencies":{"vitest":"3"}}"#,
                ("src/a.spec.ts", ""),
                Some("npx vitest run"),
            ),
            (
                r#"{"devDependencies":{"jest":"30"}}"#,
                ("__tests__/a.js", ""),
                Some("npx jest"),
            ),
            ("{}", ("a.test.js", "describe()"), None),
        ] {
            let suites = found(package, &[file]);
            let typed = suites.node.first().map(|suite| suite.typed.as_str());
            assert_eq!(typed, command, "{package}");
            assert_eq!(suites.notes.len(), usize::from(command.is_none()));
        }
    }

    #[test]
    fn tests_are_known_by_their_names() {
        for (path, is) in [
            ("a.test.js", true),
            ("src/a.spec.tsx", true),
            ("test/a.mjs", true),
            ("__tests__/a.ts", true),
            ("latest.js", false),
            ("contest/a.js", false),
            ("a.test.txt", false),
        ] {
            assert_eq!(is_test(path), is, "{path}");
        }
    }
}
