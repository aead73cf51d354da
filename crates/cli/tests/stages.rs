//! Every stage run twice, and cut off by `kill -9`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::time::Duration;

use model::progress::{Progress, RunResult};
use model::{STAGES, Stage};
use testkit::{AppFolder, Bench, eventually};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");
const SOON: Duration = Duration::from_secs(30);

/// Counts its visits in a database that its folder brings along.
const COUNTER: &str = "import http.server, os, sqlite3
db = sqlite3.connect('visits.db', check_same_thread=False)
db.execute('create table if not exists visits (n integer)')
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == '/visit':
            db.execute('insert into visits values (1)')
            db.commit()
        body = str(db.execute('select count(*) from visits').fetchone()[0]).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
";

/// A server whose build and start can be made to last.
struct Slow {
    folder: AppFolder,
}

const NODE: &str =
    "require('http').createServer((q, a) => a.end('served')).listen(process.env.PORT)\n";
/// Says that it is under way, then lasts longer than any test. The number tells its processes.
const BUILD: &str = "echo under way; sleep 86417";

impl Slow {
    fn new(name: &str) -> Self {
        let folder = AppFolder::new(name, &[("server.js", NODE)]);
        Self { folder }
    }

    /// Lets a stage last for ever.
    fn lasts_in(&self, stage: Stage) {
        match stage {
            Stage::Build => {
                let toml = format!("[build]\ncommand = \"{BUILD}\"\n");
                self.folder.write("mayfly.toml", &toml);
            }
            // Nothing of an app makes these last. The one after them does, so that no run ends before
            // it is cut off.
            Stage::Checks
            | Stage::Tests
            | Stage::Sbom
            | Stage::Sign
            | Stage::Scan
            | Stage::Policy
            | Stage::Verify
            | Stage::Rollout => {
                let never = format!("setTimeout(() => {{ {} }}, 86417000)\n", NODE.trim());
                self.folder.write("server.js", &never);
            }
        }
    }

    fn is_well(&self, text: &str) {
        self.folder.write("mayfly.toml", "");
        self.folder
            .write("server.js", &NODE.replace("served", text));
    }
}

type Events = std::io::Lines<BufReader<ChildStdout>>;

/// Reads the events of an `up --json` until one tells that the stage is at work. Returns those that
/// are still to come: an `up` without a reader would end.
fn under_way(up: &mut Child, stage: Stage, bench: &Bench, before: &[String]) -> Events {
    let mut events = BufReader::new(up.stdout.take().expect("its output")).lines();
    while let Some(line) = events.next() {
        let line = line.expect("a line");
        let event: Progress = serde_json::from_str(&line).expect("an event");
        match (stage, event) {
            (Stage::Build, Progress::Log { line, .. }) if line.contains("under way") => {
                return events;
            }
            (
                Stage::Rollout,
                Progress::StepStarted {
                    stage: Stage::Rollout,
                    ..
                },
            ) => {
                eventually("the release's sandbox runs", SOON, || {
                    let now = names(bench, "sandboxes");
                    (now.len() > before.len() && supervised(bench)).then_some(())
                });
                return events;
            }
            (
                Stage::Checks
                | Stage::Tests
                | Stage::Sbom
                | Stage::Sign
                | Stage::Scan
                | Stage::Policy
                | Stage::Verify,
                Progress::StageStarted { stage: begun },
            ) if begun == stage => return events,
            (_, Progress::Result(end)) => panic!("it ended: {end:#?}"),
            _ => {}
        }
    }
    panic!("the run ended before its stage was under way");
}

