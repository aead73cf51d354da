//! How a Python app starts: as its author would start it.

use model::plan::Clue;

use crate::detect::command::shell;
use crate::detect::folder::Folder;
use crate::detect::ports::{DEFAULT_PORT, PortClue, port_of};
use crate::detect::python::code::{Application, Framework, Made, Script};
use crate::detect::python::django;
use crate::detect::python::requirements::Listed;
use crate::recipe::Start;

/// A way to start the app, and why it was chosen.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The way.
    pub(super) start: Start,
    /// What speaks for it.
    pub(super) clue: Clue,
    /// How strongly it says that the folder is a Python server, 0–60.
    pub(super) weight: i32,
    /// Packages that the command needs, listed or not.
    pub(super) needs: Vec<&'static str>,
    /// What the user should know.
    pub(super) warnings: Vec<Clue>,
}

/// The best way to start the app, if there is any.
pub(super) fn find(folder: &Folder, scripts: &[Script], listed: &Listed) -> Option<Found> {
    procfile(folder)
        .or_else(|| django::find(folder, scripts))
        .or_else(|| serving_script(folder, scripts, listed))
        .or_else(|| only_script(folder, scripts))
}

/// The `web` line of a Procfile.
fn procfile(folder: &Folder) -> Option<Found> {
    let text = folder.text("Procfile")?;
    let (number, line) = (1..)
        .zip(text.lines())
        .find(|(_, line)| line.trim_start().starts_with("web:"))?;
    let command = line.trim_start().trim_start_matches("web:").trim();
    let python = [
        "python",
        "gunicorn",
        "uvicorn",
        "flask",
        "streamlit",
        "hypercorn",
        "daphne",
    ];
    let is_python = python.iter().any(|program| command.contains(program));
    let needs = ["gunicorn", "uvicorn", "hypercorn", "daphne", "waitress"];
    is_python.then(|| Found {
        start: Start {
            command: shell(command),
            port: DEFAULT_PORT,
            ..Start::default()
        },
        clue: clue(
            folder,
            "Procfile",
            Some(number),
            format!("starts `{command}`"),
        ),
        weight: 50,
        needs: needs
            .into_iter()
            .filter(|name| command.contains(name))
            .collect(),
        warnings: vec![],
    })
}

/// A script that starts a server, has an application object, or is a Streamlit page.
fn serving_script(folder: &Folder, scripts: &[Script], listed: &Listed) -> Option<Found> {
    let best = scripts
        .iter()
        .filter(|script| !is_aside(&script.path))
        .map(|script| (rank(script, scripts), script))
        .filter(|(rank, _)| *rank > 0)
        .max_by(|(a, one), (b, two)| a.cmp(b).then_with(|| two.path.cmp(&one.path)))?
        .1;
    if let Some(start) = &best.start {
        let says = format!("starts a server with `{}`", start.call);
        let found = started_by_itself(folder, best, scripts, start.framework);
        return Some(Found {
            clue: clue(folder, &best.path, Some(start.line), says),
            ..found
        });
    }
    if is_streamlit(best) {
        return Some(streamlit(folder, best));
    }
    let application = best.application.as_ref()?;
    Some(served(folder, best, application, listed))
}

/// Files that are no entry: tests, settings, migrations.
fn is_aside(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let aside = [
        "tests",
        "test",
        "migrations",
        "scripts",
        "docs",
        "examples",
        "pages",
    ];
    let folders = path.strip_suffix(name).unwrap_or("");
    folders.split('/').any(|part| aside.contains(&part))
        || name.starts_with("test_")
        || matches!(
            name,
            "setup.py" | "conftest.py" | "gunicorn.conf.py" | "noxfile.py"
        )
}

fn is_streamlit(script: &Script) -> bool {
    script.imports("streamlit").is_some()
}

