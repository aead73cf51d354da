//! The tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model::failure::FailureCode;
use ports::Builder;

use crate::admission;
use crate::answer::answer;
use crate::bench::Bench;
use crate::own_tests;

/// Runs the tests whose name has one of `names` in it; all of the quick ones when there is none.
pub(crate) async fn run(names: &[String]) -> ExitCode {
    let bench = Bench::new();
    let wanted = |name: &str, quick: bool| match names {
        [] => quick,
        names => names.iter().any(|part| name.contains(part.as_str())),
    };
    let mut failed = Vec::new();
    for example in examples() {
        let name = format!("example-{}", example.folder);
        if wanted(&name, example.quick) {
            println!("test {name}");
            if let Err(why) = every_example_is_built_and_answers(&bench, &example).await {
                println!("    FAILED: {why}");
                failed.push(name);
            }
        }
    }
    let shared = "compiled-modules-are-shared";
    if wanted(shared, false) {
        println!("test {shared}");
        if let Err(why) = what_one_app_compiled_serves_another(&bench).await {
            println!("    FAILED: {why}");
            failed.push(shared.to_owned());
        }
    }
    let shared = "built-wheels-are-shared";
    if wanted(shared, true) {
        println!("test {shared}");
        if let Err(why) = what_was_built_for_one_app_serves_another(&bench).await {
            println!("    FAILED: {why}");
            failed.push(shared.to_owned());
        }
    }
    let workspaces = "workspaces-share-their-packages";
    if wanted(workspaces, true) {
        println!("test {workspaces}");
        if let Err(why) = workspaces_are_installed_together(&bench).await {
            println!("    FAILED: {why}");
            failed.push(workspaces.to_owned());
        }
    }
    let both = "workspaces-beside-each-other";
    if wanted(both, true) {
        println!("test {both}");
        if let Err(why) = a_front_end_and_a_back_end_may_be_workspaces(&bench).await {
            println!("    FAILED: {why}");
            failed.push(both.to_owned());
        }
    }
    for case in bad_apps() {
        if wanted(case.name, true) {
            println!("test {}", case.name);
            if let Err(why) = a_bad_app_is_told_what_to_do(&bench, &case).await {
                println!("    FAILED: {why}");
                failed.push(case.name.to_owned());
            }
        }
    }
    for name in admission::NAMES.iter().filter(|name| wanted(name, true)) {
        println!("test {name}");
        if let Err(why) = admission::run(&bench, name).await {
            println!("    FAILED: {why}");
            failed.push((*name).to_owned());
        }
    }
    for name in own_tests::names().filter(|name| wanted(name, true)) {
        println!("test {name}");
        if let Err(why) = own_tests::run(&bench, name).await {
            println!("    FAILED: {why}");
            failed.push(name.to_owned());
        }
    }
    let kept = "what-tests-need-is-kept";
    if wanted(kept, true) {
        println!("test {kept}");
        if let Err(why) = own_tests::what_tests_need_is_kept(&bench).await {
            println!("    FAILED: {why}");
            failed.push(kept.to_owned());
        }
    }
    let identity = "the-identity-of-tests";
    if wanted(identity, true) {
        println!("test {identity}");
        if let Err(why) = own_tests::the_identity_of_tests(&bench).await {
            println!("    FAILED: {why}");
            failed.push(identity.to_owned());
        }
    }
    println!("{} failed {failed:?}", failed.len());
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

struct Example {
    folder: String,
    path: String,
    expect: String,
    quick: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn examples() -> Vec<Example> {
    let index = std::fs::read(root().join("index.json")).expect("the index");
    let index: Vec<serde_json::Value> = serde_json::from_slice(&index).expect("a list");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let read = |example: &serde_json::Value| Example {
        folder: text(&example["folder"]),
        // What the front end answers is not the server's to say.
        path: if example["kind"] == "front_and_back" {
            text(&example["also"][0]["path"])
        } else {
            text(&example["path"])
        },
        expect: if example["kind"] == "front_and_back" {
            text(&example["also"][0]["expect"])
        } else {
            text(&example["expect"])
        },
        quick: example["group"] == "quick",
    };
    index.iter().map(read).collect()
}

async fn every_example_is_built_and_answers(
    bench: &Bench,
    example: &Example,
) -> Result<(), String> {
    let folder = bench.folder(&root().join(&example.folder));
    let (built, heard) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}\n{:#?}", heard.lines()))?;
    let (again, _) = bench.build(&bench.folder(&folder), &built.pins).await;
    let again = again.map_err(|failure| format!("{failure:#?}"))?;
    if again.image.digest != built.image.digest || !again.cached {
        return Err(format!(
            "an unchanged folder became another image: {:?} {:?}",
            built.image, again.image
        ));
    }
    if let Some(site) = built.image.serving.site() {
        let layer = built.image.layers.last().ok_or("no layer")?;
        let files = bench
            .builder
            .layer(layer)
            .await
            .map_err(|failure| failure.to_string())?;
        let index = site.index.as_deref().unwrap_or("index.html");
        let page = std::fs::read_to_string(files.join(&site.root).join(index));
        let page = page.map_err(|cause| format!("{cause}: {site:?}"))?;
        if built.image.serving.process().is_none()
            && !page.contains(&example.expect)
            && !page.contains("id=\"root\"")
        {
            return Err(format!("the page lacks {:?}", example.expect));
        }
    }
    if built.image.serving.process().is_some() {
        let text = answer(bench, &built, &example.path).await;
        let text = text.map_err(|lines| format!("no answer: {lines:#?}"))?;
        if !text.contains(&example.expect) {
            return Err(format!("the answer lacks {:?}: {text}", example.expect));
        }
    }
    own_tests::of_example(bench, &folder, &built).await?;
    println!(
        "    {} layers, {} MB",
        built.image.layers.len(),
        built.image.size_bytes() / 1_000_000
    );
    Ok(())
}

/// Another app with the same native module compiles nothing.
async fn what_one_app_compiled_serves_another(bench: &Bench) -> Result<(), String> {
    let folder = bench.folder(&root().join("link-shortener"));
    let (first, _) = bench.build(&folder, &BTreeMap::new()).await;
    let first = first.map_err(|failure| format!("{failure:#?}"))?;
    let manifest = folder.join("package.json");
    let text = std::fs::read_to_string(&manifest).map_err(|cause| cause.to_string())?;
    let text = text.replace("\"express\"", "\"ws\": \"^8\",\n    \"express\"");
    std::fs::write(&manifest, text).map_err(|cause| cause.to_string())?;
    let (second, heard) = bench.build(&folder, &first.pins).await;
    let second = second.map_err(|failure| format!("{failure:#?}"))?;
    let lines = heard.lines();
    if !lines
        .iter()
        .any(|line| line.starts_with("> use the compiled better-sqlite3"))
    {
        return Err(format!("it was compiled again: {lines:#?}"));
    }
    answer(bench, &second, "/")
        .await
        .map(drop)
        .map_err(|lines| format!("{lines:#?}"))
}

const USAGE: &str = "import http.server, docopt\n\
    class Page(http.server.BaseHTTPRequestHandler):\n    \
        def do_GET(self):\n        \
            self.send_response(200)\n        \
            self.end_headers()\n        \
            self.wfile.write(docopt.__version__.encode())\n\
    http.server.HTTPServer(('', 8000), Page).serve_forever()\n";

/// A package that comes as source only is built for the first app that lists it, by the version
/// that the app asks for, and for no other.
async fn what_was_built_for_one_app_serves_another(bench: &Bench) -> Result<(), String> {
    let build = async |requirements: &str, pins: &BTreeMap<String, Vec<u8>>| {
        let folder = [("app.py", USAGE), ("requirements.txt", requirements)];
        let (built, heard) = bench.build(&bench.folder_of(&folder), pins).await;
        built
            .map(|built| (built, heard.lines()))
            .map_err(|failure| format!("{failure:#?}\n{:#?}", heard.lines()))
    };
    let says = |lines: &[String], words: &str| lines.iter().any(|line| line.starts_with(words));
    let (first, _) = build("docopt<0.6.2", &BTreeMap::new()).await?;
    let text = answer(bench, &first, "/").await;
    let text = text.map_err(|lines| format!("no answer: {lines:#?}"))?;
    if !text.contains("0.6.1") {
        return Err(format!("another version than the app asks for: {text}"));
    }
    let (second, lines) = build("docopt==0.6.1\nblinker", &BTreeMap::new()).await?;
    if says(&lines, "> build docopt") || !says(&lines, "> use the wheel that was built of docopt") {
        return Err(format!("it was built again: {lines:#?}"));
    }
    if first.image.layers[0] != second.image.layers[0] {
        return Err("the base is another one".into());
    }
    let (again, _) = build("docopt<0.6.2", &first.pins).await?;
    match again.image == first.image && again.cached {
        true => Ok(()),
        false => Err(format!(
            "another image: {:?} {:?}",
            first.image, again.image
        )),
    }
}

const API: &str = "const http = require('http')\n\
    const ms = require('ms')\n\
    const { hello } = require('@acme/shared')\n\
    http.createServer((q, r) => r.end(hello(ms('2 days')))).listen(4000)\n";
const SHARED: &str = "const ms = require('ms/package.json').version\n\
    exports.hello = (time) => `hello ${time} with ms ${ms}`\n";

/// A workspace is the app: it uses another one, each has its own version of a package, the root's
/// script builds both, and what only the build needs is not in the image.
async fn workspaces_are_installed_together(bench: &Bench) -> Result<(), String> {
    let folder = bench.folder_of(&[
        (
            "package.json",
            r#"{"name":"all","private":true,"workspaces":["packages/*"],
                "scripts":{"start":"npm start -w api","build":"npm run build --workspaces --if-present"},
                "devDependencies":{"is-odd":"3.0.1"}}"#,
        ),
        (
            "packages/shared/package.json",
            r#"{"name":"@acme/shared","version":"1.0.0","main":"out/index.js",
                "scripts":{"build":"mkdir -p out && cp src/index.js out/"},"dependencies":{"ms":"2.0.0"}}"#,
        ),
        ("packages/shared/src/index.js", SHARED),
        (
            "packages/api/package.json",
            r#"{"name":"api","version":"1.0.0",
                "scripts":{"start":"node server.js","build":"node -e 'require(`is-odd`)(3) || process.exit(1)'"},
                "dependencies":{"@acme/shared":"*","ms":"2.1.3"}}"#,
        ),
        ("packages/api/server.js", API),
        ("packages/web/package.json", r#"{"name":"web","dependencies":{"is-even":"1.0.0"}}"#),
    ]);
    let (built, heard) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}\n{:#?}", heard.lines()))?;
    let text = answer(bench, &built, "/").await;
    let text = text.map_err(|lines| format!("no answer: {lines:#?}"))?;
    if !text.contains("hello 172800000 with ms 2.0.0") {
        return Err(format!("another answer: {text}"));
    }
    for layer in &built.image.layers {
        let dir = bench.builder.layer(layer).await;
        let modules = dir
            .map_err(|failure| failure.to_string())?
            .join("app/node_modules");
        for package in ["is-odd", "is-even"] {
            if modules.join(package).exists() {
                return Err(format!("{package} is in the image"));
            }
        }
    }
    let (again, _) = bench.build(&bench.folder(&folder), &built.pins).await;
    let again = again.map_err(|failure| format!("{failure:#?}"))?;
    match again.image == built.image && again.cached {
        true => Ok(()),
        false => Err(format!(
            "another image: {:?} {:?}",
            built.image, again.image
        )),
    }
}

