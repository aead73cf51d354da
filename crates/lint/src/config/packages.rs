//! Where packages come from, and what runs when they are installed.

use super::{downloads_and_runs, lines, of_line};
use crate::scan::Raw;

/// package.json.
pub(super) fn npm(text: &str) -> Vec<Raw> {
    let Ok(package) = serde_json::from_str::<serde_json::Value>(text) else {
        return vec![];
    };
    let mut raws = Vec::new();
    for hook in ["preinstall", "install", "postinstall", "prepare"] {
        let command = package["scripts"][hook].as_str().unwrap_or_default();
        if downloads_and_runs(command) {
            raws.extend(entry("config-install-script", text, hook));
        }
    }
    for group in ["dependencies", "devDependencies", "optionalDependencies"] {
        let Some(packages) = package[group].as_object() else {
            continue;
        };
        for (name, version) in packages {
            if is_url(version.as_str().unwrap_or_default()) {
                raws.extend(entry("config-package-from-url", text, name));
            }
        }
    }
    raws
}

fn is_url(version: &str) -> bool {
    let starts = [
        "git",
        "http:",
        "https:",
        "ssh:",
        "github:",
        "gitlab:",
        "bitbucket:",
    ];
    let is_short = version.split('/').count() == 2
        && !version.starts_with(['@', '.', '/', '^', '~'])
        && !version.contains(':');
    starts.iter().any(|start| version.starts_with(start)) || is_short
}

/// The line of an entry of package.json.
fn entry(rule: &str, text: &str, key: &str) -> Option<Raw> {
    let key = format!("\"{key}\"");
    let (start, line) = lines(text).find(|(_, line)| line.contains(&key))?;
    let at = start + line.find(&key).unwrap_or_default();
    Some(Raw::new(rule, at, start + line.len()))
}

/// requirements.txt.
pub(super) fn requirements(text: &str) -> Vec<Raw> {
    let mut raws = Vec::new();
    for (start, line) in lines(text) {
        let plain = line.split(" #").next().unwrap_or_default().trim();
        if plain.starts_with('#') {
            continue;
        }
        let is_option = plain.starts_with("-i")
            || plain.starts_with("--index-url")
            || plain.starts_with("--extra-index-url");
        if (is_option && plain.contains("http://")) || plain.starts_with("--trusted-host") {
            raws.push(of_line("config-plain-index", start, line));
        } else if plain.starts_with("--extra-index-url") {
            raws.push(of_line("config-second-index", start, line));
        } else if !is_option
            && ["git+", "http://", "https://", "hg+", "svn+"]
                .iter()
                .any(|mark| plain.contains(mark))
        {
            raws.push(of_line("config-package-from-url", start, line));
        }
    }
    raws
}

/// pyproject.toml.
pub(super) fn pyproject(text: &str) -> Vec<Raw> {
    let from_url = |line: &str| {
        line.contains("@ git+") || line.contains("@ http") || line.contains("git = \"")
    };
    let found =
        lines(text).filter(|(_, line)| !line.trim_start().starts_with('#') && from_url(line));
    found
        .map(|(start, line)| of_line("config-package-from-url", start, line))
        .collect()
}
