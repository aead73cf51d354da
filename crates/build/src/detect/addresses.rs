//! Addresses of the author's own machine in code that runs in visitors' browsers.

use std::sync::LazyLock;

use model::plan::Clue;
use regex::Regex;

use crate::detect::folder::{Folder, line_of};
use crate::detect::node::without_comments;

/// How many are reported.
const REPORTED: usize = 20;

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"\b(https?|wss?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?(/[^\s"'`<>)\\]*)?"#,
    )
    .expect("a fixed pattern")
});

/// Reports hard-coded addresses in a front end's source.
pub(super) fn in_front_end(folder: &Folder) -> Vec<Clue> {
    let endings = [
        ".js", ".jsx", ".ts", ".tsx", ".mjs", ".vue", ".svelte", ".html",
    ];
    report(folder, &endings, |path| !is_aside(path))
}

/// Reports hard-coded addresses in what a server hands to browsers as it is.
pub(super) fn in_server(folder: &Folder) -> Vec<Clue> {
    report(folder, &[".js", ".html", ".mjs"], |path| {
        let handed_out = ["static/", "public/", "templates/", "views/", "www/"];
        let inside = handed_out.iter().any(|dir| path.contains(dir));
        inside || (path.ends_with(".html") && !path.contains('/'))
    })
}

fn report(folder: &Folder, endings: &[&str], wanted: fn(&str) -> bool) -> Vec<Clue> {
    let mut clues = Vec::new();
    for code in folder
        .code(endings)
        .into_iter()
        .filter(|code| wanted(&code.path))
    {
        let text = without_comments(&code.text);
        for found in ADDRESS.captures_iter(&text) {
            let (at, end) = found.get(0).map_or((0, 0), |all| (all.start(), all.end()));
            if is_printed(&text[..at]) || is_longer_name(&text[end..]) {
                continue;
            }
            clues.push(Clue {
                file: folder.name_of(&code.path),
                line: Some(line_of(&text, at)),
                says: advice(
                    &found[0],
                    &found[1],
                    found.get(2).map_or("", |m| m.as_str()),
                ),
            });
            if clues.len() == REPORTED {
                return clues;
            }
        }
    }
    clues
}

/// Whether the host's name goes on after the match: `localhost.example.com`.
fn is_longer_name(after: &str) -> bool {
    after.starts_with(|c: char| c == '.' || c == '-' || c.is_alphanumeric())
}

/// Whether the address is only printed, by the line that leads to it.
fn is_printed(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or(before);
    line.contains("console.log(") || line.contains("console.info(")
}

fn advice(address: &str, scheme: &str, path: &str) -> String {
    let instead = match (scheme, path) {
        ("ws" | "wss", path) => format!(
            "`(location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '{path}'`"
        ),
        (_, "") => "`''` (paths alone, like `/api/…`)".to_owned(),
        (_, path) => format!("`{path}`"),
    };
    format!(
        "`{address}` is the visitor's own machine when the page runs in a browser; write {instead}"
    )
}

/// Settings of tools, tests and finished bundles.
fn is_aside(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.contains(".config.")
        || name.contains(".test.")
        || name.contains(".spec.")
        || name.contains(".min.")
        || name == "setupProxy.js"
        || path.starts_with("dist/")
        || path.starts_with("build/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_authors_machine_are_reported_with_what_to_write() {
        for (path, text, expected) in [
            (
                "src/a.js",
                "x\nfetch('http://localhost:5000/api/notes')",
                Some((2, "write `/api/notes`")),
            ),
            (
                "src/a.ts",
                "const URL = \"http://127.0.0.1:8000\";",
                Some((1, "write `''`")),
            ),
            (
                "src/a.js",
                "new WebSocket('ws://localhost:3000/ws')",
                Some((1, "location.host + '/ws'")),
            ),
            ("vite.config.js", "proxy: 'http://localhost:5000'", None),
            ("src/a.js", "// http://localhost:1", None),
            ("src/a.js", "console.log(`http://localhost:1`)", None),
            ("src/a.js", "fetch('https://localhost.example.com')", None),
        ] {
            let found = in_front_end(&Folder::from_files([(path, text)]));
            match (found.as_slice(), expected) {
                ([], None) => {}
                ([clue], Some((line, advice))) => {
                    assert_eq!(clue.line, Some(line), "{text}");
                    assert!(clue.says.contains(advice), "{}", clue.says);
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
