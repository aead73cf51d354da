//! Tests in Python.

use std::sync::LazyLock;

use model::failure::Failure;
use regex::Regex;

use crate::detect::bad_file::parse_toml;
use crate::detect::folder::Folder;
use crate::detect::python::code::{self, Script};
use crate::detect::python::names::canonical;
use crate::detect::python::{missing, requirements};
use crate::recipe::PythonRecipe;

/// The tests of a Python app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonSuite {
    /// Where they start, in the source; empty for the source itself.
    pub folder: String,
    /// How they run.
    pub tests: PythonTests,
    /// What they need beside the app's own packages, as requirements; what the app has too is
    /// among them.
    pub packages: Vec<String>,
    /// The file that lists these, for people.
    pub file: Option<String>,
}

/// How tests in Python run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonTests {
    /// pytest finds them itself; with these arguments.
    Pytest(Vec<String>),
    /// unittest is given these arguments: files, or what a command says.
    Unittest(Vec<String>),
    /// `manage.py test`.
    Django,
    /// A shell command.
    Command(String),
}

/// Files that list what only development needs, the usual ones first.
const LISTS: [&str; 8] = [
    "requirements-dev.txt",
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements_dev.txt",
    "requirements_test.txt",
    "dev-requirements.txt",
    "requirements/dev.txt",
    "requirements/test.txt",
];
/// Groups and extras of pyproject.toml that are for tests.
const GROUPS: [&str; 4] = ["test", "tests", "testing", "dev"];

/// What settings and code ask for without importing it: the words, and the package.
///
/// Sources: the documentation of each package, and of Starlette's TestClient.
const HIDDEN: [(&str, &str); 9] = [
    ("--cov", "pytest-cov"),
    ("asyncio_mode", "pytest-asyncio"),
    ("mark.asyncio", "pytest-asyncio"),
    ("mark.timeout", "pytest-timeout"),
    ("mocker)", "pytest-mock"),
    ("mocker,", "pytest-mock"),
    ("fastapi.testclient", "httpx"),
    ("starlette.testclient", "httpx"),
    ("mark.django_db", "pytest-django"),
];

static OF_PYTEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^(?:async\s+)?def\s+test|^class\s+Test\w*\s*(?:\(\s*(?:object)?\s*\))?\s*:")
        .expect("a fixed pattern")
});

/// Whether a file holds tests, by its name (pytest's and unittest's defaults, Django's).
pub(in crate::detect) fn is_test(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some(stem) = name.strip_suffix(".py") else {
        return false;
    };
    stem.starts_with("test_") || stem.ends_with("_test") || stem == "tests" || stem == "test"
}

/// Whether a file is there for tests alone.
pub(super) fn is_for_tests(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    is_test(path)
        || path.rsplit('/').next() == Some("conftest.py")
        || folders
            .split('/')
            .any(|part| ["tests", "test"].contains(&part))
}

/// Finds the tests of the app: in its folder, or else in the outermost one.
pub(in crate::detect) fn find(
    source: &Folder,
    recipe: &PythonRecipe,
) -> Result<Option<PythonSuite>, Failure> {
    let own = at(source, &recipe.folder);
    for folder in [own, source.clone()] {
        let scripts = scripts(&folder);
        let tests: Vec<&Script> = scripts.iter().filter(|it| is_test(&it.path)).collect();
        if !tests.is_empty() {
            return suite(&folder, recipe, &tests, &scripts).map(Some);
        }
    }
    Ok(None)
}

/// The suite that a command of mayfly.toml runs.
pub(in crate::detect) fn by_command(
    source: &Folder,
    recipe: &PythonRecipe,
    command: &str,
) -> Result<PythonSuite, Failure> {
    let folder = at(source, &recipe.folder);
    let scripts = scripts(&folder);
    let tests = of_command(command);
    let (packages, file) = packages(&folder, recipe, &scripts, &tests)?;
    // A command of the file is typed where the file lies.
    Ok(PythonSuite {
        folder: String::new(),
        tests,
        packages,
        file,
    })
}

/// A command that only calls a framework is counted as that.
fn of_command(command: &str) -> PythonTests {
    let words: Vec<&str> = command.split_whitespace().collect();
    let plain = !command.contains(|c: char| "|&;<>()$`\\\"'*?[]#~=%".contains(c));
    let rest = |from: usize| {
        words[from..]
            .iter()
            .map(|word| (*word).to_owned())
            .collect()
    };
    match words.as_slice() {
        ["pytest" | "py.test", ..] if plain => PythonTests::Pytest(rest(1)),
        ["python" | "python3", "-m", "pytest", ..] if plain => PythonTests::Pytest(rest(3)),
        ["python" | "python3", "-m", "unittest", ..] if plain => PythonTests::Unittest(rest(3)),
        _ => PythonTests::Command(command.to_owned()),
    }
}

