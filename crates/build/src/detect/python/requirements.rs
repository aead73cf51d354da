//! Which packages a Python app lists, wherever it does so.

use std::sync::LazyLock;

use model::failure::Failure;
use model::plan::Clue;
use regex::Regex;

use crate::detect::bad_file::parse_toml;
use crate::detect::folder::{Folder, line_of};
use crate::detect::python::names::{canonical, meant_by};
use crate::detect::python::stdlib::is_stdlib;

/// How deep `-r` lines are followed.
const INCLUDE_DEPTH: usize = 4;
/// How many lines are read in all.
const MAX_LINES: usize = 5_000;

/// What an app lists.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The file that lists it; none when there is no such file.
    pub(super) file: Option<String>,
    /// Requirements as pip reads them (PEP 508), one each.
    pub(super) lines: Vec<String>,
    /// Whether the versions are in a uv.lock.
    pub(super) uv_lock: bool,
    /// Which Python it asks for, and where.
    pub(super) requires_python: Option<(String, Clue)>,
    /// What was changed or left out.
    pub(super) warnings: Vec<Clue>,
}

impl Listed {
    /// The names of all packages, in canonical form.
    pub(super) fn names(&self) -> Vec<String> {
        self.lines.iter().filter_map(|line| name_of(line)).collect()
    }

    /// Whether the package `name` (canonical) is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names().iter().any(|listed| listed == name)
    }
}

static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(.*)$").expect("a fixed pattern")
});
static SCRIPT_BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^# /// script[ \t]*\n((?:#(?: .*)?\n)+?)# ///[ \t]*$")
        .expect("a fixed pattern")
});

/// Reads the lists in the folder: requirements.txt before pyproject.toml before Pipfile before the
/// block at the head of a script; uv.lock before all when its pyproject.toml is there.
pub(super) fn read(folder: &Folder) -> Result<Listed, Failure> {
    let mut listed = Listed::default();
    let requirements = requirements_file(folder);
    if folder.has("pyproject.toml") {
        read_pyproject(folder, &mut listed)?;
        listed.uv_lock = folder.has("uv.lock") && requirements.is_none();
    }
    if let Some(file) = requirements {
        listed.lines.clear();
        listed.warnings.clear();
        listed.file = Some(folder.name_of(&file));
        include(folder, &file, INCLUDE_DEPTH, &mut listed);
    } else if listed.lines.is_empty() && folder.has("Pipfile") {
        read_pipfile(folder, &mut listed)?;
    } else if listed.lines.is_empty() && !listed.uv_lock {
        read_script_block(folder, &mut listed);
    }
    Ok(listed)
}

/// The canonical name of the package that a requirement asks for.
pub(super) fn name_of(line: &str) -> Option<String> {
    NAME.captures(line).map(|found| canonical(&found[1]))
}

/// The requirements of one file and of those that it includes, as the app's own list has them.
pub(super) fn lines_of(folder: &Folder, file: &str) -> Vec<String> {
    let mut listed = Listed::default();
    include(folder, file, INCLUDE_DEPTH, &mut listed);
    listed.lines
}

/// A requirement as it is asked for; `None` for what no registry has.
pub(super) fn requirement_of(line: &str) -> Option<String> {
    requirement(line).line
}

fn requirements_file(folder: &Folder) -> Option<String> {
    let usual = [
        "requirements.txt",
        "requirements-prod.txt",
        "requirements/production.txt",
        "requirements/prod.txt",
        "requirements/base.txt",
        "requirements/main.txt",
        "requirement.txt",
    ];
    folder.first_of(&usual).map(str::to_owned)
}

fn include(folder: &Folder, file: &str, depth: usize, listed: &mut Listed) {
    let Some(text) = folder.text(file) else {
        let clue = Clue {
            file: folder.name_of(file),
            line: None,
            says: "is asked for by `-r` but is not there".into(),
        };
        return listed.warnings.push(clue);
    };
    for (number, line) in logical_lines(&text) {
        if listed.lines.len() >= MAX_LINES {
            return;
        }
        let other = line
            .strip_prefix("-r")
            .or_else(|| line.strip_prefix("--requirement"));
        if let Some(other) = other {
            let path = beside(file, other.trim_start_matches('=').trim());
            if depth > 0 {
                include(folder, &path, depth - 1, listed);
            }
            continue;
        }
        let kept = requirement(&line);
        let (kept, says) = (kept.line, kept.says);
        listed.lines.extend(kept);
        listed.warnings.extend(says.map(|says| Clue {
            file: folder.name_of(file),
            line: Some(number),
            says,
        }));
    }
}

