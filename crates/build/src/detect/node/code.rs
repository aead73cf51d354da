//! What JavaScript and TypeScript files say about themselves.

use std::sync::LazyLock;

use regex::Regex;

use crate::detect::folder::{Code, Folder, line_of};

/// Endings of files that Node can be asked to run.
pub(super) const ENDINGS: [&str; 6] = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"];

/// One file, read.
#[derive(Debug, Clone)]
pub(super) struct Script {
    /// Where it lies.
    pub(super) path: String,
    /// Packages that it imports, without parts of Node and files of its own, with their lines.
    pub(super) imports: Vec<(String, u32)>,
    /// The line of a call that listens.
    pub(super) listens: Option<u32>,
    /// The line of a call to Bun's or Deno's own server.
    pub(super) other_runtime: Option<(&'static str, u32)>,
    /// Its text.
    pub(super) text: String,
}

static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r#"(?m)\brequire\(\s*["']([^"'\n]+)["']\s*\)|^\s*import\s+(?:[^'"\n;]*?\sfrom\s+)?["']([^"'\n]+)["']|^\s*\}\s*from\s+["']([^"'\n]+)["']|^\s*export\s+[^'"\n;]*?\sfrom\s+["']([^"'\n]+)["']"#,
    )
});
static TYPE_IMPORT: LazyLock<Regex> =
    LazyLock::new(|| rule(r#"(?m)^\s*import\s+type\s[^;]*?["'][^"'\n]+["']"#));
static LISTENS: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"\.listen\(|\bserve\(\s*(?:\{|app)|\bstartStandaloneServer\(|\bnew\s+(?:WebSocket\.Server|WebSocketServer|WebSocket\.WebSocketServer)\(\s*\{\s*port|\bcreateServer\([^)]*\)\.listen",
    )
});
static BUN: LazyLock<Regex> = LazyLock::new(|| rule(r"\bBun\.serve\("));
static DENO: LazyLock<Regex> = LazyLock::new(|| rule(r"\bDeno\.serve\("));

/// Node's own modules (`module.builtinModules` of Node 22, without those that need `node:`).
const BUILTIN: [&str; 41] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "worker_threads",
    "zlib",
];

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which the tests compile")
}

/// Reads all files that may be part of a server.
pub(super) fn scripts(folder: &Folder) -> Vec<Script> {
    folder
        .code(&ENDINGS)
        .into_iter()
        .filter(|code| !code.path.ends_with(".d.ts") && !code.path.ends_with(".min.js"))
        .map(read)
        .collect()
}

fn read(file: Code) -> Script {
    let text = without_comments(&file.text);
    let line_at = |rule: &Regex| rule.find(&text).map(|found| line_of(&text, found.start()));
    let other_runtime = line_at(&BUN)
        .map(|line| ("Bun", line))
        .or_else(|| line_at(&DENO).map(|line| ("Deno", line)));
    Script {
        path: file.path,
        imports: imports_of(&text),
        listens: line_at(&LISTENS).filter(|_| other_runtime.is_none()),
        other_runtime,
        text,
    }
}

fn imports_of(text: &str) -> Vec<(String, u32)> {
    let types: Vec<_> = TYPE_IMPORT
        .find_iter(text)
        .map(|found| found.range())
        .collect();
    let mut imports: Vec<(String, u32)> = Vec::new();
    for found in IMPORT.captures_iter(text) {
        let Some(name) = found.iter().skip(1).flatten().next() else {
            continue;
        };
        let only_types = types.iter().any(|range| range.contains(&name.start()));
        if let Some(package) = package_of(name.as_str())
            && !only_types
            && !imports.iter().any(|(known, _)| *known == package)
        {
            imports.push((package, line_of(text, name.start())));
        }
    }
    imports
}

/// The package that a module's name asks for; `None` for files and parts of Node.
fn package_of(module: &str) -> Option<String> {
    let file = module.starts_with(['.', '/', '#', '~']) || module.starts_with("@/");
    if file || module.contains(':') {
        return None;
    }
    let mut parts = module.split('/');
    let first = parts.next()?;
    let name = if first.starts_with('@') {
        format!("{first}/{}", parts.next()?)
    } else {
        first.to_owned()
    };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"@/._-".contains(&b);
    let sane = !name.is_empty() && name.len() <= 214 && name.bytes().all(fits);
    (sane && !BUILTIN.contains(&name.as_str())).then_some(name)
}

/// Blanks `/* … */` and lines that are comments as a whole. Comments after code stay: telling `//`
/// from a part of a string or a regular expression needs a parser, and nothing here does.
pub(in crate::detect) fn without_comments(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let begins = line.trim_start();
        let comment = inside || begins.starts_with("//") || begins.starts_with("/*");
        inside = match (inside, begins.starts_with("/*")) {
            (false, false) => false,
            _ => !line.contains("*/"),
        };
        if comment {
            code.extend(line.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        } else {
            code.push_str(line);
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        read(Code {
            path: "x.ts".into(),
            text: text.into(),
        })
    }

    #[test]
    fn imported_packages_are_found_in_every_spelling() {
        for (text, expected) in [
            ("const x = require('express')", vec!["express"]),
            ("import http from 'node:http'\nimport fs from 'fs'", vec![]),
            (
                "import a, { b } from \"@scope/pkg/deep\"",
                vec!["@scope/pkg"],
            ),
            ("import 'side-effect'", vec!["side-effect"]),
            ("import {\n a,\n} from 'multi'", vec!["multi"]),
            ("import type { T } from 'types-only'", vec![]),
            (
                "import x from './local.js'\nimport y from '@/alias'",
                vec![],
            ),
            (
                "// import x from 'commented'\n/*\nimport y from 'too'\n*/",
                vec![],
            ),
            ("import '$(evil)'", vec![]),
        ] {
            let names: Vec<_> = script(text)
                .imports
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            assert_eq!(names, expected, "{text}");
        }
    }

    #[test]
    fn a_server_listens_in_one_of_many_ways() {
        for (text, line) in [
            ("const a = 1\napp.listen(3000)", Some(2)),
            ("serve({ fetch: app.fetch })", Some(1)),
            ("new WebSocketServer({ port: 8080 })", Some(1)),
            ("new WebSocketServer({ server })", None),
            ("// app.listen(1)", None),
        ] {
            assert_eq!(script(text).listens, line, "{text}");
        }
        assert_eq!(script("Bun.serve({})").other_runtime, Some(("Bun", 1)));
    }
}