fn names(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(bench.home().join(folder));
    let mut names: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Whether every sandbox has its supervisor.
fn supervised(bench: &Bench) -> bool {
    names(bench, "sandboxes").iter().all(|name| {
        let state = bench.home().join("sandboxes").join(name).join("state.json");
        state.exists()
    })
}

/// Processes whose command line has the number that tells the test's own.
fn of_the_build() -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("processes");
    let line = |process: fs::DirEntry| {
        let line = fs::read(process.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.contains("sleep 86417").then_some(line)
    };
    processes.flatten().filter_map(line).collect()
}

/// What a home holds of runs that are over: nothing.
fn nothing_is_left(bench: &Bench, sandboxes: &[String]) {
    eventually("what was half made is gone", SOON, || {
        let left = [names(bench, "jobs"), names(bench, "sources")].concat();
        let same = names(bench, "sandboxes") == sandboxes;
        (left.is_empty() && same && of_the_build().is_empty()).then_some(())
    });
}

#[test]
fn a_daemon_killed_in_any_stage_leaves_nothing_and_the_next_up_succeeds() {
    let mut bench = Bench::start(MAYFLY);
    for stage in STAGES {
        let name = format!("cut-{}", stage.to_string().to_lowercase());
        let slow = Slow::new(&name);
        bench.up(&slow.folder).promoted();
        let sandboxes = names(&bench, "sandboxes");
        slow.lasts_in(stage);
        let path = slow.folder.path().to_str().expect("UTF-8");
        let mut up = bench.spawn(&["up", path, "--json"]);
        let events = under_way(&mut up, stage, &bench, &sandboxes);
        bench.kill_daemon();
        events.for_each(drop);
        assert_eq!(up.wait().expect("its end").code(), Some(75), "{stage}");
        bench.serve();
        assert_eq!(bench.get(&name, "/").text(), "served", "{stage}");
        nothing_is_left(&bench, &sandboxes);
        let status = bench.mayfly(&["status", &name, "--json"]).ok().json();
        assert_eq!(status["state"], "running", "{stage}: {status}");
        slow.is_well("again");
        bench.up(&slow.folder).promoted();
        assert_eq!(bench.get(&name, "/").text(), "again", "{stage}");
    }
}

/// The regular files below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type().expect("a type").is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path().display().to_string()),
        }
    }
    found.sort();
    found
}

fn cached(result: &RunResult, stage: Stage) -> bool {
    let timing = result.stages.iter().find(|timing| timing.stage == stage);
    timing
        .unwrap_or_else(|| panic!("no {stage}: {result:#?}"))
        .cached
}

#[test]
fn every_stage_run_twice_has_the_effect_of_once() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("twice", &[("app.py", COUNTER)]);
    let first = bench.up(&folder).promoted();
    assert_eq!(bench.get("twice", "/visit").text(), "1");
    let layers = names(&bench, "layers");
    // Inputs taken anew make every stage run, also when nothing has changed.
    let second = bench.up_with(&folder, &["--upgrade"]).promoted();
    assert_eq!(
        second.digest, first.digest,
        "a build run twice made two images"
    );
    assert!(cached(&second, Stage::Build), "{second:#?}");
    assert_eq!(names(&bench, "layers"), layers);
    assert_eq!(
        bench.get("twice", "/visit").text(),
        "2",
        "data was lost, or seeded twice"
    );
    let blobs = files(&bench.home().join("blobs"));
    let third = bench.up_with(&folder, &["--upgrade"]).promoted();
    assert_eq!((third.digest, third.url), (first.digest, first.url));
    assert_eq!(bench.get("twice", "/visit").text(), "3");
    let images = files(&bench.home().join("blobs"));
    let grown = images.iter().filter(|file| !blobs.contains(file)).count();
    // What a run records of itself: its stages' evidence, its log, and its provenance and the
    // decision, each in the forms that a registry keeps.
    let forms = ["bundle", "referrer", "envelope", "layer list", "manifest"];
    let most = STAGES.len() + 1 + 2 * forms.len();
    assert!(grown <= most, "{grown} new blobs");
    let status = bench.mayfly(&["status", "twice", "--json"]).ok().json();
    let releases = status["releases"].as_array().expect("releases");
    let serving = releases
        .iter()
        .filter(|release| release["now"] == "serving");
    assert_eq!(serving.count(), 1, "{status}");
    eventually("one release serves and one is warm", SOON, || {
        (names(&bench, "sandboxes").len() <= 2).then_some(())
    });
}