fn at(source: &Folder, path: &str) -> Folder {
    match path {
        "" => source.clone(),
        path => source.inside(path),
    }
}

fn scripts(folder: &Folder) -> Vec<Script> {
    let code = folder.code(&[".py"]).into_iter();
    let tests = code.filter(|file| is_for_tests(&file.path));
    tests.map(code::read).collect()
}

fn suite(
    folder: &Folder,
    recipe: &PythonRecipe,
    tests: &[&Script],
    scripts: &[Script],
) -> Result<PythonSuite, Failure> {
    let tests = how(folder, recipe, tests);
    let (packages, file) = packages(folder, recipe, scripts, &tests)?;
    Ok(PythonSuite {
        folder: folder.path().to_owned(),
        tests,
        packages,
        file,
    })
}

fn how(folder: &Folder, recipe: &PythonRecipe, tests: &[&Script]) -> PythonTests {
    let settings = settings(folder);
    let asks = settings.contains("[pytest]") || settings.contains("tool.pytest");
    let pytests = tests.iter().any(|test| {
        let is_case = test.code.contains("unittest") || test.code.contains("TestCase");
        OF_PYTEST.is_match(&test.code) || test.imports("pytest").is_some() || !is_case
    });
    if asks || pytests || folder.has("conftest.py") || folder.has("tests/conftest.py") {
        return PythonTests::Pytest(vec![]);
    }
    let django = folder.has("manage.py") && recipe_has(recipe, "django");
    if django {
        return PythonTests::Django;
    }
    let mut files: Vec<String> = tests.iter().map(|test| test.path.clone()).collect();
    files.sort();
    PythonTests::Unittest(files)
}

fn recipe_has(recipe: &PythonRecipe, name: &str) -> bool {
    match &recipe.packages {
        crate::recipe::PythonPackages::None => false,
        crate::recipe::PythonPackages::UvLock { .. } => true,
        crate::recipe::PythonPackages::Listed { lines, .. } => lines
            .iter()
            .filter_map(|line| requirements::name_of(line))
            .any(|listed| listed == name),
    }
}