/// Lines with their numbers: comments taken off, continued lines joined, empty ones left out.
fn logical_lines(text: &str) -> Vec<(u32, String)> {
    let mut lines: Vec<(u32, String)> = Vec::new();
    let mut open: Option<(u32, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = match line.find('#') {
            Some(0) => "",
            Some(at) if line[..at].ends_with([' ', '\t']) => &line[..at],
            _ => line,
        };
        let (start, mut joined) = open.take().unwrap_or((number, String::new()));
        let line = line.trim();
        match line.strip_suffix('\\') {
            Some(part) => {
                joined.push_str(part);
                open = Some((start, joined));
            }
            None => {
                joined.push_str(line);
                lines.push((start, joined.trim().to_owned()));
            }
        }
    }
    lines.extend(open);
    lines.retain(|(_, line)| !line.is_empty());
    lines
}

/// What becomes of one line.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    line: Option<String>,
    says: Option<String>,
}

impl Kept {
    fn as_is(line: String) -> Self {
        Self {
            line: Some(line),
            says: None,
        }
    }

    fn left_out(says: String) -> Self {
        Self {
            line: None,
            says: Some(says),
        }
    }
}

/// Decides on one requirement: options that name other registries, the app itself, parts of Python
/// and names that no package has are common in lists that nobody ever installed.
fn requirement(line: &str) -> Kept {
    // Hashes of an older lock: the new resolution makes its own.
    let line = line.split(" --hash").next().unwrap_or(line).trim();
    let is_self = ["-e .", "-e.", "--editable .", "."].contains(&line);
    if is_self {
        return Kept::default();
    }
    if line.starts_with('-') {
        return option(line);
    }
    if line.starts_with("./")
        || line.starts_with("../")
        || line.contains("://") && !line.contains('@')
    {
        return Kept::left_out(format!(
            "`{line}` is left out: packages come from the registry only"
        ));
    }
    let Some(found) = NAME.captures(line) else {
        return Kept::left_out(format!("`{line}` is no requirement and is left out"));
    };
    named(&found[1], found[2].trim_end())
}

fn option(line: &str) -> Kept {
    let quiet = [
        "-c",
        "--constraint",
        "--prefer-binary",
        "--only-binary",
        "--no-binary",
        "--trusted-host",
        "--pre",
    ];
    if quiet.iter().any(|name| line.starts_with(name)) {
        return Kept::default();
    }
    Kept::left_out(format!(
        "`{line}` is left out: packages come from the registry that this machine's pip is set to"
    ))
}

fn named(name: &str, rest: &str) -> Kept {
    let form = canonical(name);
    if is_stdlib(&name.to_ascii_lowercase()) && !is_real_package(&form) {
        return Kept::left_out(format!("`{name}` is part of Python and is left out"));
    }
    if WINDOWS_ONLY.contains(&form.as_str()) && !rest.contains(';') {
        return Kept::left_out(format!("`{name}` is for Windows only and is left out"));
    }
    // `name @ file:///…`, as conda's lists have it: the path was on another machine.
    let (rest, moved) = match rest.find("@ file:") {
        Some(_) => ("", true),
        None => (rest, false),
    };
    if let Some(meant) = meant_by(&form) {
        return Kept {
            line: Some(format!("{meant}{rest}")),
            says: Some(format!("`{name}` is installed as `{meant}`")),
        };
    }
    let mut kept = Kept::as_is(format!("{name}{rest}"));
    if moved {
        kept.says = Some(format!(
            "`{name}` pointed to a file of another machine; its newest version is taken"
        ));
    }
    kept
}

const WINDOWS_ONLY: [&str; 4] = ["pypiwin32", "pywin32", "pywin32-ctypes", "pywinpty"];

/// Packages of the registry that are named like a part of Python and are meant when listed.
fn is_real_package(canonical: &str) -> bool {
    matches!(
        canonical,
        "ipaddress" | "dataclasses" | "tzdata" | "typing-extensions"
    )
}

