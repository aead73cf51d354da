//! Small folders as values, and all of examples/.

use std::path::{Path, PathBuf};

use model::failure::FailureCode;

use super::*;

fn found(files: &[(&str, &str)]) -> Result<Detected, Failure> {
    detect(
        &Folder::from_files(files.iter().copied()),
        &Manifest::default(),
    )
}

/// Kind, start command and port as one line: easy to put in a table.
fn summary(files: &[(&str, &str)]) -> String {
    match found(files) {
        Ok(detected) => {
            let plan = detected.plan;
            let port = plan
                .port
                .map(|port| format!(" :{port}"))
                .unwrap_or_default();
            let start = plan.start.join(" ");
            format!("{}: {start}{port}", plan.kind)
                .trim_end()
                .to_owned()
        }
        Err(failure) => format!("{:?}: {failure}", failure.code),
    }
}

const FLASK: &str = "from flask import Flask\napp = Flask(__name__)\n";
const FLASK_MAIN: &str =
    "from flask import Flask\napp = Flask(__name__)\nif __name__ == '__main__':\n    app.run()\n";
const FASTAPI: &str = "from fastapi import FastAPI\napp = FastAPI()\n";
const EXPRESS: &str = "const app = require('express')()\napp.listen(3000)\n";
const VITE: &str =
    r#"{"scripts":{"dev":"vite","build":"vite build"},"devDependencies":{"vite":"*"}}"#;

#[test]
fn python_apps_start_as_their_authors_would_start_them() {
    for (files, expected) in [
        (
            vec![("app.py", FLASK_MAIN)],
            "Python app: python app.py :5000",
        ),
        (
            vec![("app.py", FLASK)],
            "Python app: flask --app app:app run --host 127.0.0.1 --port 5000 :5000",
        ),
        (
            vec![("app.py", FLASK), ("requirements.txt", "flask\ngunicorn")],
            "Python app: gunicorn --bind 127.0.0.1:8080 --threads 8 app:app :8080",
        ),
        (
            vec![(
                "app/__init__.py",
                "from flask import Flask\ndef create_app():\n    return Flask(__name__)",
            )],
            "Python app: flask --app app:create_app run --host 127.0.0.1 --port 5000 :5000",
        ),
        (
            vec![
                ("run.py", "from shop import app\napp.run(port=9000)"),
                ("shop.py", FLASK),
            ],
            "Python app: python run.py :9000",
        ),
        (
            vec![("main.py", FASTAPI)],
            "Python app: uvicorn main:app --host 127.0.0.1 --port 8000 :8000",
        ),
        (
            vec![
                (
                    "app/main.py",
                    "from app.db import x\nfrom fastapi import FastAPI\napi = FastAPI()",
                ),
                ("app/db.py", "x = 1"),
                ("requirements.txt", "fastapi"),
            ],
            "Python app: uvicorn app.main:api --host 127.0.0.1 --port 8000 :8000",
        ),
        (
            vec![("src/main.py", FASTAPI)],
            "Python app: uvicorn main:app --app-dir src --host 127.0.0.1 --port 8000 :8000",
        ),
        (
            vec![
                (
                    "Procfile",
                    "web: gunicorn wsgi:app --bind 0.0.0.0:$PORT\nworker: x",
                ),
                ("wsgi.py", FLASK),
            ],
            "Python app: /bin/sh -c gunicorn wsgi:app --bind 0.0.0.0:$PORT :8080",
        ),
        (
            vec![("dash.py", "import streamlit as st\nst.title('x')")],
            "Python app: streamlit run dash.py --server.port 8501 --server.address 127.0.0.1 --server.headless true --server.fileWatcherType none --browser.gatherUsageStats false :8501",
        ),
        (
            vec![("x.py", "import gradio as gr\ngr.Interface(f).launch()")],
            "Python app: python x.py :7860",
        ),
        (
            vec![(
                "main.py",
                "from http.server import HTTPServer\nHTTPServer(('', 8000), H).serve_forever()",
            )],
            "Python app: python main.py :8000",
        ),
        (
            vec![("job.py", "print('hello')")],
            "Python app: python job.py :8080",
        ),
    ] {
        assert_eq!(summary(&files), expected, "{files:?}");
    }
}

