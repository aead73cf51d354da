//! What an app as a whole says: its routes, how it is started, whom it is open to, how it is mended.

mod bench;

use lint::{Access, InMemory, NoCache, Report};
use model::finding::{FixKind, FixSafety};
use model::route::Route;

fn app(files: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect()
}

fn rules(report: &Report) -> Vec<(&str, bool)> {
    report
        .findings
        .iter()
        .map(|finding| (finding.rule_id.as_str(), finding.blocks))
        .collect()
}

fn short(routes: &[Route]) -> Vec<String> {
    let line = |route: &Route| {
        let guards = route.guards.join(",");
        format!(
            "{} {} [{}] {guards} {}:{}",
            route.method,
            route.path,
            route.parameters.join(","),
            route.file,
            route.line
        )
    };
    routes.iter().map(line).collect()
}

#[test]
fn routes_are_recorded_with_their_parameters_and_guards() {
    let flask = "from flask import Flask\nfrom flask_login import login_required\napp = Flask(__name__)\n\n\n\
        @app.route('/notes/<int:note_id>', methods=['GET', 'POST'])\n@login_required\ndef note(note_id):\n    return {}\n";
    let fastapi = "from fastapi import Depends, FastAPI\nfrom auth import get_current_user\napi = FastAPI()\n\n\n\
        @api.delete('/items/{item_id}')\ndef remove(item_id: int, user=Depends(get_current_user)):\n    return {}\n";
    let express = "const app = require('express')();\n\
        app.get('/open', (req, res) => res.json({}));\n\
        app.use('/admin', requireAdmin);\n\
        app.post('/admin/users/:id', (req, res) => res.json({}));\n";
    let report = bench::check(app(&[
        ("flask_app.py", flask),
        ("api.py", fastapi),
        ("server.js", express),
    ]));
    assert_eq!(
        short(&report.routes),
        [
            "DELETE /items/{item_id} [item_id] get_current_user api.py:6",
            "GET /notes/<int:note_id> [note_id] login_required flask_app.py:6",
            "GET /open []  server.js:2",
            "POST /admin/users/:id [id] requireAdmin server.js:4",
            "POST /notes/<int:note_id> [note_id] login_required flask_app.py:6",
        ]
    );
    let again = bench::check(app(&[(
        "flask_app.py",
        &flask.replace("return {}", "return {'a': 1}"),
    )]));
    let handler = |report: &Report| {
        report
            .routes
            .iter()
            .find(|r| r.file == "flask_app.py")
            .map(|r| r.handler)
    };
    assert_ne!(handler(&report), handler(&again));
}

const DEBUG: &str = "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run(debug=True)\n";

#[test]
fn a_debug_server_counts_by_how_the_app_is_started() {
    let procfile = |command: &str| bench::check(app(&[("app.py", DEBUG), ("Procfile", command)]));
    assert_eq!(rules(&procfile("web: gunicorn app:app")), []);
    assert_eq!(
        rules(&procfile("web: python app.py")),
        [("python-flask-debug", true)]
    );
    let unknown = bench::check(app(&[("app.py", DEBUG)]));
    assert_eq!(rules(&unknown), [("python-flask-debug", false)]);
    let mut settings = bench::settings();
    settings.start_command = Some("flask run".into());
    let started =
        lint::check(&InMemory(app(&[("app.py", DEBUG)])), &settings, &NoCache).expect("a report");
    assert_eq!(rules(&started), []);
}

#[test]
fn an_open_route_matters_where_others_are_guarded_or_everybody_can_reach_it() {
    let open = "from flask import Flask\napp = Flask(__name__)\n@app.post('/items')\ndef add():\n    return {}\n";
    let files = InMemory(app(&[("app.py", open)]));
    let private = lint::check(&files, &bench::settings(), &NoCache).expect("a report");
    assert_eq!(rules(&private), []);
    let mut settings = bench::settings();
    settings.access = Access::Public;
    let public = lint::check(&files, &settings, &NoCache).expect("a report");
    assert_eq!(rules(&public), [("public-mutation", false)]);
}

#[test]
fn a_mechanical_fix_is_a_patch_that_applies() {
    let text = "import requests\n\n\ndef f():\n    return requests.get('https://a.example',\n                        verify=False)\n";
    let report = bench::check(app(&[("sync.py", text)]));
    let finding = report.findings.first().expect("a finding");
    let fix = finding.fix.as_ref().expect("a fix");
    assert_eq!((fix.kind, fix.safety), (FixKind::Replace, FixSafety::Safe));
    assert_eq!(
        (fix.from.as_str(), fix.to.as_str()),
        ("verify=False", "verify=True")
    );
    assert_eq!(fix.file_digest, Some(model::Digest::of(text.as_bytes())));
    let patch = fix.patch.as_deref().expect("a patch");
    assert!(patch.contains("@@ -6,1 +6,1 @@\n-                        verify=False)\n+                        verify=True)"), "{patch}");
}

