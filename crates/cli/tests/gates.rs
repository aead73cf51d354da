//! What stops a run: faults in the code, secrets, known vulnerabilities, and the policy; and how
//! somebody lets it pass; through the real binary.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::time::Duration;

use model::run::Outcome;
use model::{Digest, FailureCode, Stage};
use serde_json::{Value, json};
use testkit::{AppFolder, Bench, Command, Up, eventually};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");
/// A user without rights, who has apps in these tests.
const CREATOR: u32 = 65534;

const INJECTABLE: &str = "const http = require('http');
const { execSync } = require('child_process');
http.createServer((request, answer) => {
  const name = new URL(request.url, 'http://x').searchParams.get('name');
  answer.end(execSync('echo ' + name));
}).listen(process.env.PORT);
";

const HARMLESS: &str =
    "require('http').createServer((q, a) => a.end('served')).listen(process.env.PORT);\n";

fn server(name: &str, code: &str) -> AppFolder {
    AppFolder::new(name, &[("server.js", code), ("package.json", "{}")])
}

fn site(name: &str) -> AppFolder {
    AppFolder::new(name, &[("index.html", "<h1>here</h1>")])
}

/// A run that a gate stopped: exit 3.
#[track_caller]
fn blocked(up: &Up) -> model::Failure {
    let result = up.result();
    assert_eq!(
        (up.code, result.outcome),
        (3, Outcome::Blocked),
        "{result:#?}"
    );
    result.error.expect("why")
}

#[track_caller]
fn refused(command: &Command, code: i32, word: &str) {
    let told = format!("{}\n{}", command.stdout, command.stderr);
    assert_eq!(command.code, code, "{told}");
    assert!(told.contains(word), "{word}: {told}");
}

/// Runs the program as the user who has the app, who cannot look into the build folder.
fn as_creator(bench: &Bench, arguments: &[&str]) -> Command {
    let program = bench.home().join("mayfly-of-creator");
    if !program.exists() {
        fs::copy(MAYFLY, &program).expect("a copy");
    }
    let caches = bench.home().join("creators-caches");
    fs::create_dir_all(&caches).expect("a folder");
    chown(&caches, Some(CREATOR), None).expect("a folder of theirs");
    let mut process = Process::new(program);
    process
        .args(arguments)
        .env(api::paths::HOME_VARIABLE, bench.home())
        .env("XDG_STATE_HOME", &caches)
        .env("XDG_CACHE_HOME", &caches)
        .stdin(Stdio::null())
        .uid(CREATOR)
        // Whom the socket lets in.
        .gid(0);
    process.output().expect("it starts").into()
}

fn up_as_creator(bench: &Bench, folder: &AppFolder) -> Up {
    for file in walk(folder.path()) {
        chown(file, Some(CREATOR), None).expect("a file of theirs");
    }
    let path = folder.path().to_str().expect("UTF-8");
    as_creator(bench, &["up", path, "--json"]).into()
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        all.push(entry.path());
    }
    all
}

/// An archive of OSV records, as `all.zip`.
fn archive(bench: &Bench, name: &str, records: &[Value]) -> String {
    let path = bench.home().join(name);
    let script = "import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for r in json.loads(sys.argv[2]):
        z.writestr(r['id'] + '.json', json.dumps(r))";
    let done = Process::new("python3")
        .args(["-c", script])
        .arg(&path)
        .arg(Value::from(records.to_vec()).to_string())
        .output()
        .expect("python runs");
    assert!(done.status.success(), "{:?}", done);
    path.to_str().expect("UTF-8").to_owned()
}