/// The text of the files that pytest reads its settings from.
fn settings(folder: &Folder) -> String {
    let files = ["pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];
    let texts = files.iter().filter_map(|file| {
        let text = folder.text(file)?;
        let of_pytest = *file == "pytest.ini" || text.contains("pytest");
        of_pytest.then_some(text)
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// What tests need: what lists for development name, and what their code uses beyond that.
fn packages(
    folder: &Folder,
    recipe: &PythonRecipe,
    scripts: &[Script],
    tests: &PythonTests,
) -> Result<(Vec<String>, Option<String>), Failure> {
    let own = at(&folder.outermost(), &recipe.folder);
    let mut listed = requirements::read(&own)?;
    let (mut lines, file) = for_development(&own)?;
    listed.lines.extend(lines.iter().cloned());
    // What the app's own code uses is installed with it.
    listed.lines.extend(match &recipe.packages {
        crate::recipe::PythonPackages::Listed { lines, .. } => lines.clone(),
        crate::recipe::PythonPackages::UvLock { added } => added.clone(),
        crate::recipe::PythonPackages::None => vec![],
    });
    listed.uv_lock = false;
    let missing = missing::find(folder, scripts, &listed, &[]);
    lines.extend(missing.into_iter().map(|missing| missing.package));
    if matches!(tests, PythonTests::Pytest(_)) {
        lines.push("pytest".into());
    }
    let settings = settings(folder);
    let texts = scripts.iter().map(|script| script.code.as_str());
    let texts: Vec<&str> = texts.chain([settings.as_str()]).collect();
    for (words, package) in HIDDEN {
        if texts.iter().any(|text| text.contains(words)) {
            lines.push(package.to_owned());
        }
    }
    Ok((once(lines), file))
}

/// The first requirement of each package.
fn once(lines: Vec<String>) -> Vec<String> {
    let mut names = std::collections::BTreeSet::new();
    let fresh = |line: &String| match requirements::name_of(line) {
        Some(name) => names.insert(canonical(&name)),
        None => false,
    };
    lines.into_iter().filter(fresh).collect()
}

fn for_development(folder: &Folder) -> Result<(Vec<String>, Option<String>), Failure> {
    if let Some(file) = folder.first_of(&LISTS) {
        return Ok((
            requirements::lines_of(folder, file),
            Some(folder.name_of(file)),
        ));
    }
    if !folder.has("pyproject.toml") {
        return Ok((vec![], None));
    }
    let file = folder.name_of("pyproject.toml");
    let table = parse_toml(&file, &folder.text("pyproject.toml").unwrap_or_default())?;
    let project = table.get("project");
    let extras = project.and_then(|project| project.get("optional-dependencies"));
    let mut lines = Vec::new();
    for groups in [table.get("dependency-groups"), extras]
        .into_iter()
        .flatten()
    {
        let named = GROUPS
            .iter()
            .filter_map(|name| groups.get(name)?.as_array());
        let asked = named.flatten().filter_map(toml::Value::as_str);
        lines.extend(asked.filter_map(requirements::requirement_of));
    }
    let file = (!lines.is_empty()).then_some(file);
    Ok((lines, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{detect, suites};
    use crate::recipe::Recipe;
    use model::manifest::Manifest;

    fn found(files: &[(&str, &str)]) -> Option<PythonSuite> {
        let app = [
            ("requirements.txt", "flask\n"),
            ("app.py", "from flask import Flask\napp = Flask(__name__)\n"),
        ];
        let folder = Folder::from_files(app.into_iter().chain(files.iter().copied()));
        let manifest = Manifest::default();
        let detected = detect(&folder, &manifest).expect("an app");
        let Recipe::Python(python) = &detected.recipe else {
            panic!("{detected:?}");
        };
        let crate::recipe::PythonPackages::Listed { lines, .. } = &python.packages else {
            panic!("{python:?}");
        };
        assert!(
            !lines.iter().any(|line| line.contains("pytest")),
            "{lines:?}"
        );
        suites(&folder, &detected.recipe, &manifest)
            .expect("suites")
            .python
    }

    #[test]
    fn tests_are_found_by_their_files_and_run_by_what_they_are_written_for() {
        let pytest = PythonTests::Pytest(vec![]);
        let unittest = |files: &[&str]| {
            PythonTests::Unittest(files.iter().map(|file| (*file).to_owned()).collect())
        };
        let case =
            "import unittest\nclass TestApp(unittest.TestCase):\n    def test_a(self): pass\n";
        for (file, text, tests) in [
            ("test_app.py", "def test_a(): pass", Some(pytest.clone())),
            ("tests/test_app.py", "import pytest", Some(pytest.clone())),
            (
                "tests/app_test.py",
                "class TestA:\n  pass",
                Some(pytest.clone()),
            ),
            (
                "tests/test_app.py",
                case,
                Some(unittest(&["tests/test_app.py"])),
            ),
            ("tests/helpers.py", "def test_a(): pass", None),
            ("contest.py", "x = 1", None),
        ] {
            let found = found(&[(file, text)]);
            assert_eq!(found.map(|suite| suite.tests), tests, "{file}");
        }
    }

    #[test]
    fn packages_of_tests_come_from_every_list_and_from_the_code() {
        for (files, packages) in [
            (
                vec![("test_a.py", "import pytest\nimport requests\n")],
                vec!["pytest", "requests"],
            ),
            (
                vec![
                    ("test_a.py", "def test_a(): pass"),
                    (
                        "requirements-dev.txt",
                        "-r requirements.txt\npytest==8.3.4\nfaker\n",
                    ),
                ],
                vec!["flask", "pytest==8.3.4", "faker"],
            ),
            (
                vec![
                    ("test_a.py", "def test_a(): pass"),
                    (
                        "pyproject.toml",
                        "[dependency-groups]\ndev = [\"pytest>=8\", {include-group = \"x\"}]\n[tool.pytest.ini_options]\naddopts = \"--cov=app\"\n",
                    ),
                ],
                vec!["pytest>=8", "pytest-cov"],
            ),
            (
                vec![(
                    "test_a.py",
                    "import unittest\nclass A(unittest.TestCase): pass\n",
                )],
                vec![],
            ),
        ] {
            let suite = found(&files).expect("tests");
            assert_eq!(suite.packages, packages, "{files:?}");
        }
    }

    #[test]
    fn a_command_that_calls_a_framework_is_counted_as_that() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        for (command, tests) in [
            (
                "pytest -q tests",
                PythonTests::Pytest(words(&["-q", "tests"])),
            ),
            ("python -m pytest", PythonTests::Pytest(vec![])),
            (
                "python3 -m unittest discover",
                PythonTests::Unittest(words(&["discover"])),
            ),
            (
                "pytest && true",
                PythonTests::Command("pytest && true".into()),
            ),
            ("make test", PythonTests::Command("make test".into())),
        ] {
            assert_eq!(of_command(command), tests, "{command}");
        }
    }
}