fn rank(script: &Script, all: &[Script]) -> i32 {
    let serves = match (&script.start, &script.application) {
        (Some(start), _) if start.framework != Framework::Own => 60,
        (Some(_), _) => 50,
        _ if is_streamlit(script) => 55,
        (None, Some(application)) if application.made_by == Made::AtImport => 40,
        (None, Some(_)) => 30,
        (None, None) => return 0,
    };
    let name = script.path.rsplit('/').next().unwrap_or(&script.path);
    let usual = match name {
        "app.py" | "streamlit_app.py" | "main.py" => 10,
        "server.py" | "run.py" | "wsgi.py" | "asgi.py" => 8,
        "index.py" | "api.py" | "web.py" | "__main__.py" => 5,
        _ => 0,
    };
    let deep = 6 * script.path.matches('/').count() as i32;
    let module = script.module();
    let own_name = module.rsplit('.').next().unwrap_or(&module);
    let imported = all.iter().any(|other| {
        other.path != script.path
            && other
                .imports
                .iter()
                .any(|import| import.module == module || import.module == own_name)
    });
    serves + usual - deep - if imported { 9 } else { 0 }
}

/// `python app.py`, as the author would: what it does under `__main__` is part of the app.
fn started_by_itself(
    folder: &Folder,
    script: &Script,
    all: &[Script],
    framework: Framework,
) -> Found {
    let command = if is_of_package(script) {
        vec![
            "python".into(),
            "-m".into(),
            script.module().trim_end_matches(".__main__").into(),
        ]
    } else {
        vec!["python".into(), script.path.clone()]
    };
    let port = match script_port(script, all) {
        Some(PortClue::Fixed(port)) => port,
        Some(PortClue::FollowsPort) => DEFAULT_PORT,
        None => usual_port(framework, script),
    };
    let mut start = Start {
        command,
        port,
        ..Start::default()
    };
    if framework == Framework::Gradio {
        start.env = gradio_env(port);
    }
    let needs = if framework == Framework::Asgi {
        vec!["uvicorn"]
    } else {
        vec![]
    };
    Found {
        start,
        clue: clue(folder, &script.path, None, String::new()),
        weight: 60,
        needs,
        warnings: development_modes(folder, script),
    }
}