#[test]
fn comments_that_silence_other_linters_silence_nothing_here() {
    let text = "import requests\nrequests.get('https://a.example', verify=False)  # noqa # nosec # ast-grep-ignore\n";
    let report = bench::check(app(&[("a.py", text)]));
    assert_eq!(rules(&report), [("python-tls-verify-off", true)]);
}

#[test]
fn the_way_of_a_value_is_told_from_file_to_file() {
    let web = "from flask import Flask, request\nfrom store import find\napp = Flask(__name__)\n\n\n@app.get('/')\ndef f():\n    return {'r': find(request.args['q'])}\n";
    let store = "import sqlite3\n\n\ndef find(q):\n    sql = f\"SELECT * FROM t WHERE a = '{q}'\"\n    return sqlite3.connect('a').execute(sql).fetchall()\n";
    let report = bench::check(app(&[("web.py", web), ("store.py", store)]));
    let finding = report.findings.first().expect("a finding");
    assert_eq!(
        (finding.file.as_str(), finding.line, finding.cwe),
        ("store.py", 6, Some(89))
    );
    let way: Vec<(&str, u32)> = finding
        .trace
        .iter()
        .map(|step| (step.file.as_str(), step.line))
        .collect();
    assert_eq!(way.first(), Some(&("web.py", 8)));
    assert_eq!(way.last(), Some(&("store.py", 5)));
}

/// The routes that the whole report says are open while others are not.
fn open_routes(files: &[(&str, &str)]) -> Vec<(String, u32)> {
    let report = bench::check(app(files));
    let open = report
        .findings
        .iter()
        .filter(|finding| finding.rule_id == "missing-authentication");
    open.map(|finding| (finding.file.clone(), finding.line))
        .collect()
}

const ROUTER: &str = "const router = require('express').Router();\n\
    router.delete('/:id', (req, res) => res.json(remove(req.params.id)));\n\
    module.exports = router;\n";

#[test]
fn a_router_is_guarded_by_what_it_is_mounted_behind() {
    let server = "const app = require('express')();\n\
        const items = require('./items');\n\
        app.post('/notes', requireAuth, (req, res) => res.json(add(req.body)));\n";
    for (mount, expected) in [
        ("app.use('/items', requireAuth, items);\n", vec![]),
        ("app.use(requireAuth);\napp.use('/items', items);\n", vec![]),
        (
            "app.use('/items', items);\n",
            vec![("items.js".to_owned(), 2)],
        ),
        (
            "app.use('/other', requireAuth);\napp.use('/items', items);\n",
            vec![("items.js".to_owned(), 2)],
        ),
    ] {
        let server = format!("{server}{mount}");
        let found = open_routes(&[("server.js", &server), ("items.js", ROUTER)]);
        assert_eq!(found, expected, "{mount}");
    }
}

#[test]
fn dependencies_of_a_router_guard_its_routes() {
    let main = "from fastapi import Depends, FastAPI\nfrom auth import get_current_user\n\
        from routes import items\napp = FastAPI()\n\
        @app.post('/notes')\ndef add(text: str, user=Depends(get_current_user)):\n    return {}\n";
    for (mount, dependencies, is_open) in [
        ("app.include_router(items.router)", "", true),
        (
            "app.include_router(items.router)",
            "dependencies=[Depends(get_current_user)]",
            false,
        ),
        (
            "app.include_router(items.router, dependencies=[Depends(get_current_user)])",
            "",
            false,
        ),
    ] {
        let main = format!("{main}{mount}\n");
        let items = format!(
            "from fastapi import APIRouter, Depends\nfrom auth import get_current_user\n\
             router = APIRouter({dependencies})\n\
             @router.delete('/items/{{item_id}}')\ndef remove(item_id: int):\n    return {{}}\n"
        );
        let found = open_routes(&[("main.py", &main), ("routes/items.py", &items)]);
        assert_eq!(
            found.is_empty(),
            !is_open,
            "{mount} {dependencies}: {found:?}"
        );
    }
}

#[test]
fn what_runs_before_every_request_guards_it() {
    let text = "from flask import Flask, abort, session\napp = Flask(__name__)\n\
        @app.before_request\ndef gate():\n    if 'user_id' not in session:\n        abort(401)\n\
        @app.post('/notes')\ndef add():\n    if session.get('user'):\n        return {}\n\
        @app.post('/items')\ndef other():\n    return {}\n";
    let found = open_routes(&[("app.py", text)]);
    assert!(found.is_empty(), "{found:?}");
    let open = text.replace("@app.before_request\n", "");
    assert_eq!(
        open_routes(&[("app.py", &open)]),
        [("app.py".to_owned(), 10)]
    );
}
