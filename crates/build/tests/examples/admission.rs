//! Packages are asked about before anything of them is installed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use model::failure::{Failure, FailureCode};
use model::finding::Gate;
use model::inventory::Ecosystem;
use ports::{Origin, PackageGate, Requested};

use crate::bench::Bench;

/// Refuses one package, and remembers every question.
struct Refuses {
    name: &'static str,
    asked: Mutex<Vec<Requested>>,
}

impl Refuses {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            asked: Mutex::default(),
        }
    }

    fn asked(&self) -> Vec<Requested> {
        self.asked.lock().expect("no panic holds it").clone()
    }
}

#[async_trait]
impl PackageGate for Refuses {
    async fn admit(&self, packages: &[Requested]) -> Result<(), Failure> {
        let mut asked = self.asked.lock().expect("no panic holds it");
        asked.extend(packages.iter().cloned());
        match packages.iter().any(|package| package.name == self.name) {
            true => Err(Failure::new(FailureCode::Dependency, "it is malicious")),
            false => Ok(()),
        }
    }

    fn nearest(&self, _: Ecosystem, name: &str) -> Option<String> {
        (name == "nowhere-to-be-found-flask").then(|| "flask".to_owned())
    }
}

const FLASK: &str = "from flask import Flask\napp = Flask(__name__)\napp.run(port=5000)\n";
const PYTHON: &[(&str, &str)] = &[("app.py", FLASK), ("requirements.txt", "# web\nFlask\n")];
const NODE: &[(&str, &str)] = &[
    (
        "server.js",
        "require('http').createServer((q, r) => r.end(require('is-odd'))).listen(3000)",
    ),
    (
        "package.json",
        "{\n  \"main\": \"server.js\",\n  \"dependencies\": {\n    \"is-odd\": \"3.0.1\"\n  }\n}\n",
    ),
];
const SOURCE: &[(&str, &str)] = &[
    (
        "app.py",
        "import docopt, http.server\nhttp.server.HTTPServer(('', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()\n",
    ),
    ("requirements.txt", "docopt==0.6.2\n"),
];

/// Names of all tests of this file.
pub(crate) const NAMES: [&str; 8] = [
    "a-refused-python-package-is-not-installed",
    "a-refused-package-of-a-package-is-not-installed",
    "a-refused-node-package-is-not-installed",
    "a-refused-source-package-is-not-built",
    "a-refused-build-tool-is-not-run",
    "a-package-that-was-admitted-is-asked-about-again",
    "an-unknown-package-is-a-finding-with-its-line",
    "a-refused-package-of-tests-is-not-installed",
];

/// Runs the test of this name.
pub(crate) async fn run(bench: &Bench, name: &str) -> Result<(), String> {
    match name {
        "a-refused-python-package-is-not-installed" => {
            let asked = refused(bench, PYTHON, "flask", "> install").await?;
            asks(&asked, "pkg:pypi/flask@", Some(("requirements.txt", 2)))
        }
        "a-refused-package-of-a-package-is-not-installed" => {
            let asked = refused(bench, PYTHON, "werkzeug", "> install").await?;
            asks(&asked, "pkg:pypi/werkzeug@", None)
        }
        "a-refused-node-package-is-not-installed" => {
            let asked = refused(bench, NODE, "is-number", "> install").await?;
            asks(&asked, "pkg:npm/is-odd@3.0.1", Some(("package.json", 4)))?;
            asks(&asked, "pkg:npm/is-number@", None)
        }
        "a-refused-source-package-is-not-built" => {
            let asked = refused(bench, SOURCE, "docopt", "> build").await?;
            asks(&asked, "pkg:pypi/docopt@0.6.2", None)
        }
        "a-refused-build-tool-is-not-run" => {
            let asked = refused(bench, SOURCE, "setuptools", "> prepare").await?;
            asks(&asked, "pkg:pypi/setuptools@", None)
        }
        "a-package-that-was-admitted-is-asked-about-again" => asked_again(bench).await,
        "an-unknown-package-is-a-finding-with-its-line" => unknown(bench).await,
        _ => refused_for_tests(bench).await,
    }
}