fn read_pyproject(folder: &Folder, listed: &mut Listed) -> Result<(), Failure> {
    let file = folder.name_of("pyproject.toml");
    let text = folder.text("pyproject.toml").unwrap_or_default();
    let table = parse_toml(&file, &text)?;
    let project = table.get("project").and_then(toml::Value::as_table);
    let poetry = table
        .get("tool")
        .and_then(|tool| tool.get("poetry"))
        .and_then(|poetry| poetry.get("dependencies"))
        .and_then(toml::Value::as_table);
    let mut take = |line: &str| {
        let kept = requirement(line);
        listed.lines.extend(kept.line);
        listed.warnings.extend(kept.says.map(|says| Clue {
            file: file.clone(),
            line: text.find(line).map(|at| line_of(&text, at)),
            says,
        }));
    };
    let dependencies = project
        .and_then(|project| project.get("dependencies"))
        .and_then(toml::Value::as_array);
    for line in dependencies
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
    {
        take(line);
    }
    for (name, wish) in poetry.into_iter().flatten() {
        if name != "python"
            && let Some(line) = poetry_requirement(name, wish)
        {
            take(&line);
        }
    }
    if dependencies.is_some() || poetry.is_some() {
        listed.file = Some(file.clone());
    }
    let requires = project
        .and_then(|project| project.get("requires-python"))
        .and_then(toml::Value::as_str)
        .map(str::to_owned);
    let requires = requires.or_else(|| {
        let wish = poetry?.get("python")?.as_str()?;
        Some(poetry_version(wish))
    });
    listed.requires_python = requires.map(|wish| {
        let line = ["requires-python", "python ="]
            .iter()
            .find_map(|key| text.find(key))
            .map(|at| line_of(&text, at));
        let says = format!("asks for Python {wish}");
        (wish, Clue { file, line, says })
    });
    Ok(())
}

fn read_pipfile(folder: &Folder, listed: &mut Listed) -> Result<(), Failure> {
    let file = folder.name_of("Pipfile");
    let table = parse_toml(&file, &folder.text("Pipfile").unwrap_or_default())?;
    let packages = table.get("packages").and_then(toml::Value::as_table);
    for (name, wish) in packages.into_iter().flatten() {
        // Pipfile's versions are pip's own, but `*`.
        let version = wish
            .as_str()
            .or_else(|| wish.get("version").and_then(toml::Value::as_str))
            .filter(|version| *version != "*")
            .unwrap_or("");
        listed
            .lines
            .extend(requirement(&format!("{name}{version}")).line);
    }
    listed.file = Some(file);
    Ok(())
}

/// Turns an entry of Poetry's table into a requirement; `None` for what is optional or no package
/// of a registry.
fn poetry_requirement(name: &str, wish: &toml::Value) -> Option<String> {
    if let Some(version) = wish.as_str() {
        return Some(format!("{name}{}", poetry_version(version)));
    }
    let table = wish.as_table()?;
    let optional = table.get("optional").and_then(toml::Value::as_bool);
    if optional == Some(true) || table.contains_key("path") || table.contains_key("git") {
        return None;
    }
    let version = table.get("version")?.as_str()?;
    let extras: Vec<&str> = table
        .get("extras")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect();
    let extras = match extras.as_slice() {
        [] => String::new(),
        extras => format!("[{}]", extras.join(",")),
    };
    Some(format!("{name}{extras}{}", poetry_version(version)))
}

/// Poetry's `^1.2` and `~1.2` as ranges of PEP 440.
///
/// Source: Poetry's documentation, "Dependency specification".
fn poetry_version(wish: &str) -> String {
    let parts = wish.split(',').map(|part| {
        let part = part.trim();
        let range = |version: &str, keep: usize| {
            let upper = next_after(version, keep)?;
            Some(format!(">={version},<{upper}"))
        };
        let first_nonzero = |version: &str| {
            let zeros = version.split('.').take_while(|part| *part == "0").count();
            (zeros + 1).min(version.split('.').count())
        };
        let tilde = |version: &str| version.split('.').count().min(2);
        match part.split_at_checked(1) {
            _ if part == "*" || part.is_empty() => String::new(),
            Some(("^", version)) => range(version, first_nonzero(version)).unwrap_or_default(),
            Some(("~", version)) if !version.starts_with('=') => {
                range(version, tilde(version)).unwrap_or_default()
            }
            Some((first, _)) if first.starts_with(|c: char| c.is_ascii_digit()) => {
                format!("=={part}")
            }
            _ => part.to_owned(),
        }
    });
    let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
    parts.join(",")
}

/// The first version after all that begin with the first `keep` parts of `version`.
fn next_after(version: &str, keep: usize) -> Option<String> {
    let mut numbers: Vec<u64> = version
        .split('.')
        .take(keep)
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let last = numbers.last_mut()?;
    *last = last.checked_add(1)?;
    let parts: Vec<String> = numbers.iter().map(u64::to_string).collect();
    Some(parts.join("."))
}