/// Gradio asks for a version and for fonts when it starts, which it must not wait for.
fn gradio_env(port: u16) -> std::collections::BTreeMap<String, String> {
    [
        ("GRADIO_ANALYTICS_ENABLED", "False".to_owned()),
        ("GRADIO_SERVER_PORT", port.to_string()),
        ("GRADIO_SERVER_NAME", "127.0.0.1".to_owned()),
        ("HF_HUB_DISABLE_TELEMETRY", "1".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The port in the script itself, else in a file that looks like settings.
fn script_port(script: &Script, all: &[Script]) -> Option<PortClue> {
    port_of(&script.code).or_else(|| {
        let settings = ["config.py", "settings.py", "constants.py"];
        all.iter()
            .filter(|other| settings.contains(&other.path.as_str()))
            .find_map(|other| port_of(&other.code))
    })
}

/// The port that a framework takes when it is told none (their documentation).
fn usual_port(framework: Framework, script: &Script) -> u16 {
    match framework {
        Framework::Flask if script.imports("dash").is_some() => 8050,
        Framework::Flask => 5000,
        Framework::Asgi => 8000,
        Framework::Gradio => 7860,
        Framework::Wsgi | Framework::Own => DEFAULT_PORT,
    }
}

/// Reloaders and debuggers that no variable turns off.
fn development_modes(folder: &Folder, script: &Script) -> Vec<Clue> {
    let modes = [
        (
            "debug=True",
            "starts the app twice and shows its code to visitors when it fails; write `debug=False`",
        ),
        (
            "reload=True",
            "watches files that never change here; write `reload=False`",
        ),
    ];
    let found = modes.iter().filter_map(|(mode, why)| {
        let at = script.code.find(mode)?;
        let line = crate::detect::folder::line_of(&script.code, at);
        Some(clue(
            folder,
            &script.path,
            Some(line),
            format!("`{mode}` {why}"),
        ))
    });
    found.collect()
}

fn streamlit(folder: &Folder, script: &Script) -> Found {
    let port = 8501;
    let options = format!(
        "--server.port {port} --server.address 127.0.0.1 --server.headless true \
         --server.fileWatcherType none --browser.gatherUsageStats false"
    );
    let mut command = vec!["streamlit".to_owned(), "run".into(), script.path.clone()];
    command.extend(options.split_whitespace().map(str::to_owned));
    let line = script.imports("streamlit").map(|import| import.line);
    Found {
        start: Start {
            command,
            port,
            ..Start::default()
        },
        clue: clue(folder, &script.path, line, "is a Streamlit page".into()),
        weight: 55,
        needs: vec!["streamlit"],
        warnings: vec![],
    }
}

/// A server's own command for an application object that nothing starts.
fn served(folder: &Folder, script: &Script, app: &Application, listed: &Listed) -> Found {
    let called = app.made_by == Made::ByCall;
    let (module, aside) = importable(script);
    let object = format!("{module}:{}", app.name);
    let gunicorn = listed.has("gunicorn");
    let (command, needs, port): (String, Vec<&'static str>, u16) = match app.framework {
        Framework::Asgi => {
            let factory = if called { " --factory" } else { "" };
            let beside = aside.map_or_else(String::new, |dir| format!(" --app-dir {dir}"));
            let command = format!("uvicorn {object}{factory}{beside} --host 127.0.0.1 --port 8000");
            (command, vec!["uvicorn"], 8000)
        }
        Framework::Flask if !gunicorn => {
            let app_option = aside.map_or(object.clone(), |dir| format!("{dir}/{object}"));
            let command = format!("flask --app {app_option} run --host 127.0.0.1 --port 5000");
            (command, vec!["flask"], 5000)
        }
        _ => {
            let call = if called { "()" } else { "" };
            let beside = aside.map_or_else(String::new, |dir| format!(" --chdir {dir}"));
            let command = format!(
                "gunicorn --bind 127.0.0.1:{DEFAULT_PORT} --threads 8{beside} {object}{call}"
            );
            (command, vec!["gunicorn"], DEFAULT_PORT)
        }
    };
    let says = match app.made_by {
        Made::AtImport => format!("makes the application `{}`", app.name),
        Made::ByCall => format!("makes the application in `{}()`", app.name),
    };
    Found {
        start: Start {
            command: command.split_whitespace().map(str::to_owned).collect(),
            port,
            env: [("FLASK_DEBUG".to_owned(), "0".to_owned())].into(),
            ..Start::default()
        },
        clue: clue(folder, &script.path, Some(app.line), says),
        weight: 50,
        needs,
        warnings: vec![],
    }
}

/// Whether a script in a folder imports from its own package, so that it is run as a module.
fn is_of_package(script: &Script) -> bool {
    let Some((package, _)) = script.path.split_once('/') else {
        return false;
    };
    let relative = script
        .code
        .lines()
        .any(|line| line.trim_start().starts_with("from ."));
    relative || script.imports(package).is_some() || script.path.ends_with("__main__.py")
}

/// The module's name for a server's command, and the folder to look for it in when that is not the
/// app's own.
fn importable(script: &Script) -> (String, Option<&str>) {
    match script.path.rsplit_once('/') {
        Some((dir, _)) if !is_of_package(script) && dir == "src" => {
            let module = script.module();
            let name = module.rsplit('.').next().unwrap_or(&module).to_owned();
            (name, Some(dir))
        }
        _ => (script.module(), None),
    }
}

/// The only script there is, or the one with the usual name, though nothing in it seems to listen.
fn only_script(folder: &Folder, scripts: &[Script]) -> Option<Found> {
    let top: Vec<&Script> = scripts
        .iter()
        .filter(|script| !script.path.contains('/') && !is_aside(&script.path))
        .collect();
    let usual = ["main.py", "app.py", "server.py", "run.py", "bot.py"];
    let named = usual
        .iter()
        .find_map(|name| top.iter().find(|script| script.path == *name));
    let script = match (named, top.as_slice()) {
        (Some(script), _) => script,
        (None, [only]) => only,
        _ => return None,
    };
    let silent = "seems to listen on no port; set `command` under [run] in mayfly.toml if another file starts the server";
    Some(Found {
        start: Start {
            command: vec!["python".into(), script.path.clone()],
            port: DEFAULT_PORT,
            ..Start::default()
        },
        clue: clue(folder, &script.path, None, "is the script to run".into()),
        weight: if named.is_some() { 12 } else { 8 },
        needs: vec![],
        warnings: vec![clue(folder, &script.path, None, silent.into())],
    })
}

pub(super) fn clue(folder: &Folder, file: &str, line: Option<u32>, says: String) -> Clue {
    Clue {
        file: folder.name_of(file),
        line,
        says,
    }
}