/// A build with empty caches ends at the gate, and no job of the kind `never` ran.
async fn refused(
    bench: &Bench,
    files: &[(&str, &str)],
    name: &'static str,
    never: &str,
) -> Result<Vec<Requested>, String> {
    let gate = Refuses::new(name);
    let (built, heard) = bench
        .build_asking(&bench.folder_of(files), &BTreeMap::new(), &gate)
        .await;
    let lines = heard.lines();
    let message = match built {
        Ok(_) => return Err(format!("it was built: {lines:#?}")),
        Err(failure) => failure.message,
    };
    if message != "it is malicious" {
        return Err(format!("another failure: {message} {lines:#?}"));
    }
    if lines.iter().any(|line| line.starts_with(never)) {
        return Err(format!("a job ran before the gate said no: {lines:#?}"));
    }
    Ok(gate.asked())
}

fn asks(asked: &[Requested], purl: &str, line: Option<(&str, u32)>) -> Result<(), String> {
    let found = asked
        .iter()
        .filter(|one| one.purl.as_str().starts_with(purl));
    let fits = |one: &Requested| {
        let place = one.asked.as_ref();
        one.origin == Origin::Registry
            && line.is_none_or(|line| {
                one.direct && place.is_some_and(|it| (it.file.as_str(), it.line) == line)
            })
    };
    match found.clone().any(fits) {
        true => Ok(()),
        false => Err(format!("{purl}: {:#?}", found.collect::<Vec<_>>())),
    }
}

/// With everything in the cache the gate still has the last word; until then the same build
/// installs.
async fn asked_again(bench: &Bench) -> Result<(), String> {
    // Packages of their own: what another test installed is in the cache.
    let python = [PYTHON[0], ("requirements.txt", "Flask\ncolorama==0.4.6\n")];
    let package = NODE[1].1.replace("3.0.1", "3.0.0");
    let node = [NODE[0], (NODE[1].0, package.as_str())];
    for (files, name) in [(&python[..], "flask"), (&node[..], "is-odd")] {
        let folder = bench.folder_of(files);
        let admits = Refuses::new("nothing");
        let (built, heard) = bench.build_asking(&folder, &BTreeMap::new(), &admits).await;
        let built = built.map_err(|failure| format!("{failure:#?}"))?;
        let installs = heard.lines();
        let installs = installs.iter().any(|line| line.starts_with("> install"));
        if !installs && !bench.keeps_caches() {
            return Err(format!("nothing was installed: {:#?}", heard.lines()));
        }
        let refuses = Refuses::new(name);
        let (again, _) = bench.build_asking(&folder, &built.pins, &refuses).await;
        if again.is_ok() {
            return Err(format!("{name} was built from the cache"));
        }
    }
    Ok(())
}

async fn unknown(bench: &Bench) -> Result<(), String> {
    for (files, line, fix) in [
        (
            [
                ("app.py", FLASK),
                (
                    "requirements.txt",
                    "flask\n\nNowhere_to-be-found-flask>=1\n",
                ),
            ],
            ("requirements.txt", 3),
            "flask",
        ),
        (
            [
                NODE[0],
                (
                    "package.json",
                    "{\n \"main\": \"server.js\",\n \"dependencies\": {\n  \"is-odd-nowhere-to-be-found\": \"*\"\n }\n}\n",
                ),
            ],
            ("package.json", 4),
            "remove `is-odd-nowhere-to-be-found`",
        ),
    ] {
        let gate = Refuses::new("nothing");
        let folder = bench.folder_of(&files);
        let (built, _) = bench.build_asking(&folder, &BTreeMap::new(), &gate).await;
        let failure = built.err().ok_or("it was built")?;
        let [finding] = failure.findings.as_slice() else {
            return Err(format!("not one finding: {failure:#?}"));
        };
        let to = finding.fix.as_ref().map_or("", |fix| fix.to.as_str());
        let fits = failure.code == FailureCode::Dependency
            && finding.blocks
            && finding.gate == Gate::Dependencies
            && finding.rule_id == "unknown-package"
            && (finding.file.as_str(), finding.line) == line
            && to.starts_with(fix);
        if !fits {
            return Err(format!("{failure:#?}"));
        }
    }
    Ok(())
}

async fn refused_for_tests(bench: &Bench) -> Result<(), String> {
    let test = ("test_app.py", "def test_a():\n    pass\n");
    let folder = bench.folder_of(&[PYTHON, &[test]].concat());
    let (built, _) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}"))?;
    let gate = Refuses::new("pluggy");
    let (tested, heard) = bench
        .test_asking(Path::new(&folder), &built, &built.pins, &gate)
        .await;
    let ran = heard.lines();
    let ran = ran.iter().any(|line| line.starts_with("> test:"));
    match tested {
        Err(failure) if failure.message == "it is malicious" && !ran => Ok(()),
        other => Err(format!("{other:#?}")),
    }
}