/// The block of PEP 723 that lists a script's own dependencies.
fn read_script_block(folder: &Folder, listed: &mut Listed) {
    for path in folder.top_files().filter(|path| path.ends_with(".py")) {
        let text = folder.text(path).unwrap_or_default().replace("\r\n", "\n");
        let Some(block) = SCRIPT_BLOCK.captures(&text) else {
            continue;
        };
        let uncommented: Vec<&str> = block[1]
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap_or(""))
            .collect();
        let Ok(table) = uncommented.join("\n").parse::<toml::Table>() else {
            continue;
        };
        let dependencies = table.get("dependencies").and_then(toml::Value::as_array);
        let lines = dependencies
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str);
        listed
            .lines
            .extend(lines.filter_map(|line| requirement(line).line));
        listed.file = Some(folder.name_of(path));
    }
}

/// `other` as a path beside `file`; `..` stays within the folder by leaving parts of `file` out.
fn beside(file: &str, other: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in other.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_nobody_ever_installed_are_mended() {
        for (line, kept) in [
            ("flask", Some("flask")),
            (
                "Flask[async]>=3.0 ; python_version > '3.8'",
                Some("Flask[async]>=3.0 ; python_version > '3.8'"),
            ),
            ("sqlite3", None),
            ("sklearn==1.0", Some("scikit-learn==1.0")),
            ("opencv-python", Some("opencv-python-headless")),
            ("-e .", None),
            ("--extra-index-url https://example.org/simple", None),
            ("numpy @ file:///home/ci/numpy", Some("numpy")),
            ("pywin32==306", None),
            ("a==1 --hash=sha256:00", Some("a==1")),
            ("$(rm -rf /)", None),
            ("./local", None),
        ] {
            assert_eq!(requirement(line).line.as_deref(), kept, "{line}");
        }
    }

    #[test]
    fn files_are_included_and_continued_lines_joined() {
        let folder = Folder::from_files([
            (
                "requirements.txt",
                "-r more/base.txt\nflask \\\n >=3 # why\n",
            ),
            ("more/base.txt", "-r ../requirements.txt\nrequests"),
        ]);
        let listed = read(&folder).expect("readable lists");
        assert!(listed.has("requests") && listed.has("flask"));
        assert!(listed.lines.len() < 20);
    }

    #[test]
    fn the_lists_of_all_tools_are_read() {
        for (file, text, expected) in [
            (
                "pyproject.toml",
                "[project]\nname='x'\ndependencies=['flask>=3','httpx']\nrequires-python='>=3.9'",
                vec!["flask>=3", "httpx"],
            ),
            (
                "pyproject.toml",
                "[tool.poetry.dependencies]\npython='^3.11'\nflask='^2.1'\nuvicorn={version='~0.20', extras=['standard']}\nx={git='https://a'}\n",
                vec!["flask>=2.1,<3", "uvicorn[standard]>=0.20,<0.21"],
            ),
            (
                "Pipfile",
                "[packages]\nflask='*'\nrequests='==2.31.0'",
                vec!["flask", "requests==2.31.0"],
            ),
            (
                "app.py",
                "# /// script\n# dependencies = [\n#   \"bottle\",\n# ]\n# ///\nimport bottle\n",
                vec!["bottle"],
            ),
        ] {
            let listed = read(&Folder::from_files([(file, text)])).expect("readable lists");
            assert_eq!(listed.lines, expected, "{file}");
        }
    }

    #[test]
    fn poetrys_versions_become_ranges() {
        for (wish, range) in [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^0.2.3", ">=0.2.3,<0.3"),
            ("~1.2.3", ">=1.2.3,<1.3"),
            ("*", ""),
            ("2.0", "==2.0"),
            (">=1,<3", ">=1,<3"),
            ("~=1.4", "~=1.4"),
            ("^99999999999999999999", ""),
        ] {
            assert_eq!(poetry_version(wish), range, "{wish}");
        }
    }

    #[test]
    fn an_unreadable_pyproject_names_its_place() {
        let folder = Folder::from_files([("pyproject.toml", "[project\nname = 1")]);
        let failure = read(&folder).expect_err("broken TOML");
        assert!(
            failure.message.starts_with("pyproject.toml:1:"),
            "{failure}"
        );
    }
}
