//! First tests, in the framework that comes with the app's own language.

use model::plan::{AppKind, Plan};
use model::route::Route;
use serde_json::{Value, json};

use crate::folder::Root;

const PYTHON: &str = include_str!("python.py");
const NODE: &str = include_str!("node.mjs");
/// Requirements and package files are read up to here.
const LIST_BYTES: u64 = 1 << 20;

/// The tests of one app.
pub(super) struct Suite {
    language: Language,
    /// Where the server lies, with a `/` at its end.
    folder: String,
    has_pytest: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Python,
    Node,
}

impl Suite {
    /// For the app that `plan` starts; none where nothing is started.
    pub(super) fn of(root: &Root, plan: &Plan) -> Option<Self> {
        let program = plan.start.first()?;
        let is_node = ["node", "npm", "npx", "tsx", "bun"].contains(&program.as_str());
        let language = match plan.kind {
            AppKind::Static => return None,
            AppKind::Python => Language::Python,
            AppKind::Node => Language::Node,
            AppKind::FrontAndBack if is_node => Language::Node,
            AppKind::FrontAndBack => Language::Python,
        };
        let folder = server_folder(root, plan);
        let lists = ["requirements.txt", "requirements-dev.txt", "pyproject.toml"];
        let has_pytest = lists.iter().any(|list| {
            let text = root.read_text(&format!("{folder}{list}"), LIST_BYTES);
            text.ok()
                .flatten()
                .is_some_and(|text| text.contains("pytest"))
        });
        Some(Self {
            language,
            folder,
            has_pytest,
        })
    }

    /// Where the tests lie.
    pub(super) fn file(&self) -> String {
        match self.language {
            Language::Python => format!("{}tests/test_first.py", self.folder),
            Language::Node => format!("{}test/first.test.mjs", self.folder),
        }
    }

    /// Python finds tests in packages.
    pub(super) fn needs_package(&self) -> bool {
        self.language == Language::Python
    }

    /// What makes the folder of the tests a package.
    pub(super) fn package_file(&self) -> String {
        format!("{}tests/__init__.py", self.folder)
    }

    /// How the tests are run.
    pub(super) fn command(&self) -> String {
        let command = match (self.language, self.has_pytest) {
            (Language::Python, true) => "pytest",
            (Language::Python, false) => "python -m unittest",
            (Language::Node, _) => "node --test",
        };
        match self.folder.trim_end_matches('/') {
            "" => command.to_owned(),
            folder => format!("(cd {folder} && {command})"),
        }
    }

    /// The tests themselves.
    pub(super) fn text(&self, plan: &Plan, routes: &[Route]) -> String {
        let routes: Vec<&Route> = routes
            .iter()
            .filter(|route| route.file.starts_with(&self.folder))
            .collect();
        let writes = |route: &&&Route| route.is_mutating() || route.method == "ANY";
        let has_writes = routes.iter().any(|route| writes(&route));
        let template = match self.language {
            Language::Python => PYTHON,
            Language::Node => NODE,
        };
        let mut text = sections(template, self.comment(), has_writes);
        let is_guarded = |route: &&Route| !route.guards.is_empty();
        // Where somebody looks at callers at all, whoever is not looked at was forgotten.
        let open: Vec<Value> = match routes.iter().any(is_guarded) {
            true => vec![],
            false => routes
                .iter()
                .filter(writes)
                .map(|route| opened(route))
                .collect(),
        };
        let all = routes
            .iter()
            .map(|route| json!([route.method, route.path, route.guards]));
        let port = plan.port.unwrap_or(8080).to_string();
        for (mark, value) in [
            ("__START__", spaced(&json!(plan.start))),
            ("__BEFORE__", spaced(&json!(plan.before))),
            ("__HEALTH__", json!(plan.health).to_string()),
            ("__ROUTES__", self.list(all.collect())),
            ("__OPEN__", self.list(open)),
            ("__PORT__", json!(port).to_string()),
        ] {
            text = text.replace(mark, &value);
        }
        text
    }

    fn comment(&self) -> &'static str {
        match self.language {
            Language::Python => "#",
            Language::Node => "//",
        }
    }

    /// A list as both languages write it, one thing a line.
    fn list(&self, values: Vec<Value>) -> String {
        let indent = match self.language {
            Language::Python => "    ",
            Language::Node => "  ",
        };
        let lines: Vec<String> = values
            .iter()
            .map(|value| format!("{indent}{},\n", spaced(value)))
            .collect();
        match lines.is_empty() {
            true => "[]".to_owned(),
            false => format!("[\n{}]", lines.concat()),
        }
    }
}

/// A list or a text as people write it in both languages.
fn spaced(value: &Value) -> String {
    match value.as_array() {
        Some(values) => {
            let values: Vec<String> = values.iter().map(spaced).collect();
            format!("[{}]", values.join(", "))
        }
        None => value.to_string(),
    }
}

fn opened(route: &Route) -> Value {
    let method = match route.method.as_str() {
        "ANY" => "POST",
        method => method,
    };
    json!([method, route.path])
}

/// The folder in which the server is started: where a word of its command is a file, the app's own
/// folder or one that something was seen in.
fn server_folder(root: &Root, plan: &Plan) -> String {
    let seen = plan
        .evidence
        .iter()
        .filter_map(|clue| clue.file.rsplit_once('/'));
    let mut folders = vec![String::new()];
    folders.extend(seen.map(|(folder, _)| format!("{folder}/")));
    let is_there = |folder: &&String| {
        let mut words = plan.start.iter();
        words.any(|word| {
            let module = word.split(':').next().unwrap_or_default().replace('.', "/");
            let paths = [format!("{folder}{word}"), format!("{folder}{module}.py")];
            let mut paths = paths.iter();
            paths.any(|path| root.open_file(path).is_ok_and(|file| is_file(&file)))
        })
    };
    let found = folders.iter().find(is_there).cloned();
    found.unwrap_or_default()
}

fn is_file(file: &std::fs::File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.is_file())
}

/// A template with the sections that apply. A line `# [name]` begins one, `# [/name]` ends it.
fn sections(template: &str, comment: &str, has_writes: bool) -> String {
    let mut text = String::new();
    let mut is_in = true;
    for line in template.split_inclusive('\n') {
        let mark = line.trim_end().strip_prefix(comment).map(str::trim);
        match mark {
            Some("[auth]" | "[writes]") => is_in = has_writes,
            Some("[/auth]" | "[/writes]") => is_in = true,
            _ if is_in => text.push_str(line),
            _ => {}
        }
    }
    text
}
