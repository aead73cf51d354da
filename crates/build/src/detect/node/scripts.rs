//! The scripts of package.json as commands that need neither npm nor a watcher.

use std::collections::BTreeMap;

/// How deep scripts may call each other.
pub(super) const DEPTH: usize = 8;
/// How long a command may become.
const COMMAND_BYTES: usize = 8 * 1024;

/// The command of the script `name`, with the scripts that it calls put in their places and with
/// what is for development taken off: watchers, builds before the start.
pub(super) fn start_command(scripts: &BTreeMap<String, String>, name: &str) -> Option<String> {
    let expanded = expand(scripts, name, DEPTH)?;
    let parts: Vec<String> = expanded
        .split("&&")
        .map(|part| without_watcher(part.trim()))
        .filter(|part| !is_build(part))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" && "))
}

/// The command of the script `name`, with `npm run x` replaced by what x does.
pub(super) fn expand(
    scripts: &BTreeMap<String, String>,
    name: &str,
    depth: usize,
) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    let hooked = [format!("pre{name}"), name.to_owned(), format!("post{name}")];
    let mut bodies = Vec::new();
    for body in hooked.iter().filter_map(|name| scripts.get(name)) {
        bodies.push(expand_body(scripts, body, depth)?);
    }
    (scripts.contains_key(name) && !bodies.is_empty()).then(|| bodies.join(" && "))
}

fn expand_body(scripts: &BTreeMap<String, String>, body: &str, depth: usize) -> Option<String> {
    let mut whole = String::new();
    for part in body.split("&&").map(str::trim) {
        if !whole.is_empty() {
            whole.push_str(" && ");
        }
        match called(part, scripts) {
            Some((name, rest)) => {
                whole.push_str(&expand(scripts, &name, depth)?);
                whole.push_str(&rest);
            }
            None => whole.push_str(without_npx(part)),
        }
        if whole.len() > COMMAND_BYTES {
            return None;
        }
    }
    Some(whole)
}

/// The script that a command calls through a package manager, and what it hands on.
fn called(command: &str, scripts: &BTreeMap<String, String>) -> Option<(String, String)> {
    let mut words = command.split_whitespace();
    let manager = words.next()?;
    if !["npm", "yarn", "pnpm", "bun"].contains(&manager) {
        return None;
    }
    let mut name = words.next()?;
    if matches!(name, "run" | "run-script") {
        name = words.find(|word| !word.starts_with('-'))?;
    }
    let rest: Vec<&str> = words.filter(|word| *word != "--").collect();
    let rest = rest.iter().map(|word| format!(" {word}")).collect();
    scripts.contains_key(name).then(|| (name.to_owned(), rest))
}

fn without_npx(command: &str) -> &str {
    [
        "npx --yes ",
        "npx -y ",
        "npx --no-install ",
        "npx ",
        "bunx ",
        "pnpm exec ",
        "yarn exec ",
        "pnpm dlx ",
    ]
    .iter()
    .find_map(|start| command.strip_prefix(start))
    .unwrap_or(command)
    .trim()
}

/// Whether a command only builds: the build has run before the app starts.
fn is_build(command: &str) -> bool {
    let builds = [
        "tsc",
        "vite build",
        "webpack",
        "rollup",
        "esbuild",
        "tsup",
        "next build",
        "nuxt build",
        "react-scripts build",
        "nest build",
        "npm install",
        "npm ci",
        "yarn install",
        "pnpm install",
        "rimraf",
        "prisma generate",
        "astro build",
        "parcel build",
        "remix build",
        "npm i",
    ];
    builds
        .iter()
        .any(|build| command == *build || command.starts_with(&format!("{build} ")))
}

/// Watchers restart an app when its files change, which they do not here.
fn without_watcher(command: &str) -> String {
    let words: Vec<&str> = command.split_whitespace().collect();
    let Some((program, rest)) = words.split_first() else {
        return String::new();
    };
    let plain = |runner: &str| {
        let kept = rest
            .iter()
            .skip_while(|word| word.starts_with('-') || **word == "watch")
            .copied();
        let words: Vec<&str> = std::iter::once(runner).chain(kept).collect();
        words.join(" ")
    };
    let is_ts = rest.iter().any(|word| word.ends_with(".ts"));
    match *program {
        "nodemon" if is_ts => plain("tsx"),
        "nodemon" if rest.first() == Some(&"node") => {
            plain("node").replacen("node node", "node", 1)
        }
        "nodemon" => plain("node"),
        "ts-node" | "ts-node-dev" | "tsx" => plain("tsx"),
        "node" => words
            .iter()
            .filter(|word| !word.starts_with("--watch") && !word.starts_with("--inspect"))
            .copied()
            .collect::<Vec<_>>()
            .join(" "),
        _ => command.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter()
            .map(|(name, body)| ((*name).to_owned(), (*body).to_owned()))
            .collect()
    }

    #[test]
    fn a_start_script_becomes_the_server_alone() {
        for (list, expected) in [
            (vec![("start", "node server.js")], Some("node server.js")),
            (vec![("start", "nodemon server.js")], Some("node server.js")),
            (
                vec![
                    ("start", "npm run build && node dist/x.js"),
                    ("build", "tsc"),
                ],
                Some("node dist/x.js"),
            ),
            (
                vec![
                    ("start", "npm run serve -- --fast"),
                    ("serve", "npx tsx watch src/a.ts"),
                ],
                Some("tsx src/a.ts --fast"),
            ),
            (vec![("start", "npm start")], None),
            (
                vec![("prestart", "tsc"), ("start", "node --watch a.js")],
                Some("node a.js"),
            ),
            (
                vec![("start", "NODE_ENV=production node a.js")],
                Some("NODE_ENV=production node a.js"),
            ),
            (vec![("dev", "x")], None),
            (
                vec![("start", "ts-node --esm src/a.ts")],
                Some("tsx src/a.ts"),
            ),
        ] {
            assert_eq!(
                start_command(&scripts(&list), "start").as_deref(),
                expected,
                "{list:?}"
            );
        }
    }

    #[test]
    fn scripts_that_call_each_other_for_ever_are_given_up() {
        let list = scripts(&[("a", "npm run b"), ("b", "npm run a && npm run a")]);
        assert_eq!(expand(&list, "a", DEPTH), None);
    }
}
