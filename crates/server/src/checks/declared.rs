//! The packages that an app's own files ask for, and where they do.

use advisories::Ecosystem;
use serde_json::Value;

/// A package that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) ecosystem: Ecosystem,
    pub(super) name: String,
    /// From 1.
    pub(super) line: u32,
    /// Of the name in its line, in bytes.
    pub(super) at: usize,
}

/// Whether a file of that path asks for packages.
pub(super) fn declares(path: &str) -> bool {
    reader(path).is_some()
}

/// The packages that a file asks for.
pub(super) fn declared(path: &str, text: &str) -> Vec<Declared> {
    reader(path).map_or_else(Vec::new, |read| read(text))
}

fn reader(path: &str) -> Option<fn(&str) -> Vec<Declared>> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name {
        "package.json" => Some(npm),
        "pyproject.toml" => Some(pyproject),
        _ if name.starts_with("requirements") && name.ends_with(".txt") => Some(requirements),
        _ => None,
    }
}

fn requirements(text: &str) -> Vec<Declared> {
    let named = text.lines().enumerate().filter_map(|(index, line)| {
        let at = line.len() - line.trim_start().len();
        let name = requirement_name(&line[at..])?;
        Some(Declared {
            ecosystem: Ecosystem::Pypi,
            name: name.to_owned(),
            line: index as u32 + 1,
            at,
        })
    });
    named.collect()
}

/// The name at the front of a requirement (PEP 508); none for options, comments, paths and URLs.
pub(super) fn requirement_name(requirement: &str) -> Option<&str> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let end = requirement
        .find(|letter| !is_part(letter))
        .unwrap_or(requirement.len());
    let (name, rest) = requirement.split_at(end);
    let is_name = name.starts_with(|letter: char| letter.is_ascii_alphanumeric());
    let rest = rest.trim_start();
    let goes_on = rest.is_empty()
        || rest.starts_with(['=', '<', '>', '!', '~', '[', ';', '#', '@', '(', ',']);
    (is_name && goes_on).then_some(name)
}

fn pyproject(text: &str) -> Vec<Declared> {
    let Ok(project) = text.parse::<toml::Table>() else {
        return vec![];
    };
    let mut names: Vec<String> = Vec::new();
    let mut requirements = |value: Option<&toml::Value>| {
        let list = value.and_then(toml::Value::as_array).into_iter().flatten();
        let texts = list.filter_map(toml::Value::as_str);
        names.extend(texts.filter_map(requirement_name).map(str::to_owned));
    };
    let own = project.get("project");
    requirements(own.and_then(|own| own.get("dependencies")));
    requirements(
        project
            .get("build-system")
            .and_then(|system| system.get("requires")),
    );
    let groups = [
        own.and_then(|own| own.get("optional-dependencies")),
        project.get("dependency-groups"),
    ];
    for group in groups
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_table)
    {
        group.values().for_each(|list| requirements(Some(list)));
    }
    names.extend(poetry(&project));
    let placed = names
        .into_iter()
        .filter_map(|name| place(text, Ecosystem::Pypi, name));
    placed.collect()
}

/// Poetry writes packages as keys.
fn poetry(project: &toml::Table) -> Vec<String> {
    let tool = project.get("tool").and_then(|tool| tool.get("poetry"));
    let keys = |value: Option<&toml::Value>| -> Vec<String> {
        let table = value.and_then(toml::Value::as_table);
        let keys = table.into_iter().flat_map(|table| table.keys().cloned());
        keys.filter(|key| key != "python").collect()
    };
    let mut names = keys(tool.and_then(|tool| tool.get("dependencies")));
    names.extend(keys(tool.and_then(|tool| tool.get("dev-dependencies"))));
    let groups = tool
        .and_then(|tool| tool.get("group"))
        .and_then(toml::Value::as_table);
    for group in groups.into_iter().flat_map(|groups| groups.values()) {
        names.extend(keys(group.get("dependencies")));
    }
    names
}

fn npm(text: &str) -> Vec<Declared> {
    let Ok(package) = serde_json::from_str::<Value>(text) else {
        return vec![];
    };
    let mut declared = Vec::new();
    for group in [
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
    ] {
        let packages = package[group].as_object().into_iter().flatten();
        declared.extend(packages.filter_map(|(key, version)| {
            let name = aliased(version.as_str().unwrap_or_default()).unwrap_or(key);
            place(text, Ecosystem::Npm, name.to_owned())
        }));
    }
    declared
}

/// `npm:other@1` brings another package than its key says.
fn aliased(version: &str) -> Option<&str> {
    let target = version.strip_prefix("npm:")?;
    let end = target.get(1..)?.find('@').map_or(target.len(), |at| at + 1);
    Some(&target[..end])
}

/// The first line that has the name as a word of its own.
fn place(text: &str, ecosystem: Ecosystem, name: String) -> Option<Declared> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_./@".contains(letter);
    let found = text.lines().enumerate().find_map(|(index, line)| {
        let at = line.match_indices(name.as_str()).find(|(at, _)| {
            let before = line[..*at].chars().next_back();
            let after = line[at + name.len()..].chars().next();
            !before.is_some_and(|letter| is_part(letter) && letter != ':')
                && !after.is_some_and(|letter| is_part(letter) && letter != '@')
        });
        at.map(|(at, _)| (index as u32 + 1, at))
    });
    let (line, at) = found?;
    Some(Declared {
        ecosystem,
        name,
        line,
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(path: &str, text: &str) -> Vec<(String, u32)> {
        let declared = declared(path, text).into_iter();
        declared.map(|one| (one.name, one.line)).collect()
    }

    fn pairs(list: &[(&str, u32)]) -> Vec<(String, u32)> {
        list.iter()
            .map(|(name, line)| ((*name).to_owned(), *line))
            .collect()
    }

    #[test]
    fn requirements_are_read_line_by_line() {
        let text = "# web\nflask==3.0\n-r other.txt\n  uvicorn[standard]>=0.3 ; python_version > '3'\n./local\nhttps://a.example/x.whl\na @ https://a.example/a.whl\n";
        let expected = pairs(&[("flask", 2), ("uvicorn", 4), ("a", 7)]);
        assert_eq!(seen("app/requirements-dev.txt", text), expected);
        assert!(seen("notes.txt", text).is_empty());
    }

    #[test]
    fn projects_ask_in_lists_groups_and_tables() {
        let text = "[project]\nname = 'x'\ndependencies = [\n  'flask>=3',\n]\n[dependency-groups]\ndev = ['pytest']\n[tool.poetry.dependencies]\npython = '3'\nrequests = '*'\n";
        let expected = pairs(&[("flask", 4), ("pytest", 7), ("requests", 10)]);
        assert_eq!(seen("pyproject.toml", text), expected);
    }

    #[test]
    fn packages_of_node_may_have_another_name() {
        let text =
            "{\n \"dependencies\": {\n  \"a\": \"npm:@x/lodash@1\",\n  \"express\": \"4\"\n }\n}";
        let expected = pairs(&[("@x/lodash", 3), ("express", 4)]);
        assert_eq!(seen("package.json", text), expected);
    }
}