#[test]
fn node_apps_start_as_their_authors_would_start_them() {
    for (files, expected) in [
        (
            vec![
                ("package.json", r#"{"scripts":{"start":"node server.js"}}"#),
                ("server.js", EXPRESS),
            ],
            "Node app: node server.js :3000",
        ),
        (
            vec![
                (
                    "package.json",
                    r#"{"main":"index.js","scripts":{"start":"nodemon app.js"}}"#,
                ),
                ("app.js", EXPRESS),
            ],
            "Node app: node app.js :3000",
        ),
        (
            vec![("server.js", EXPRESS)],
            "Node app: node server.js :3000",
        ),
        (
            vec![
                ("package.json", r#"{"main":"index.js"}"#),
                (
                    "server.js",
                    "http.createServer(f).listen(process.env.PORT || 4000)",
                ),
            ],
            "Node app: node server.js :8080",
        ),
        (
            vec![
                ("package.json", r#"{"main":"lib.js"}"#),
                ("lib.js", EXPRESS),
            ],
            "Node app: node lib.js :3000",
        ),
        (
            vec![
                (
                    "package.json",
                    r#"{"scripts":{"dev":"tsx watch src/index.ts"}}"#,
                ),
                ("src/index.ts", EXPRESS),
            ],
            "Node app: tsx src/index.ts :3000",
        ),
        (
            vec![("package.json", VITE), ("index.html", "")],
            "Node app:",
        ),
        (
            vec![
                (
                    "package.json",
                    r#"{"scripts":{"start":"react-scripts start"},"dependencies":{"react-scripts":"5"}}"#,
                ),
                ("public/index.html", ""),
            ],
            "Node app:",
        ),
        (
            vec![
                (
                    "package.json",
                    r#"{"scripts":{"build":"vite build","start":"node server.js"},"dependencies":{"vite":"*","express":"*"}}"#,
                ),
                ("server.js", EXPRESS),
                ("index.html", ""),
            ],
            "Node app: node server.js :3000",
        ),
        (
            vec![(
                "package.json",
                r#"{"scripts":{"dev":"next dev"},"dependencies":{"next":"*"}}"#,
            )],
            "Node app: next start --hostname 127.0.0.1 --port 3000 :3000",
        ),
        (
            vec![
                ("package.json", r#"{"main":"dist/index.js"}"#),
                ("tsconfig.json", "{}"),
                ("src/index.ts", EXPRESS),
            ],
            "Node app: node dist/index.js :3000",
        ),
    ] {
        assert_eq!(summary(&files), expected, "{files:?}");
    }
}

#[test]
fn a_folder_is_weighed_as_a_whole() {
    let formatter = r#"{"main":"index.js","devDependencies":{"prettier":"3"},"scripts":{"css":"tailwindcss -i a -o b"}}"#;
    for (files, expected) in [
        (
            vec![
                ("app.py", FLASK_MAIN),
                ("package.json", formatter),
                ("templates/index.html", ""),
            ],
            "Python app: python app.py :5000",
        ),
        (
            vec![("index.html", ""), ("package.json", formatter)],
            "static site:",
        ),
        (
            vec![("index.html", ""), ("make_data.py", "print(1)")],
            "static site:",
        ),
        (
            vec![("index.html", ""), ("script.js", "document.title")],
            "static site:",
        ),
        (
            vec![
                ("server.js", EXPRESS),
                ("package.json", r#"{"scripts":{"start":"node server.js"}}"#),
                ("tool.py", "print(1)"),
                ("public/index.html", ""),
            ],
            "Node app: node server.js :3000",
        ),
        (
            vec![("app.py", FLASK_MAIN), ("Dockerfile", "FROM x")],
            "Python app: python app.py :5000",
        ),
        (
            vec![("public/index.html", ""), ("README.md", "")],
            "static site:",
        ),
        (
            vec![("dist/index.html", ""), ("package.json", r#"{"name":"x"}"#)],
            "static site:",
        ),
        (
            vec![
                ("frontend/package.json", VITE),
                ("frontend/index.html", ""),
                ("backend/app.py", FLASK_MAIN),
            ],
            "front end with a back end: python app.py :5000",
        ),
        (
            vec![
                ("client/index.html", ""),
                ("server/index.js", EXPRESS),
                ("server/package.json", r#"{"main":"index.js"}"#),
            ],
            "front end with a back end: node index.js :3000",
        ),
        (
            vec![
                ("app.py", FLASK_MAIN),
                ("frontend/package.json", VITE),
                ("frontend/index.html", ""),
            ],
            "front end with a back end: python app.py :5000",
        ),
        (
            vec![
                (
                    "app.py",
                    "app = Flask(__name__, static_folder='web')\napp.run()",
                ),
                ("web/index.html", ""),
            ],
            "Python app: python app.py :5000",
        ),
    ] {
        assert_eq!(summary(&files), expected, "{files:?}");
    }
}

#[test]
fn what_is_not_supported_is_named() {
    for (files, expected) in [
        (
            vec![("go.mod", ""), ("main.go", "")],
            "NotSupported: Go apps are not supported yet",
        ),
        (
            vec![("Cargo.toml", "")],
            "NotSupported: Rust apps are not supported yet",
        ),
        (
            vec![("index.php", ""), ("index.html", "")],
            "NotSupported: PHP apps are not supported yet",
        ),
        (
            vec![("App.csproj", "")],
            "NotSupported: .NET apps are not supported yet",
        ),
        (
            vec![("index.ts", "Bun.serve({})"), ("package.json", "{}")],
            "NotSupported: Bun apps are not supported yet",
        ),
        (
            vec![("Dockerfile", "FROM x")],
            "NotSupported: there is a Dockerfile, but nothing that mayfly can run without Docker",
        ),
        (
            vec![("notes.txt", "")],
            "NotSupported: nothing here looks like an app",
        ),
    ] {
        assert_eq!(summary(&files), expected, "{files:?}");
        let failure = found(&files).expect_err("no app");
        assert!(failure.hint.is_some() && !failure.cause.is_empty());
    }
}

#[test]
fn files_that_cannot_be_read_are_named_with_their_place() {
    for (files, start) in [
        (
            vec![
                ("package.json", "{\n  \"name\": ,\n}"),
                ("server.js", EXPRESS),
            ],
            "package.json:2:",
        ),
        (
            vec![
                ("pyproject.toml", "[project]\nname = \n"),
                ("app.py", FLASK),
            ],
            "pyproject.toml:2:",
        ),
        (
            vec![
                ("frontend/package.json", "{"),
                ("backend/app.py", FLASK_MAIN),
            ],
            "frontend/package.json:1:",
        ),
    ] {
        let failure = found(&files).expect_err("a broken file");
        assert_eq!(failure.code, FailureCode::BadManifest);
        assert!(failure.message.starts_with(start), "{failure}");
    }
}

#[test]
fn mayfly_toml_overrides_every_guess_and_the_plan_says_so() {
    let manifest = Manifest::parse(
        "[build]\nkind='python'\nversion='3.11'\npackages=['libgl1']\ncommand='python make.py'\n\
         [run]\ncommand='python other.py $X'\nport=1234\nhealth='/up'\nbefore=['python seed.py']\nkeep=['x/']\n",
    )
    .expect("a good manifest");
    let folder = Folder::from_files([("index.html", "x"), ("app.py", "print(1)")]);
    let plan = detect(&folder, &manifest).expect("an app").plan;
    assert_eq!(plan.kind, AppKind::Python);
    assert_eq!(plan.base, "python 3.11");
    assert_eq!(plan.packages, ["libgl1"]);
    assert_eq!(
        plan.build.last().map(String::as_str),
        Some("python make.py")
    );
    assert_eq!(plan.start, ["/bin/sh", "-c", "python other.py $X"]);
    assert_eq!((plan.port, plan.health.as_str()), (Some(1234), "/up"));
    assert_eq!(
        (plan.before, plan.keep),
        (vec!["python seed.py".to_owned()], vec!["x/".to_owned()])
    );
    assert_eq!(plan.overridden.len(), 9);
}

#[test]
fn overrides_that_make_no_sense_are_refused_with_a_remedy() {
    for (toml, files) in [
        ("[build]\nversion='2.7'", vec![("app.py", FLASK_MAIN)]),
        ("[build]\nversion='8'", vec![("server.js", EXPRESS)]),
        ("[build]\noutput='../x'", vec![("index.html", "")]),
        ("[run]\ncommand='node x'", vec![("index.html", "")]),
        ("[build]\nkind='front_and_back'", vec![("index.html", "")]),
    ] {
        let manifest = Manifest::parse(toml).expect("a good manifest");
        let failure = detect(&Folder::from_files(files), &manifest).expect_err(toml);
        assert!(failure.hint.is_some(), "{toml}");
    }
}

#[test]
fn code_in_a_folder_of_kept_data_is_reported() {
    for (files, reported) in [
        (vec![("app.py", FLASK_MAIN), ("data/load.py", "")], true),
        (vec![("app.py", FLASK_MAIN), ("data/a.json", "")], false),
        (vec![("index.html", ""), ("data/load.js", "")], false),
    ] {
        let plan = found(&files).expect("an app").plan;
        let lines: Vec<String> = plan.warnings.iter().map(clue_line).collect();
        let found = lines
            .iter()
            .any(|line| line.starts_with("data/load.py is kept"));
        assert_eq!(found, reported, "{lines:?}");
    }
}

#[test]
fn a_hostile_folder_costs_a_bounded_time() {
    let mut files: Vec<(String, Vec<u8>)> = (0..20_000)
        .map(|i| (format!("d{}/f{i}.py", i % 100), b"import a\n".repeat(20)))
        .collect();
    files.push(("app.py".into(), b"import x\n".repeat(200_000)));
    files.push(("package.json".into(), b"[".repeat(100_000)));
    let began = std::time::Instant::now();
    let _ = detect(&Folder::from_files(files), &Manifest::default());
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn on_disk(root: &Path) -> Folder {
    let files = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok);
    let files = files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let path = entry.path().strip_prefix(root).expect("below the root");
            let content = std::fs::read(entry.path()).expect("a readable file");
            (path.to_str().expect("a name in UTF-8").to_owned(), content)
        });
    Folder::from_files(files)
}

#[test]
fn every_example_is_what_its_index_says() {
    let index = std::fs::read(examples().join("index.json")).expect("the index");
    let index: Vec<serde_json::Value> = serde_json::from_slice(&index).expect("a list");
    assert!(index.len() >= 12);
    for example in index {
        let name = example["folder"].as_str().expect("a folder");
        let detected = detect(&on_disk(&examples().join(name)), &Manifest::default()).expect(name);
        let plan = &detected.plan;
        let kind = serde_json::to_value(plan.kind).expect("a name");
        assert_eq!(kind, example["kind"], "{name}: {plan:#?}");
        if let Some(port) = example["port"].as_u64() {
            assert_eq!(plan.port.map(u64::from), Some(port), "{name}: {plan:#?}");
        }
        for report in example["reports"].as_array().into_iter().flatten() {
            let lines: Vec<String> = plan.warnings.iter().map(clue_line).collect();
            let place = report.as_str().expect("a place");
            assert!(
                lines.iter().any(|line| line.starts_with(place)),
                "{name}: {lines:?}"
            );
        }
    }
}

#[test]
fn every_example_starts_and_warns_as_expected() {
    for (name, start, warnings) in [
        ("tip-calculator", "", vec![]),
        ("wedding-page", "", vec![]),
        ("recipe-spa", "", vec![]),
        ("guestbook", "python app.py", vec![]),
        (
            "expense-splitter",
            "python main.py",
            vec![
                "main.py:4 `uvicorn` is imported, but requirements.txt does not list it; uvicorn is installed",
            ],
        ),
        (
            "chart-board",
            "streamlit run app.py --server.port 8501 --server.address 127.0.0.1 --server.headless true --server.fileWatcherType none --browser.gatherUsageStats false",
            vec![],
        ),
        (
            "poll",
            "python manage.py runserver --noreload 127.0.0.1:8000",
            vec![],
        ),
        ("quiz-gradio", "python app.py", vec![]),
        ("word-counter", "python server.py", vec![]),
        (
            "meme-api",
            "python meme.py",
            vec![
                "meme.py:4 `requests` is imported; requests is installed",
                "meme.py:5 `flask` is imported; flask is installed",
                "meme.py:6 `PIL` is imported; Pillow is installed",
                "meme.py:62 `debug=True` starts the app twice and shows its code to visitors when it fails; write `debug=False`",
            ],
        ),
        ("todo-express", "node server.js", vec![]),
        ("link-shortener", "node index.js", vec![]),
        ("chat-ws", "node index.js", vec![]),
        ("tiny-server", "node server.js", vec![]),
        ("habit-tracker", "", vec![]),
        (
            "photo-notes",
            "python app.py",
            vec![
                "backend/app.py:65 `debug=True` starts the app twice and shows its code to visitors when it fails; write `debug=False`",
                "frontend/src/notes.js:3 `http://localhost:5000/api/notes` is the visitor's own machine when the page runs in a browser; write `/api/notes`",
            ],
        ),
        ("ts-api", "node dist/index.js", vec![]),
        ("shop-mixed", "python app.py", vec![]),
        ("pinned-old", "python app.py", vec![]),
    ] {
        let detected = detect(&on_disk(&examples().join(name)), &Manifest::default()).expect(name);
        assert_eq!(detected.plan.start.join(" "), start, "{name}");
        let lines: Vec<String> = detected.plan.warnings.iter().map(clue_line).collect();
        assert_eq!(lines, warnings, "{name}");
    }
}
