//! A first mayfly.toml: every key that matters for the kind of app, with what is used without it.

use model::AppName;
use model::plan::{AppKind, Plan};

const HEAD: &str = "\
# Settings of this app for mayfly. Every key is optional: what stands behind a `#` is what is used
# without it. `mayfly schema` prints all keys, and `mayfly plan` what is made of this folder.
";

/// The text of the file.
pub(super) fn text(name: Option<&AppName>, plan: Option<&Plan>) -> String {
    let name = name.map_or("my-app", AppName::as_str);
    let mut text = format!("{HEAD}\n# name = {}\n", quoted(name));
    text.push_str("\n[build]\n");
    text.push_str(&build(plan));
    if plan.is_none_or(|plan| !plan.start.is_empty()) {
        text.push_str("\n[run]\n");
        text.push_str(&run(plan));
        text.push_str(
            "\n[egress]\n# Hosts that the app may reach; all others are refused.\n\
             # allow = [\"api.example.com\"]\n\
             \n[env]\n# What is no secret; secrets are given by `mayfly up --env-file .env`.\n\
             # LOG_LEVEL = \"info\"\n",
        );
    }
    text
}

fn build(plan: Option<&Plan>) -> String {
    let kind = plan.map_or("python", |plan| match plan.kind {
        AppKind::Static => "static",
        AppKind::Node => "node",
        AppKind::Python => "python",
        AppKind::FrontAndBack => "front_and_back",
    });
    let mut text = key("kind", &quoted(kind));
    let version = plan.and_then(|plan| plan.base.split([' ', ';']).nth(1));
    if let Some(version) = version {
        text.push_str(&key("version", &quoted(version)));
    }
    if plan.is_none_or(|plan| plan.kind != AppKind::Static) {
        text.push_str("# Debian packages that it needs beside the base's own.\n");
        text.push_str(&key("packages", "[]"));
    }
    let commands = plan.map(|plan| plan.build.as_slice()).unwrap_or_default();
    if let [command] = commands {
        text.push_str(&key("command", &quoted(command)));
    }
    text
}

fn run(plan: Option<&Plan>) -> String {
    let start = plan.map(|plan| words(&plan.start));
    let start = start.unwrap_or_else(|| "python app.py".into());
    let port = plan.and_then(|plan| plan.port).unwrap_or(8080);
    let health = plan.map_or("/", |plan| plan.health.as_str());
    let keep = plan.map(|plan| plan.keep.as_slice()).unwrap_or_default();
    let keep: Vec<String> = keep.iter().map(|pattern| quoted(pattern)).collect();
    [
        key("command", &quoted(&start)),
        key("port", &port.to_string()),
        "# Answers below 500 when the app is ready.\n".into(),
        key("health", &quoted(health)),
        "# Files that outlive a release: databases, uploads.\n".into(),
        key("keep", &format!("[{}]", keep.join(", "))),
        key("memory", "\"512 MiB\""),
    ]
    .concat()
}

fn key(name: &str, value: &str) -> String {
    format!("# {name} = {value}\n")
}

/// A command as one types it.
fn words(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+$".contains(c);
    let quote = |word: &String| match !word.is_empty() && word.chars().all(plain) {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// A TOML string; JSON's are among them, as long as no letter is beyond the first plane's escapes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::manifest::Manifest;

    fn plan(kind: AppKind, start: &[&str]) -> Plan {
        Plan {
            kind,
            evidence: vec![],
            base: "python 3.13; node 22 for the front end's build".into(),
            packages: vec![],
            build: vec!["uv pip install -r \"requirements.txt\"".into()],
            start: start.iter().map(|word| (*word).to_owned()).collect(),
            before: vec![],
            port: Some(5000),
            health: "/".into(),
            keep: vec!["*.db".into(), "data/".into()],
            env_keys: vec![],
            warnings: vec![],
            overridden: Default::default(),
        }
    }

    /// The file as somebody leaves it who takes every `#` before a key away.
    fn with_all_keys(text: &str) -> String {
        let lines = text.lines().map(|line| match line.strip_prefix("# ") {
            Some(key) if key.split(' ').nth(1) == Some("=") => key,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn it_is_valid_as_it_is_and_with_every_key_in_use() {
        let name = AppName::from_folder("guestbook");
        let kinds = [
            Some(plan(AppKind::Static, &[])),
            Some(plan(AppKind::Node, &["node", "it's.js"])),
            Some(plan(AppKind::Python, &["python", "app.py"])),
            Some(plan(AppKind::FrontAndBack, &["python", "app.py"])),
            None,
        ];
        for plan in kinds {
            let text = text(name.as_ref(), plan.as_ref());
            let empty = Manifest::parse(&text).expect(&text);
            assert_eq!(empty, Manifest::default(), "{text}");
            let all = with_all_keys(&text);
            let all = Manifest::parse(&all).unwrap_or_else(|error| panic!("{error:?}: {all}"));
            assert!(all.name.is_some() && all.build.kind.is_some());
        }
    }
}
