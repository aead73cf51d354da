//! `mayfly init`: what it writes for an app is valid, runs, and finds what it is there to find.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testkit::AppFolder;

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

struct Ended {
    is_well: bool,
    code: Option<i32>,
    said: String,
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Ended {
    let ended = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.with_extension("cache"))
        // Node's own runner tells its tests so, and would swallow what they say.
        .env_remove("NODE_TEST_CONTEXT")
        .output()
        .unwrap_or_else(|cause| panic!("{program} does not run: {cause}"));
    let said = [ended.stdout, ended.stderr].concat();
    Ended {
        is_well: ended.status.success(),
        code: ended.status.code(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

fn init(folder: &AppFolder) -> Value {
    let made = run(folder.path(), MAYFLY, &["init", "--json"]);
    assert!(made.is_well, "{}", made.said);
    serde_json::from_str(&made.said).unwrap_or_else(|error| panic!("{error}: {}", made.said))
}

fn plan(folder: &AppFolder) -> Value {
    let told = run(folder.path(), MAYFLY, &["plan", "--json"]);
    assert!(told.is_well, "{}", told.said);
    serde_json::from_str(&told.said).unwrap_or_else(|error| panic!("{error}: {}", told.said))
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn example(name: &str) -> AppFolder {
    AppFolder::copy_of(&examples().join(name))
}

fn created(made: &Value) -> Vec<&str> {
    let created = made["created"].as_array().expect("a list");
    created.iter().filter_map(Value::as_str).collect()
}

#[test]
fn what_is_written_for_each_example_compiles_and_changes_nothing_about_it() {
    let folders = fs::read_dir(examples()).expect("the examples").flatten();
    let folders = folders.filter(|entry| entry.path().is_dir());
    let mut with_tests = 0;
    for entry in folders {
        let folder = AppFolder::copy_of(&entry.path());
        let before = plan(&folder);
        let made = init(&folder);
        assert_eq!(plan(&folder), before, "{made}");
        assert_eq!(made["kind"], before["kind"]);
        let checked = run(folder.path(), MAYFLY, &["check", "--json"]);
        assert!(!checked.said.contains("test_first"), "{}", checked.said);
        for file in created(&made) {
            let compiles = match file.rsplit_once('.') {
                Some((_, "py")) => run(folder.path(), "python3", &["-m", "py_compile", file]),
                Some((_, "mjs")) => run(folder.path(), "node", &["--check", file]),
                _ => continue,
            };
            assert!(compiles.is_well, "{file}: {}", compiles.said);
            with_tests += 1;
        }
    }
    assert!(with_tests >= 15, "{with_tests}");
}

#[test]
fn apps_that_need_no_packages_pass_their_first_tests() {
    for (name, program, arguments, ran) in [
        // Three of them are its own.
        (
            "word-counter",
            "python3",
            &["-m", "unittest"][..],
            "Ran 6 tests",
        ),
        ("tiny-server", "node", &["--test"][..], "# pass 3"),
    ] {
        let folder = example(name);
        let made = init(&folder);
        assert!(created(&made).len() >= 2, "{made}");
        let tests = run(folder.path(), program, arguments);
        assert!(tests.is_well, "{name}: {}", tests.said);
        assert!(tests.said.contains(ran), "{}", tests.said);
    }
}

#[test]
fn what_is_there_stays_as_it_is() {
    let folder = example("guestbook");
    folder.write("mayfly.toml", "name = \"book\"\n");
    folder.write("tests/__init__.py", "# mine\n");
    let made = init(&folder);
    assert_eq!(created(&made), ["tests/test_first.py"]);
    let first = fs::read_to_string(folder.path().join("tests/test_first.py")).expect("tests");
    folder.edit("tests/test_first.py", "First tests", "My tests");
    let again = init(&folder);
    assert!(created(&again).is_empty(), "{again}");
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).expect("a file");
    assert_eq!(read("mayfly.toml"), "name = \"book\"\n");
    assert_eq!(read("tests/__init__.py"), "# mine\n");
    assert_eq!(
        read("tests/test_first.py"),
        first.replace("First tests", "My tests")
    );
    let told = run(folder.path(), MAYFLY, &["init"]);
    assert!(told.said.contains("kept mayfly.toml"), "{}", told.said);
    assert!(
        told.said.contains("next: python -m unittest"),
        "{}",
        told.said
    );
}

#[test]
fn a_site_of_files_gets_settings_and_the_back_end_of_two_gets_the_tests() {
    let site = example("wedding-page");
    assert_eq!(created(&init(&site)), ["mayfly.toml"]);
    let both = example("photo-notes");
    let made = init(&both);
    let expected = [
        "mayfly.toml",
        "backend/tests/__init__.py",
        "backend/tests/test_first.py",
    ];
    assert_eq!(created(&made), expected);
}

#[test]
fn nothing_is_written_through_a_link_that_leads_out_of_the_folder() {
    let folder = example("guestbook");
    let outside = AppFolder::new("outside", &[]);
    std::os::unix::fs::symlink(outside.path(), folder.path().join("tests")).expect("a link");
    let refused = run(folder.path(), MAYFLY, &["init"]);
    assert_eq!(refused.code, Some(2), "{}", refused.said);
    assert_eq!(fs::read_dir(outside.path()).expect("it").count(), 0);
}

#[test]
fn a_folder_whose_kind_is_not_known_gets_settings_and_is_told_what_is_missing() {
    let folder = AppFolder::new("notes", &[("notes.txt", "hello\n")]);
    let made = init(&folder);
    assert_eq!(created(&made), ["mayfly.toml"]);
    assert!(
        made["notes"][0]
            .as_str()
            .is_some_and(|note| note.contains("no tests yet")),
        "{made}"
    );
    let bad = AppFolder::new(
        "bad",
        &[("app.py", "x = 1\n"), ("mayfly.toml", "nmae = 1\n")],
    );
    let refused = run(bad.path(), MAYFLY, &["init"]);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(
        refused.said.contains("did you mean `name`?"),
        "{}",
        refused.said
    );
    assert!(!bad.path().join("tests").exists());
}

/// As much of a router as the app below needs, so that no package has to be there.
const ROUTER: &str = "const http = require('node:http');
module.exports = () => {
  const routes = [];
  const app = {};
  for (const method of ['get', 'post', 'delete']) {
    app[method] = (path, ...handlers) => routes.push([method.toUpperCase(), path, handlers]);
  }
  const fits = (path, url) => new RegExp('^' + path.replace(/:\\w+/g, '[^/]+') + '$').test(url);
  app.listen = (port) => http.createServer((req, res) => {
    res.status = (code) => ((res.statusCode = code), res);
    res.json = (value) => res.end(JSON.stringify(value));
    const url = req.url.split('?')[0];
    const found = routes.find(([method, path]) => method === req.method && fits(path, url));
    if (!found) return res.status(404).json({});
    const handlers = [...found[2]];
    const next = () => handlers.shift()(req, res, next);
    req.resume().on('end', next);
  }).listen(port);
  return app;
};
";

const NOTES: &str = "const express = require('express');
const app = express();

function requireAuth(req, res, next) {
  if (req.headers.authorization !== `Bearer ${process.env.TOKEN}`) {
    return res.status(401).json({ error: 'who are you?' });
  }
  next();
}

app.get('/', (req, res) => res.json([]));
app.post('/notes', requireAuth, (req, res) => res.status(201).json({}));
app.delete('/notes/:id', requireAuth, (req, res) => res.status(200).json({}));

app.listen(process.env.PORT || 3000);
";

fn notes(code: &str) -> AppFolder {
    let files = [
        (
            "package.json",
            "{\"dependencies\": {\"express\": \"^4\"}}\n",
        ),
        ("server.js", code),
        ("node_modules/express/index.js", ROUTER),
    ];
    AppFolder::new("notes", &files)
}

#[test]
fn a_route_that_was_left_open_beside_guarded_ones_fails_the_tests() {
    let folder = notes(NOTES);
    init(&folder);
    let good = run(folder.path(), "node", &["--test"]);
    assert!(
        good.is_well && good.said.contains("# pass 5"),
        "{}",
        good.said
    );
    let open = NOTES.replace(
        "app.delete('/notes/:id', requireAuth, ",
        "app.delete('/notes/:id', ",
    );
    let folder = notes(&open);
    init(&folder);
    let bad = run(folder.path(), "node", &["--test"]);
    assert!(!bad.is_well, "{}", bad.said);
    assert!(
        bad.said.contains("anybody gets 200 from DELETE /notes/:id"),
        "{}",
        bad.said
    );
}

#[test]
fn an_app_that_odd_input_ends_fails_the_tests() {
    let fragile = NOTES.replace(
        "app.get('/', (req, res) => res.json([]));",
        "app.get('/', (req, res) => res.json(decodeURIComponent(req.url)));",
    );
    let folder = notes(&fragile);
    init(&folder);
    let bad = run(folder.path(), "node", &["--test"]);
    assert!(!bad.is_well, "{}", bad.said);
    assert!(bad.said.contains("URI malformed"), "{}", bad.said);
    let server = "from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        page = parse_qs(urlparse(self.path).query).get('page', ['1'])[0]
        try:
            text = str(int(page))
            self.send_response(200)
        except ValueError:
            text = 'broken'
            self.send_response(500)
        self.end_headers()
        self.wfile.write(text.encode())


HTTPServer(('0.0.0.0', 80), Handler).serve_forever()
";
    let folder = AppFolder::new("pages", &[("server.py", server)]);
    init(&folder);
    let bad = run(folder.path(), "python3", &["-m", "unittest"]);
    assert!(!bad.is_well, "{}", bad.said);
    assert!(bad.said.contains("answered 500"), "{}", bad.said);
}
