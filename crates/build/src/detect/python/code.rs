//! What a Python file says about itself: what it imports, and how it serves.

use std::sync::LazyLock;

use regex::Regex;

use crate::detect::folder::{Code, line_of};

/// A module that a file imports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Import {
    /// The whole dotted name.
    pub(in crate::detect) module: String,
    /// Where, counted from 1.
    pub(in crate::detect) line: u32,
}

impl Import {
    /// The part before the first dot.
    pub(in crate::detect) fn top(&self) -> &str {
        self.module.split('.').next().unwrap_or(&self.module)
    }
}

/// What kind of server a script starts or an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Framework {
    /// A WSGI application that Flask's own command can run.
    Flask,
    /// Another WSGI application.
    Wsgi,
    /// An ASGI application: FastAPI, Starlette, Quart, Litestar.
    Asgi,
    /// A Gradio interface.
    Gradio,
    /// A server with sockets of its own: http.server, aiohttp, Tornado, NiceGUI …
    Own,
}

/// A call that starts a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Start {
    /// Of which kind.
    pub(in crate::detect) framework: Framework,
    /// Where, counted from 1.
    pub(in crate::detect) line: u32,
    /// The call as written, up to its bracket.
    pub(in crate::detect) call: String,
}

/// An application object, or a function that makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::detect) struct Application {
    /// Of which kind.
    pub(in crate::detect) framework: Framework,
    /// Its name in the module.
    pub(in crate::detect) name: String,
    /// Whether it must be called to get the object.
    pub(in crate::detect) made_by: Made,
    /// Where, counted from 1.
    pub(in crate::detect) line: u32,
}

/// How an application object comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::detect) enum Made {
    /// It is a variable of the module.
    AtImport,
    /// A function returns it.
    ByCall,
}

/// One Python file, read.
#[derive(Debug, Clone)]
pub(in crate::detect) struct Script {
    /// Where it lies.
    pub(in crate::detect) path: String,
    /// What it imports for certain: not in a `try`, not for type checks alone.
    pub(in crate::detect) imports: Vec<Import>,
    /// What it imports if that is there.
    pub(in crate::detect) optional: Vec<Import>,
    /// Its call that starts a server.
    pub(in crate::detect) start: Option<Start>,
    /// Its application object.
    pub(in crate::detect) application: Option<Application>,
    /// The file without comments and long strings; offsets and lines are those of the file.
    pub(in crate::detect) code: String,
}

static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    rule(r"(?m)^([ \t]*)(?:import[ \t]+([\w., \t]+)|from[ \t]+([\w.]+)[ \t]+import\b)")
});
/// Calls that start a server, and what they start. The first that a file has counts.
static STARTS: LazyLock<[(Framework, Regex); 6]> = LazyLock::new(|| {
    [
        (
            Framework::Asgi,
            rule(r"\b(?:uvicorn\.run|uvicorn\.Server|hypercorn\.run|granian\.Granian)\("),
        ),
        (Framework::Gradio, rule(r"(?m)^.*[\w)]\.launch\(")),
        (
            Framework::Flask,
            rule(
                r"\b(?:socketio|sio)\.run\(|\b(?:app|application|server|api|flask_app)\.run(?:_server)?\(|\bcreate_app\([^)\n]*\)\.run\(",
            ),
        ),
        (
            Framework::Wsgi,
            rule(
                r"(?m)\b(?:run_simple|make_server|WSGIServer|waitress\.serve)\(|^[ \t]*serve\(\w*app|^[ \t]*(?:bottle\.)?run\((?:app|host)",
            ),
        ),
        (
            Framework::Own,
            rule(
                r"\.serve_forever\(|\bweb\.run_app\(|\bcherrypy\.quickstart\(|\bui\.run\(|\bpn\.serve\(|\bwebsockets\.serve\(|\bwebsocket_serve\(|\bIOLoop\.(?:current|instance)\(\)\.start\(|\bstart_server\(",
            ),
        ),
        (
            Framework::Own,
            rule(r"\.listen\(|\bHTTPServer\(|\bTCPServer\("),
        ),
    ]
});
static APPLICATION: LazyLock<Regex> = LazyLock::new(|| {
    rule(
        r"(?m)^(\w+)(?:[ \t]*:[^=\n]+)?[ \t]*=[ \t]*(?:\w+\.)?(Flask|APIFlask|FastAPI|Starlette|Quart|Litestar|BlackSheep|Sanic|Bottle|Falcon|Dash|FastHTML|FastMCP)\(",
    )
});
/// FastHTML's shortcut: `app, rt = fast_app()`.
static FAST_APP: LazyLock<Regex> = LazyLock::new(|| rule(r"(?m)^(\w+)[ \t]*,.*=[ \t]*fast_app\("));
/// `app = create_app()` at import: the object is there whoever made it.
static MADE_APP: LazyLock<Regex> =
    LazyLock::new(|| rule(r"(?m)^(app|application)[ \t]*=[ \t]*(?:create_app|make_app)\("));