/// `client` and `server` of one root, which installs the packages of both.
async fn a_front_end_and_a_back_end_may_be_workspaces(bench: &Bench) -> Result<(), String> {
    let folder = bench.folder_of(&[
        (
            "package.json",
            r#"{"name":"all","private":true,"workspaces":["client","server"],
                "scripts":{"build":"npm run build -w client","start":"npm start -w server"}}"#,
        ),
        (
            "client/package.json",
            r#"{"name":"client","private":true,"scripts":{"build":"vite build"},
                "devDependencies":{"vite":"^5"}}"#,
        ),
        ("client/index.html", "<h1>Front</h1><script type=module src=/main.js></script>"),
        ("client/main.js", "document.title = 'x'"),
        (
            "server/package.json",
            r#"{"name":"server","scripts":{"start":"node index.js"},"dependencies":{"ms":"2.1.3"}}"#,
        ),
        (
            "server/index.js",
            "const ms = require('ms')\nrequire('http').createServer((q, r) => r.end(`ms ${ms('1s')}`)).listen(4001)\n",
        ),
    ]);
    let (built, heard) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}\n{:#?}", heard.lines()))?;
    if built.image.serving.site().is_none() {
        return Err(format!("there is no front end: {:?}", built.image.serving));
    }
    let text = answer(bench, &built, "/").await;
    let text = text.map_err(|lines| format!("no answer: {lines:#?}"))?;
    if !text.contains("ms 1000") {
        return Err(format!("another answer: {text}"));
    }
    for layer in &built.image.layers {
        let dir = bench.builder.layer(layer).await;
        let dir = dir.map_err(|failure| failure.to_string())?;
        if dir.join("app/node_modules/vite").exists() {
            return Err("what the front end is built with is in the image".into());
        }
    }
    Ok(())
}

