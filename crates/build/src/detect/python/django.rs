//! Django: its command, its migrations, its hosts.

use std::sync::LazyLock;

use model::plan::Clue;
use regex::Regex;

use crate::detect::folder::{Folder, line_of};
use crate::detect::python::code::Script;
use crate::detect::python::start::{Found, clue};
use crate::recipe::Start;

/// The port that Django's own server takes.
const PORT: u16 = 8000;

static SETTINGS: LazyLock<Regex> =
    LazyLock::new(|| rule(r#"DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']"#));
static HOSTS: LazyLock<Regex> =
    LazyLock::new(|| rule(r"(?m)^ALLOWED_HOSTS(?:\s*:[^=\n]+)?\s*=\s*\[([^\]]*)\]"));
static DEBUG: LazyLock<Regex> = LazyLock::new(|| rule(r"(?m)^DEBUG\s*=\s*(True|False)\s*$"));

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which the tests compile")
}

/// Whether settings turn debugging on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Debug {
    On,
    Off,
    /// Something decides at run time.
    Unknown,
}

/// How a Django project starts.
///
/// Its own server and not gunicorn: only that serves the static files of the admin and of the apps
/// without further set-up, which these projects rarely have. It has a thread for each request.
pub(super) fn find(folder: &Folder, scripts: &[Script]) -> Option<Found> {
    let manage = scripts
        .iter()
        .filter(|script| script.path.ends_with("manage.py") && script.code.contains("django"))
        .min_by_key(|script| script.path.len())?;
    let workdir = manage
        .path
        .trim_end_matches("manage.py")
        .trim_end_matches('/');
    let settings = SETTINGS
        .captures(&manage.code)
        .map(|found| found[1].replace('.', "/"));
    let settings = settings.and_then(|path| settings_file(scripts, workdir, &path));
    let debug = settings.map_or(Debug::Unknown, |file| debug_of(&file.code));
    let mut command = vec!["python", "manage.py", "runserver", "--noreload"];
    if debug == Debug::Off {
        // Without debugging the server would leave static files to others.
        command.push("--insecure");
    }
    let address = format!("127.0.0.1:{PORT}");
    command.push(&address);
    // Apps without migrations of their own still get their tables.
    let migrate = [
        "python",
        "manage.py",
        "migrate",
        "--noinput",
        "--run-syncdb",
    ];
    let warning = settings.and_then(|file| hosts_warning(folder, file, debug));
    Some(Found {
        start: Start {
            command: command.into_iter().map(str::to_owned).collect(),
            before: vec![migrate.map(str::to_owned).to_vec()],
            workdir: workdir.to_owned(),
            port: PORT,
            ..Start::default()
        },
        clue: clue(folder, &manage.path, None, "is Django's command".into()),
        weight: 60,
        needs: vec!["django"],
        warnings: warning.into_iter().collect(),
    })
}

fn settings_file<'s>(scripts: &'s [Script], workdir: &str, module: &str) -> Option<&'s Script> {
    let inside = |path: String| match workdir {
        "" => path,
        dir => format!("{dir}/{path}"),
    };
    let file = inside(format!("{module}.py"));
    let package = inside(format!("{module}/__init__.py"));
    scripts
        .iter()
        .find(|script| script.path == file || script.path == package)
}

fn debug_of(code: &str) -> Debug {
    match DEBUG.captures(code).as_ref().map(|found| &found[1]) {
        Some("True") => Debug::On,
        Some(_) => Debug::Off,
        None => Debug::Unknown,
    }
}

/// Warns when Django will refuse `<app>.localhost` as a host.
///
/// With debugging on and an empty list it takes `.localhost` (Django's documentation of
/// ALLOWED_HOSTS).
fn hosts_warning(folder: &Folder, settings: &Script, debug: Debug) -> Option<Clue> {
    let found = HOSTS.captures(&settings.code)?;
    let hosts: Vec<&str> = found[1]
        .split(',')
        .map(|host| host.trim().trim_matches(['"', '\'']))
        .filter(|host| !host.is_empty())
        .collect();
    let fits = match hosts.as_slice() {
        [] => debug != Debug::Off,
        hosts => hosts.iter().any(|host| matches!(*host, "*" | ".localhost")),
    };
    let line = line_of(&settings.code, found.get(0)?.start());
    let says = "ALLOWED_HOSTS does not allow the app's own address; add '.localhost' to it";
    (!fits).then(|| clue(folder, &settings.path, Some(line), says.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::python::scripts;

    const MANAGE: &str =
        "import django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site.settings')";

    #[test]
    fn hosts_that_shut_the_app_out_are_reported() {
        for (settings, warned) in [
            ("DEBUG = True\nALLOWED_HOSTS = []", false),
            ("DEBUG = False\nALLOWED_HOSTS = []", true),
            (
                "DEBUG = True\nALLOWED_HOSTS = ['localhost', '127.0.0.1']",
                true,
            ),
            ("DEBUG = False\nALLOWED_HOSTS = ['*']", false),
            ("ALLOWED_HOSTS = [\n 'x.example',\n '.localhost',\n]", false),
            ("DEBUG = env('DEBUG')", false),
        ] {
            let folder =
                Folder::from_files([("manage.py", MANAGE), ("site/settings.py", settings)]);
            let found = find(&folder, &scripts(&folder)).expect("a Django project");
            assert_eq!(!found.warnings.is_empty(), warned, "{settings}");
        }
    }

    #[test]
    fn a_project_in_a_folder_starts_there() {
        let folder = Folder::from_files([("mysite/manage.py", MANAGE)]);
        let found = find(&folder, &scripts(&folder)).expect("a Django project");
        assert_eq!(found.start.workdir, "mysite");
        assert_eq!(found.start.before.len(), 1);
    }
}