static FACTORY: LazyLock<Regex> = LazyLock::new(|| rule(r"(?m)^def[ \t]+(create_app|make_app)\("));

fn rule(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern of this file, which the tests compile")
}

/// Reads one Python file.
pub(in crate::detect) fn read(file: Code) -> Script {
    let code = without_text(&file.text);
    let (imports, optional) = imports_of(&code);
    let start = start_of(&code, &imports);
    let application = application_of(&code, &imports);
    Script {
        path: file.path,
        imports,
        optional,
        start,
        application,
        code,
    }
}

impl Script {
    /// Whether the file imports the top-level module `name`, also from a `try`.
    pub(in crate::detect) fn imports(&self, name: &str) -> Option<&Import> {
        let all = self.imports.iter().chain(&self.optional);
        all.into_iter().find(|import| import.top() == name)
    }

    /// The file's name as a module: `backend/app.py` is `backend.app`.
    pub(in crate::detect) fn module(&self) -> String {
        let stem = self.path.trim_end_matches(".py");
        stem.trim_end_matches("/__init__").replace('/', ".")
    }
}

fn imports_of(code: &str) -> (Vec<Import>, Vec<Import>) {
    let (mut certain, mut optional) = (Vec::new(), Vec::new());
    for found in IMPORT.captures_iter(code) {
        let at = found.get(0).map_or(0, |all| all.start());
        let line = line_of(code, at);
        let list = found
            .get(2)
            .or_else(|| found.get(3))
            .map_or("", |m| m.as_str());
        let indent = found[1].len();
        let into = if indent > 0 && is_guarded(&code[..at], indent) {
            &mut optional
        } else {
            &mut certain
        };
        for item in list.split(',') {
            let module = item.split_whitespace().next().unwrap_or("");
            if !module.is_empty() && !module.starts_with('.') {
                into.push(Import {
                    module: module.to_owned(),
                    line,
                });
            }
        }
    }
    (certain, optional)
}

/// Whether the line above `before`'s end that is indented less than `indent` is one that makes an
/// import optional: `try:`, `except …:`, `if TYPE_CHECKING:`.
fn is_guarded(before: &str, indent: usize) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let above = before
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty() && depth(line) < indent);
    above.is_some_and(|line| {
        let line = line.trim();
        line.starts_with("try") || line.starts_with("except") || line.contains("TYPE_CHECKING")
    })
}

fn start_of(code: &str, imports: &[Import]) -> Option<Start> {
    let gradio = imports.iter().any(|import| import.top() == "gradio");
    let of_this_file = |framework: Framework| framework != Framework::Gradio || gradio;
    let found = STARTS
        .iter()
        .filter(|(framework, _)| of_this_file(*framework))
        .find_map(|(framework, rule)| rule.find(code).map(|found| (*framework, found)))?;
    let (framework, call) = found;
    Some(Start {
        framework,
        line: line_of(code, call.start()),
        call: call
            .as_str()
            .trim()
            .trim_end_matches('(')
            .chars()
            .take(60)
            .collect(),
    })
}

fn application_of(code: &str, imports: &[Import]) -> Option<Application> {
    let is_asgi = imports
        .iter()
        .any(|import| matches!(import.top(), "fastapi" | "starlette" | "quart" | "litestar"));
    let unnamed = if is_asgi {
        Framework::Asgi
    } else {
        Framework::Flask
    };
    let object = APPLICATION.captures(code).map(|found| {
        let framework = match &found[2] {
            "Flask" | "APIFlask" => Framework::Flask,
            "Bottle" | "Falcon" | "Dash" => Framework::Wsgi,
            _ => Framework::Asgi,
        };
        (framework, found.get(1), Made::AtImport)
    });
    let object = object
        .or_else(|| {
            FAST_APP
                .captures(code)
                .map(|found| (Framework::Asgi, found.get(1), Made::AtImport))
        })
        .or_else(|| {
            MADE_APP
                .captures(code)
                .map(|found| (unnamed, found.get(1), Made::AtImport))
        })
        .or_else(|| {
            FACTORY
                .captures(code)
                .map(|found| (unnamed, found.get(1), Made::ByCall))
        });
    let (framework, name, made_by) = object?;
    let name = name?;
    Some(Application {
        framework,
        name: name.as_str().to_owned(),
        made_by,
        line: line_of(code, name.start()),
    })
}