struct BadApp {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    code: FailureCode,
    message: &'static str,
    hint: &'static str,
}

const SERVER: &str = "require('http').createServer((q, r) => r.end('ok')).listen(3000)";
const FLASK: &str = "from flask import Flask\napp = Flask(__name__)\napp.run(port=5000)\n";

fn bad_apps() -> Vec<BadApp> {
    vec![
        BadApp {
            name: "a-python-package-that-does-not-exist",
            files: &[
                ("app.py", FLASK),
                ("requirements.txt", "flask\nreqeusts-nowhere-to-be-found"),
            ],
            code: FailureCode::Dependency,
            message: "there is no Python package called `reqeusts-nowhere-to-be-found`",
            hint: "requirements.txt",
        },
        BadApp {
            name: "a-python-version-that-does-not-exist",
            files: &[("app.py", FLASK), ("requirements.txt", "flask==99")],
            code: FailureCode::Dependency,
            message: "there is no such version of the Python package `flask`",
            hint: "without a version",
        },
        BadApp {
            name: "a-python-package-whose-build-fails",
            files: &[
                ("app.py", FLASK),
                ("requirements.txt", "flask\ntensorflow-gpu"),
            ],
            code: FailureCode::Dependency,
            message: "the Python package `tensorflow-gpu 2.12.0` cannot be built from its source",
            hint: "list `tensorflow` in place of `tensorflow-gpu`",
        },
        BadApp {
            name: "a-node-package-that-does-not-exist",
            files: &[
                ("server.js", SERVER),
                (
                    "package.json",
                    r#"{"dependencies":{"expresss-nowhere-to-be-found":"*"},"main":"server.js"}"#,
                ),
            ],
            code: FailureCode::Dependency,
            message: "there is no Node package called `expresss-nowhere-to-be-found`",
            hint: "package.json",
        },
        BadApp {
            name: "a-build-that-fails",
            files: &[
                ("server.js", SERVER),
                (
                    "package.json",
                    r#"{"scripts":{"start":"node server.js","build":"node -e 'console.log(`the reason`); process.exit(3)'"}}"#,
                ),
            ],
            code: FailureCode::BuildFailed,
            message: "failed",
            hint: "on your machine",
        },
        BadApp {
            name: "a-build-that-never-ends",
            files: &[
                ("server.js", SERVER),
                (
                    "package.json",
                    r#"{"scripts":{"start":"node server.js","build":"while true; do :; done"}}"#,
                ),
                ("mayfly.toml", "[build]\ntimeout = 3\n"),
            ],
            code: FailureCode::BuildLimit,
            message: "took longer than 3 seconds",
            hint: "timeout = 6",
        },
        BadApp {
            name: "a-build-that-fills-the-disk",
            files: &[
                ("server.js", SERVER),
                (
                    "package.json",
                    r#"{"scripts":{"start":"node server.js","build":"dd if=/dev/zero of=big bs=1048576 count=4000; sleep 60"}}"#,
                ),
                ("mayfly.toml", "[build]\ndisk = \"64 MiB\"\ntimeout = 50\n"),
            ],
            code: FailureCode::BuildLimit,
            message: "wrote more than",
            hint: "disk =",
        },
        BadApp {
            name: "a-build-that-wants-the-network",
            files: &[
                ("server.js", SERVER),
                (
                    "package.json",
                    r#"{"scripts":{"start":"node server.js","build":"node -e 'fetch(`http://192.0.2.1/`).then(() => process.exit(0), e => { console.log(e.cause.code); process.exit(1) })'"}}"#,
                ),
            ],
            code: FailureCode::BuildFailed,
            message: "failed",
            hint: "build",
        },
    ]
}

async fn a_bad_app_is_told_what_to_do(bench: &Bench, app: &BadApp) -> Result<(), String> {
    let folder = bench.folder_of(app.files);
    let (built, heard) = bench.build(&folder, &BTreeMap::new()).await;
    let failure = match built {
        Ok(built) => return Err(format!("it was built: {:?}", built.image)),
        Err(failure) => failure,
    };
    let hint = failure.hint.clone().unwrap_or_default();
    let fits = failure.code == app.code
        && failure.message.contains(app.message)
        && hint.contains(app.hint);
    if fits {
        Ok(())
    } else {
        Err(format!("{failure:#?}\n{:#?}", heard.lines()))
    }
}