fn record(id: &str, package: &str, fixed: &str, age: Duration) -> Value {
    let modified = model::Timestamp::now() - age;
    let mut record = json!({
        "id": id,
        "modified": modified.to_string(),
        "summary": "a record that was made up for a test",
        "affected": [{
            "package": { "ecosystem": "npm", "name": package },
            "ranges": [{ "type": "SEMVER", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
        }],
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
    });
    if id.starts_with("MAL-") {
        record["affected"][0]["ranges"] = json!([]);
        record["affected"][0]["versions"] = json!(["4.0.1"]);
        record.as_object_mut().expect("a record").remove("severity");
    }
    record
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An app with one small package that nothing else needs.
fn app_with_package(name: &str) -> AppFolder {
    AppFolder::new(
        name,
        &[
            (
                "server.js",
                "const odd = require('is-odd');
require('http').createServer((q, a) => a.end('odd: ' + odd(3))).listen(process.env.PORT);\n",
            ),
            ("package.json", r#"{"dependencies": {"is-odd": "3.0.1"}}"#),
        ],
    )
}

/// The words of `mayfly exempt`.
fn exemption<'a>(target: &'a str, app: &'a str, end: &'a str) -> [&'a str; 8] {
    [
        "exempt", target, "--app", app, "--until", end, "--reason", "a test",
    ]
}

#[test]
fn code_that_lets_strangers_in_stops_the_run_and_the_release_before_serves_on() {
    let bench = Bench::start(MAYFLY);
    let folder = server("shop", HARMLESS);
    bench.up(&folder).promoted();
    folder.write("server.js", INJECTABLE);
    let up = bench.up(&folder);
    let failure = blocked(&up);
    assert_eq!(failure.code, FailureCode::Blocked);
    assert_eq!(failure.stage, Some(Stage::Checks));
    let finding = &failure.findings[0];
    assert_eq!(
        (finding.cwe, finding.file.as_str(), finding.line),
        (Some(78), "server.js", 5)
    );
    assert!(finding.blocks && !finding.trace.is_empty(), "{finding:#?}");
    assert_eq!(finding.introduced_by_this_change, Some(true));
    let hint = failure.hint.expect("what to do");
    assert!(
        hint.contains(&format!("mayfly exempt {}", finding.fingerprint)),
        "{hint}"
    );
    assert_eq!(bench.get("shop", "/").text(), "served");
    let history = bench.mayfly(&["audit", "shop"]).ok().stdout;
    assert!(history.contains("outcome blocked"), "{history}");
}

#[test]
fn a_secret_stops_the_run_is_masked_everywhere_and_its_file_is_not_kept() {
    let bench = Bench::start(MAYFLY);
    let secret = ["sk_live", "51H8xQmLkdIwHuYvbQzXo9cPq7RtUe2Wn"].join("_");
    let code = format!("const key = '{secret}';\n{HARMLESS}");
    let folder = server("shop", &code);
    let up = bench.up(&folder);
    let failure = blocked(&up);
    assert_eq!(failure.findings[0].gate.as_str(), "secrets");
    let all = format!("{up:?}{}", bench.daemon_log());
    assert!(!all.contains(&secret[8..]), "{all}");
    let blob = Digest::of(code.as_bytes()).hex();
    let holds = |home: &Path| {
        let found = Process::new("grep")
            .args(["-rlF", &secret])
            .arg(home.join("blobs"))
            .output()
            .expect("grep runs");
        String::from_utf8_lossy(&found.stdout).into_owned()
    };
    assert_eq!(holds(bench.home()), "", "{blob}");
    // The control: what is no secret is kept.
    folder.write("server.js", &format!("const key = 'none';\n{HARMLESS}"));
    bench.up(&folder).promoted();
    let missing = bench.home().join("blobs");
    assert!(missing.exists());
}

#[test]
fn somebody_else_lets_a_finding_pass_and_takes_it_back() {
    let bench = Bench::start(MAYFLY);
    let folder = server("shop", INJECTABLE);
    let failure = blocked(&up_as_creator(&bench, &folder));
    let fingerprint = failure.findings[0].fingerprint.to_string();
    let exempt = |end| exemption(&fingerprint, "shop", end);
    let own = as_creator(&bench, &exempt("7d"));
    refused(&own, 4, "nobody lets their own app pass");
    refused(&bench.mayfly(&exempt("2020-01-01")), 2, "past");
    bench.mayfly(&exempt("7d")).ok();
    up_as_creator(&bench, &folder).promoted();
    let list = bench
        .mayfly(&["exempt", "list", "--app", "shop", "--json"])
        .ok()
        .json();
    assert_eq!(list[0]["target"], fingerprint.as_str());
    assert_eq!(list[0]["granted_by"], "uid:0");
    let history = bench.mayfly(&["audit", "shop"]).ok().stdout;
    assert!(history.contains("exemption granted"), "{history}");
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    bench
        .mayfly(&["exempt", "revoke", &id, "--app", "shop"])
        .ok();
    blocked(&up_as_creator(&bench, &folder));
    let verdict = bench.mayfly(&["audit", "verify"]).ok();
    assert_eq!(verdict.code, 0);
}

#[test]
fn an_exemption_below_a_path_lets_nothing_else_pass() {
    let bench = Bench::start(MAYFLY);
    let folder = server("shop", INJECTABLE);
    let failure = blocked(&up_as_creator(&bench, &folder));
    let rule = failure.findings[0].rule_id.clone();
    let exempt = |path: &str| {
        let words = [
            "exempt", &rule, "--app", "shop", "--path", path, "--until", "7d", "--reason", "a test",
        ];
        bench.mayfly(&words).ok();
    };
    exempt("other.js");
    blocked(&up_as_creator(&bench, &folder));
    exempt("server.js");
    up_as_creator(&bench, &folder).promoted();
}

#[test]
fn without_data_what_only_this_machine_reaches_goes_up_marked_not_scanned() {
    let bench = Bench::start(MAYFLY);
    let folder = site("page");
    let result = bench.up(&folder).promoted();
    let why = result.not_scanned.expect("a mark");
    assert!(why.contains("mayfly db update"), "{why}");
    let status = bench.mayfly(&["status", "page"]).ok().stdout;
    assert!(status.contains("not scanned"), "{status}");
}

#[test]
fn without_data_or_an_end_what_others_reach_is_stopped() {
    let mut bench = Bench::at_rest(MAYFLY);
    bench.serve_with(&["--port", "0", "--listen", "0.0.0.0"]);
    let folder = site("page");
    let failure = blocked(&bench.up(&folder));
    let told = format!("{failure:?}");
    assert!(
        told.contains("mayfly db update") && told.contains("--ttl"),
        "{told}"
    );
    let archive = archive(
        &bench,
        "npm.zip",
        &[record("GHSA-x", "nothing", "9.0.0", DAY)],
    );
    bench.mayfly(&["db", "import", &archive]).ok();
    let failure = blocked(&bench.up(&folder));
    assert!(
        !format!("{failure:?}").contains("mayfly db update"),
        "{failure:?}"
    );
    bench.up_with(&folder, &["--ttl", "30d"]).promoted();
    let old = archive_of_old_data(&bench);
    bench.mayfly(&["db", "import", "--any-change", &old]).ok();
    folder.write("index.html", "<h1>changed</h1>");
    let failure = blocked(&bench.up(&folder));
    assert!(
        format!("{failure:?}").contains("mayfly db update"),
        "{failure:?}"
    );
}

fn archive_of_old_data(bench: &Bench) -> String {
    archive(
        bench,
        "old.zip",
        &[record("GHSA-x", "nothing", "9.0.0", 9 * DAY)],
    )
}

#[test]
fn a_release_that_serves_is_matched_against_newer_data_and_the_next_run_is_stopped() {
    let bench = Bench::start(MAYFLY);
    let folder = app_with_package("odd");
    let harmless = archive(
        &bench,
        "one.zip",
        &[record("GHSA-other", "nothing", "9.0.0", 2 * DAY)],
    );
    bench.mayfly(&["db", "import", &harmless]).ok();
    let result = up_as_creator(&bench, &folder).promoted();
    assert_eq!(result.not_scanned, None, "{result:#?}");
    let found = bench.mayfly(&["verify", "odd", "--json"]).ok().json();
    assert!(
        found
            .to_string()
            .contains("cosign.sigstore.dev/attestation/vuln"),
        "{found}"
    );

    let records = [
        record("GHSA-other", "nothing", "9.0.0", 2 * DAY),
        record("GHSA-odd", "is-odd", "3.0.2", DAY),
        record("GHSA-number", "is-number", "7.0.0", DAY),
    ];
    let newer = archive(&bench, "two.zip", &records);
    bench.mayfly(&["db", "import", &newer]).ok();
    assert_eq!(bench.get("odd", "/").text(), "odd: true");
    let status = bench.mayfly(&["status", "odd", "--json"]).ok().json();
    let told = status["notices"].to_string();
    assert!(told.contains("would not let this release pass"), "{told}");
    let vulnerable = status["vulnerabilities"].as_array().expect("a list");
    let of = |id: &str| {
        let found = vulnerable.iter().find(|one| one["rule_id"] == id);
        found
            .unwrap_or_else(|| panic!("{id}: {vulnerable:#?}"))
            .clone()
    };
    assert_eq!(of("GHSA-odd")["path"].as_array().map(Vec::len), Some(1));
    let way = of("GHSA-number")["path"].to_string();
    assert!(way.contains("is-odd") && way.contains("is-number"), "{way}");

    let failure = blocked(&up_as_creator(&bench, &folder));
    assert_eq!(failure.stage, Some(Stage::Policy));
    let ids: Vec<&str> = failure
        .findings
        .iter()
        .map(|one| one.rule_id.as_str())
        .collect();
    assert!(
        ids.contains(&"GHSA-odd") && ids.contains(&"GHSA-number"),
        "{ids:?}"
    );

    for id in ["GHSA-odd", "GHSA-number"] {
        let words = [
            "exempt",
            id,
            "--app",
            "odd",
            "--until",
            "7d",
            "--reason",
            "never sees input",
            "--justification",
            "vulnerable_code_not_in_execute_path",
            "--json",
        ];
        let vex = bench.mayfly(&words).ok().json()["vex"].clone();
        assert_eq!(vex["@context"], "https://openvex.dev/ns/v0.2.0", "{vex}");
        assert_eq!(vex["statements"][0]["status"], "not_affected");
        assert_eq!(vex["statements"][0]["vulnerability"]["name"], id);
    }
    up_as_creator(&bench, &folder).promoted();
    let found = bench.mayfly(&["verify", "odd", "--json"]).ok().json();
    assert!(found.to_string().contains("openvex.dev"), "{found}");
}

#[test]
fn damaged_data_changes_nothing_and_is_told() {
    let bench = Bench::start(MAYFLY);
    let good = archive(
        &bench,
        "good.zip",
        &[record("GHSA-x", "nothing", "9.0.0", DAY)],
    );
    bench.mayfly(&["db", "import", &good]).ok();
    let before = bench.mayfly(&["db", "status", "--json"]).ok().json();
    let bytes = fs::read(&good).expect("the archive");
    let cut = bench.home().join("cut.zip");
    fs::write(&cut, &bytes[..bytes.len() / 2]).expect("a file");
    let cut = cut.to_str().expect("UTF-8");
    refused(
        &bench.mayfly(&["db", "import", cut]),
        75,
        "no sound zip archive",
    );
    let none = bench.mayfly(&["db", "import", "/nowhere/all.zip"]);
    refused(&none, 2, "cannot be read");
    let after = bench.mayfly(&["db", "status", "--json"]).ok().json();
    assert_eq!(before["digest"], after["digest"]);
}

#[test]
fn data_is_fetched_by_url_and_an_unknown_ecosystem_is_told() {
    let bench = Bench::start(MAYFLY);
    let web = bench.home().join("web/npm");
    fs::create_dir_all(&web).expect("a folder");
    let made = archive(
        &bench,
        "npm.zip",
        &[record("GHSA-x", "nothing", "9.0.0", DAY)],
    );
    fs::rename(made, web.join("all.zip")).expect("moved");
    let (mut server, url) = web_server(&bench.home().join("web"));
    let update = bench.mayfly(&["db", "update", "npm", "--from", &url, "--json"]);
    let missing = bench.mayfly(&["db", "update", "Nowhere", "--from", &url]);
    server.kill().expect("it runs");
    server.wait().expect("it ended");
    assert_eq!(update.ok().json()["ecosystems"][0]["records"], 1);
    assert_ne!(missing.code, 0);
    assert!(
        missing.stderr.contains("is not there"),
        "{}",
        missing.stderr
    );
}

/// A web server over a folder, and its URL.
fn web_server(folder: &Path) -> (std::process::Child, String) {
    use std::io::BufRead;
    let script = "import http.server, sys, functools
h = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), h)
print(s.server_port, flush=True)
s.serve_forever()";
    let mut child = Process::new("python3")
        .args(["-c", script])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python runs");
    let mut line = String::new();
    let stdout = child.stdout.take().expect("its output");
    std::io::BufReader::new(stdout)
        .read_line(&mut line)
        .expect("a port");
    (child, format!("http://127.0.0.1:{}", line.trim()))
}

#[test]
fn the_policy_that_comes_with_mayfly_passes_its_own_tests_without_a_server() {
    let bench = Bench::at_rest(MAYFLY);
    let tested = bench.mayfly(&["policy", "test"]).ok();
    assert!(tested.stdout.contains("all well"), "{}", tested.stdout);
    let folder = AppFolder::new(
        "policies",
        &[
            (
                "a.rego",
                "package mayfly\ndeny contains {\"rule\": \"a\", \"msg\": \"no\"} if input.x == 1\n",
            ),
            (
                "a_test.rego",
                "package a_test\nimport data.mayfly\ntest_a if count(mayfly.deny) == 1 with input as {\"x\": 2}\n",
            ),
        ],
    );
    let path = folder.path().to_str().expect("UTF-8");
    refused(&bench.mayfly(&["policy", "test", path]), 1, "FAIL");
    folder.write(
        "a.rego",
        "package mayfly\ndeny contains x if { nonsense(1) }\n",
    );
    refused(&bench.mayfly(&["policy", "test", path]), 1, "nonsense");
}

#[test]
fn a_servers_own_policy_decides_is_explained_and_rehearsed() {
    let own = AppFolder::new("policies", &[]);
    let folder = site("page");
    let export = own.path().to_str().expect("UTF-8").to_owned();
    let mut bench = Bench::start(MAYFLY);
    let run = bench.up(&folder).promoted().run.to_string();
    bench.mayfly(&["policy", "export", &export]).ok();
    let explained = bench.mayfly(&["policy", "explain", &run]).ok().stdout;
    assert!(
        explained.contains("scan.skipped") && explained.contains("vulnerabilities.rego"),
        "{explained}"
    );

    own.write("pages.rego", "package mayfly\n
deny contains {\"rule\": \"pages\", \"msg\": \"no pages today\", \"next\": \"come back tomorrow\"} if input.app.kind == \"static\"\n");
    let rehearsal = bench.mayfly(&["policy", "rehearse", &export, "--json"]);
    let told = rehearsal.json();
    let flips = told["flips"].as_array().expect("flips");
    assert!(
        flips.iter().any(|flip| flip["name"]
            .as_str()
            .is_some_and(|name| name.contains(&run))),
        "{told}"
    );
    // A rule that looks for what is bad falls silent when that is missing.
    assert_eq!(rehearsal.code, 3, "{told}");

    bench.kill_daemon();
    bench.serve_with(&["--port", "0", "--policy", &export]);
    let failure = blocked(&bench.up(&folder));
    assert_eq!(
        failure.hint.as_deref(),
        Some("come back tomorrow"),
        "{failure:?}"
    );
    let history = bench.mayfly(&["audit"]).ok().stdout;
    assert_eq!(history.matches("policy loaded").count(), 2, "{history}");
}

#[test]
fn an_app_whose_time_is_up_is_destroyed_and_comes_back_with_a_new_end() {
    let bench = Bench::start(MAYFLY);
    let folder = site("brief");
    bench.up_with(&folder, &["--ttl", "1s"]).promoted();
    eventually("the app is destroyed", Duration::from_secs(60), || {
        let list = bench.mayfly(&["list", "--json"]).ok().json();
        (list[0]["state"] == "destroyed").then_some(())
    });
    refused(&bench.mayfly(&["restore", "brief"]), 2, "--ttl");
    let result = bench.up_with(&folder, &["--ttl", "1h"]).promoted();
    assert_eq!(bench.get("brief", "/").text(), "<h1>here</h1>");
    assert_eq!(result.outcome, Outcome::Promoted);
}

#[test]
fn a_malicious_package_is_refused_before_anything_of_it_is_installed() {
    let bench = Bench::start(MAYFLY);
    let folder = app_with_package("odd");
    let mut harmful = record("MAL-2026-1", "is-odd", "9.9.9", DAY);
    harmful["affected"][0]["versions"] = json!(["3.0.1"]);
    let harmful = archive(&bench, "harmful.zip", &[harmful]);
    bench.mayfly(&["db", "import", &harmful]).ok();
    let up = bench.up(&folder);
    let failure = blocked(&up);
    assert_eq!(failure.stage, Some(Stage::Build));
    let finding = &failure.findings[0];
    assert_eq!(finding.rule_id, "MAL-2026-1");
    assert_eq!(finding.file, "package.json");
    let told = format!("{up:?}");
    assert!(!told.contains("install 2"), "{told}");
    // The control: nothing else is wrong with it.
    let harmless = archive(
        &bench,
        "harmless.zip",
        &[record("GHSA-x", "nothing", "1.0.0", DAY)],
    );
    bench
        .mayfly(&["db", "import", "--any-change", &harmless])
        .ok();
    bench.up(&folder).promoted();
}

#[test]
fn a_name_that_the_registry_does_not_know_stops_the_run_with_its_place() {
    let bench = Bench::start(MAYFLY);
    let folder = server("odd", HARMLESS);
    let name = "mayfly-has-no-package-of-this-name";
    folder.write(
        "package.json",
        &format!("{{\"dependencies\": {{\n\"{name}\": \"1.0.0\"\n}}}}"),
    );
    let failure = blocked(&bench.up(&folder));
    let finding = &failure.findings[0];
    assert_eq!(
        (finding.file.as_str(), finding.line),
        ("package.json", 2),
        "{failure:#?}"
    );
    assert!(
        finding.blocks && finding.gate.as_str() == "dependencies",
        "{finding:#?}"
    );
}

#[test]
fn a_failing_test_of_the_app_ends_the_run_and_the_release_before_serves_on() {
    let bench = Bench::start(MAYFLY);
    let folder = server("sum", HARMLESS);
    folder.write(
        "sum.test.js",
        "const test = require('node:test');
const assert = require('node:assert');
test('adds', () => assert.equal(1 + 1, 2));\n",
    );
    folder.write("package.json", r#"{"scripts": {"test": "node --test"}}"#);
    let first = up_as_creator(&bench, &folder).promoted();
    assert!(
        first
            .warnings
            .iter()
            .all(|warning| warning.rule != "tests.none"),
        "{first:#?}"
    );
    let found = bench.mayfly(&["verify", "sum", "--json"]).ok().json();
    assert!(
        found
            .to_string()
            .contains("in-toto.io/attestation/test-result"),
        "{found}"
    );

    folder.edit("sum.test.js", "1 + 1, 2", "1 + 1, 3");
    let up = up_as_creator(&bench, &folder);
    let result = up.result();
    let failure = result.error.clone().expect("why");
    assert_eq!(
        (up.code, failure.code),
        (1, FailureCode::TestsFailed),
        "{result:#?}"
    );
    assert_eq!(failure.stage, Some(Stage::Tests));
    assert!(
        format!("{:?}", failure.findings).contains("adds"),
        "{failure:#?}"
    );
    assert_eq!(bench.get("sum", "/").text(), "served");

    bench.mayfly(&exemption("tests.failed", "sum", "1d")).ok();
    up_as_creator(&bench, &folder).promoted();
}

#[test]
fn an_app_without_tests_is_told_once_and_goes_up() {
    let bench = Bench::start(MAYFLY);
    let result = bench.up(&site("page")).promoted();
    let none = |message: &&model::policy::Message| message.rule == "tests.none";
    assert_eq!(
        result.warnings.iter().filter(none).count(),
        1,
        "{result:#?}"
    );
}