/// Blanks comments and triple-quoted strings, which often hold code that is not run.
fn without_text(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['#', '"', '\'']) {
        code.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, keep) = span_of_text(rest);
        let (span, after) = rest.split_at(length);
        if keep {
            code.push_str(span);
        } else {
            code.extend(span.chars().map(blank));
        }
        rest = after;
    }
    code.push_str(rest);
    code
}

/// The length in bytes of the comment or string that `rest` begins with, and whether it stays.
fn span_of_text(rest: &str) -> (usize, bool) {
    if rest.starts_with('#') {
        return (rest.find('\n').unwrap_or(rest.len()), false);
    }
    let long = [r#"""""#, "'''"]
        .into_iter()
        .find(|quote| rest.starts_with(quote));
    if let Some(quote) = long {
        let end = rest[3..].find(quote).map_or(rest.len(), |at| at + 6);
        return (end, false);
    }
    let quote = rest.as_bytes()[0];
    let mut bytes = rest.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'\n' => return (at, true),
            _ if byte == quote => return (at + 1, true),
            _ => {}
        }
    }
    (rest.len(), true)
}

/// A space of the same size in bytes, so that offsets stay; line ends stay too.
fn blank(letter: char) -> char {
    match letter {
        '\n' => '\n',
        // Letters of several bytes become ones of as many bytes that no rule matches.
        letter if letter.len_utf8() > 1 => letter,
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        read(Code {
            path: "app.py".into(),
            text: text.into(),
        })
    }

    #[test]
    fn imports_are_found_where_python_would_run_them() {
        for (text, certain) in [
            (
                "import os, requests as r\nfrom flask import (\n Flask)\n",
                vec!["os", "requests", "flask"],
            ),
            ("\"\"\"\nimport secret\n\"\"\"\nimport a.b\n", vec!["a.b"]),
            ("# import x\nfrom . import y\nfrom .z import w\n", vec![]),
            (
                "try:\n    import dotenv\nexcept ImportError:\n    import other\n",
                vec![],
            ),
            ("def f():\n    import numpy\n", vec!["numpy"]),
            ("s = 'it''s # not a comment'\nimport b\n", vec!["b"]),
            ("s = 'open\nimport c\n", vec!["c"]),
        ] {
            let names: Vec<_> = script(text).imports.into_iter().map(|i| i.module).collect();
            assert_eq!(names, certain, "{text}");
        }
    }

    #[test]
    fn the_call_that_starts_a_server_is_found() {
        for (text, expected) in [
            (
                "app = Flask(__name__)\nif __name__ == '__main__':\n    app.run(port=5000)",
                Some((Framework::Flask, 3)),
            ),
            ("uvicorn.run('main:app')", Some((Framework::Asgi, 1))),
            (
                "import gradio as gr\ndemo.queue().launch(share=True)",
                Some((Framework::Gradio, 2)),
            ),
            ("rocket.launch()", None),
            (
                "HTTPServer(('', 80), H).serve_forever()",
                Some((Framework::Own, 1)),
            ),
            ("web.run_app(app)", Some((Framework::Own, 1))),
            ("# app.run()", None),
            ("subprocess.run(['ls'])", None),
            ("serve(app, host='0.0.0.0')", Some((Framework::Wsgi, 1))),
        ] {
            let start = script(text)
                .start
                .map(|start| (start.framework, start.line));
            assert_eq!(start, expected, "{text}");
        }
    }

    #[test]
    fn the_application_object_is_found() {
        for (text, expected) in [
            (
                "web = Flask(__name__)",
                Some(("web", Framework::Flask, Made::AtImport)),
            ),
            (
                "app: FastAPI = fastapi.FastAPI(title='x')",
                Some(("app", Framework::Asgi, Made::AtImport)),
            ),
            (
                "from flask import Flask\ndef create_app():\n    app = Flask(__name__)\n",
                Some(("create_app", Framework::Flask, Made::ByCall)),
            ),
            (
                "def create_app(): ...\napp = create_app()",
                Some(("app", Framework::Flask, Made::AtImport)),
            ),
            (
                "app, rt = fast_app()",
                Some(("app", Framework::Asgi, Made::AtImport)),
            ),
            ("x = 1", None),
        ] {
            let script = script(text);
            let found = script
                .application
                .as_ref()
                .map(|app| (app.name.as_str(), app.framework, app.made_by));
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn blanking_keeps_every_offset() {
        let text = "a = 1 # ü\n\"\"\"é\n\"\"\"\nb = '#'\n";
        let code = without_text(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.find("b = '#'"), text.find("b = '#'"));
    }
}
