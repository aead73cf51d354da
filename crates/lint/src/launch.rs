//! How the app is started: a debug server that only `python app.py` starts is no fault when
//! something else starts the app.

use model::finding::Confidence;

use crate::check::Scanned;
use crate::scan::Raw;
use crate::settings::Settings;
use crate::sources::Sources;

/// Rules about servers that a file starts when it is run itself.
const RULES: [&str; 2] = ["python-flask-debug", "python-uvicorn-reload"];

/// Weighs findings about the debug server below `if __name__ == "__main__"`: gone where something else
/// starts the app, less sure where nobody knows what does.
pub(crate) fn weigh_debug_servers(
    scanned: &mut [Scanned],
    sources: &dyn Sources,
    settings: &Settings,
) {
    let concerned = scanned
        .iter()
        .any(|one| one.scan.raws.iter().any(is_debug_server));
    if !concerned {
        return;
    }
    let command = command(scanned, sources, settings);
    for one in scanned.iter_mut() {
        let name = one.listed.path.rsplit('/').next().unwrap_or_default();
        let text = sources.read(&one.listed.path).unwrap_or_default();
        let main = memchr::memmem::find(&text, b"__name__").unwrap_or(usize::MAX);
        let is_below = |raw: &Raw| is_debug_server(raw) && raw.span.start as usize > main;
        match &command {
            Some(command) if starts_file(command, name) => {}
            Some(_) => one.scan.raws.retain(|raw| !is_below(raw)),
            None => {
                for raw in one.scan.raws.iter_mut().filter(|raw| is_below(raw)) {
                    raw.confidence = Some(Confidence::Medium);
                }
            }
        }
    }
}

fn is_debug_server(raw: &Raw) -> bool {
    RULES.contains(&raw.rule.as_str())
}

/// Whether a command runs a file itself: `python app.py`.
fn starts_file(command: &str, name: &str) -> bool {
    command.contains("python") && command.split_whitespace().any(|word| word.ends_with(name))
}

/// The command that starts the app, where its files say it.
fn command(scanned: &[Scanned], sources: &dyn Sources, settings: &Settings) -> Option<String> {
    if let Some(command) = &settings.start_command {
        return Some(command.clone());
    }
    let read = |name: &str| {
        let known = scanned.iter().any(|one| one.listed.path == name);
        let bytes = known.then(|| sources.read(name).ok()).flatten()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let procfile = read("Procfile").and_then(|text| {
        let web = text
            .lines()
            .find_map(|line| line.strip_prefix("web:").map(str::to_owned));
        web.filter(|command| !command.trim().is_empty())
    });
    let manifest = || {
        let text = read("mayfly.toml")?;
        let table: toml::Table = text.parse().ok()?;
        let run = table
            .get("run")
            .and_then(|run| run.get("command").or(run.get("start")));
        let start = run.or(table.get("start")).or(table.get("command"))?;
        Some(match start {
            toml::Value::String(text) => text.clone(),
            toml::Value::Array(words) => words
                .iter()
                .filter_map(|word| word.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            _ => return None,
        })
    };
    let dockerfile = || {
        let text = read("Dockerfile")?;
        let last = text
            .lines()
            .rev()
            .find(|line| line.starts_with("CMD") || line.starts_with("ENTRYPOINT"))?;
        Some(last.replace(['[', ']', '"', ','], " "))
    };
    procfile.or_else(manifest).or_else(dockerfile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_runs_the_file_itself_is_told_from_others() {
        for (command, expected) in [
            ("python app.py", true),
            ("python3 src/app.py", true),
            ("gunicorn app:app", false),
            ("flask run", false),
            ("uvicorn app:app --port 8000", false),
        ] {
            assert_eq!(starts_file(command, "app.py"), expected, "{command}");
        }
    }
}
