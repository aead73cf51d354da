//! What vouches for a release: lists, signatures, provenance, the registry and the log, through the
//! real binary.

use std::fs;
use std::process::Command as Process;
use std::time::Duration;

use serde_json::Value;
use testkit::answer::Ask;
use testkit::{AppFolder, Bench, Command, eventually};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

fn site(name: &str) -> AppFolder {
    AppFolder::new(name, &[("index.html", "<h1>version A</h1>")])
}

/// A daemon with one release of the app `shop`.
fn shop() -> (Bench, AppFolder) {
    let bench = Bench::start(MAYFLY);
    let folder = site("shop");
    bench.up(&folder).promoted();
    (bench, folder)
}

fn verified(bench: &Bench, image: &str) -> Value {
    bench.mayfly(&["verify", image, "--json"]).ok().json()
}

fn kinds(verification: &Value) -> Vec<String> {
    let rows = verification["report"]["rows"].as_array().expect("rows");
    let mut kinds: Vec<_> = rows
        .iter()
        .map(|row| row["kind"].as_str().expect("a kind").to_owned())
        .collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

/// Runs statements in the ledger, as somebody with access to its file would.
fn meddle(bench: &Bench, statements: &str) {
    let script = "import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.executescript(sys.argv[2])
d.commit()";
    let done = Process::new("python3")
        .args(["-c", script])
        .arg(bench.home().join("ledger.db"))
        .arg(statements)
        .output()
        .expect("python runs");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{told}");
}

fn failed(command: Command, code: i32, word: &str) {
    let told = format!("{}\n{}", command.stdout, command.stderr);
    assert_eq!(command.code, code, "{told}");
    assert!(told.contains(word), "{word}: {told}");
}

#[test]
fn every_release_verifies_by_name_and_digest_and_a_person_reads_why() {
    let (bench, _folder) = shop();
    let found = verified(&bench, "shop");
    assert_eq!(found["verified"], true, "{found}");
    assert_eq!(
        kinds(&found),
        [
            "https://cyclonedx.org/bom",
            "https://sigstore.dev/cosign/sign/v1",
            "https://slsa.dev/provenance/v1",
            "https://slsa.dev/verification_summary/v1",
            "https://spdx.dev/Document",
        ]
    );
    let status = bench.mayfly(&["status", "shop", "--json"]).ok().json();
    let digest = status["releases"][0]["digest"]
        .as_str()
        .expect("a digest")
        .to_owned();
    assert_eq!(found["image"], digest.as_str());
    let by_digest = format!("shop@{digest}");
    assert_eq!(verified(&bench, &by_digest)["verified"], true);
    let offline = bench.mayfly(&["verify", "shop", "--offline"]).ok();
    assert!(
        offline.stdout.contains("transparency log"),
        "{}",
        offline.stdout
    );
    assert!(offline.stdout.ends_with("verified\n"), "{}", offline.stdout);
    let other = format!("shop@sha256:{}", "0".repeat(64));
    failed(bench.mayfly(&["verify", &other]), 2, "no release");
    failed(bench.mayfly(&["verify", "shop@sha256:zz"]), 2, "no digest");
    failed(bench.mayfly(&["verify", "nobody"]), 2, "nobody");
}

#[test]
fn provenance_names_the_folder_and_says_that_this_machine_built_it() {
    let (bench, folder) = shop();
    let export = bench.home().join("export");
    let export = export.to_str().expect("UTF-8");
    bench.mayfly(&["audit", "export", export]).ok();
    let bundle = format!("{export}/releases/shop.r1/slsa-provenance.sigstore.json");
    let bundle: Value =
        serde_json::from_str(&fs::read_to_string(bundle).expect("a bundle")).expect("JSON");
    let payload = bundle["dsseEnvelope"]["payload"]
        .as_str()
        .expect("a payload");
    let statement = decode(payload);
    let definition = &statement["predicate"]["buildDefinition"];
    assert_eq!(definition["externalParameters"]["app"], "shop");
    assert_eq!(definition["internalParameters"]["placement"], "local");
    assert_eq!(definition["resolvedDependencies"][0]["name"], "source");
    drop(folder);
}

fn decode(payload: &str) -> Value {
    let script = "import base64, sys; sys.stdout.write(base64.b64decode(sys.argv[1]).decode())";
    let done = Process::new("python3")
        .args(["-c", script, payload])
        .output();
    serde_json::from_slice(&done.expect("python runs").stdout).expect("a statement")
}

#[test]
fn a_bill_is_the_document_that_was_signed_and_two_releases_are_compared() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new(
        "api",
        &[
            (
                "server.js",
                "require('http').createServer((q, a) => a.end('ok')).listen(process.env.PORT)",
            ),
            ("package.json", r#"{"dependencies": {}}"#),
        ],
    );
    bench.up(&folder).promoted();
    let spdx = bench.mayfly(&["sbom", "api", "--format", "spdx"]).ok();
    assert_eq!(spdx.json()["spdxVersion"], "SPDX-2.3");
    let again = bench
        .mayfly(&["sbom", "api", "--format", "spdx", "--release", "1"])
        .ok();
    assert_eq!(
        again.stdout, spdx.stdout,
        "equal images give equal documents"
    );
    let cyclonedx = bench
        .mayfly(&["sbom", "api", "--format", "cyclonedx"])
        .ok()
        .json();
    assert_eq!(cyclonedx["specVersion"], "1.6");
    let list = bench.mayfly(&["sbom", "api"]).ok().stdout;
    assert!(
        list.contains("libc6") && list.contains("installed"),
        "{list}"
    );
    folder.write("mayfly.toml", "[build]\npackages = [\"sqlite3\"]\n");
    bench.up(&folder).promoted();
    let diff = bench
        .mayfly(&["sbom", "api", "--diff", "1", "--json"])
        .ok()
        .json();
    let added = diff["added"].to_string();
    assert!(added.contains("sqlite3"), "{diff}");
}

#[test]
fn a_static_site_runs_on_mayfly_and_does_not_hold_it() {
    let (bench, _folder) = shop();
    let found = bench.mayfly(&["sbom", "shop", "--json"]).ok().json();
    let packages = found["packages"].as_array().expect("packages");
    let mayfly = packages.iter().find(|one| one["name"] == "mayfly");
    assert_eq!(mayfly.expect("mayfly")["presence"], "runtime");
}

#[test]
fn what_was_signed_stays_good_after_a_rotation_and_not_after_a_revocation() {
    let (bench, folder) = shop();
    let first = bench.mayfly(&["key", "list", "--json"]).ok().json()[0]["id"].clone();
    bench.mayfly(&["key", "rotate"]).ok();
    let second = bench.mayfly(&["key", "list", "--json"]).ok().json()[1]["id"].clone();
    assert_ne!(first, second);
    assert_eq!(
        verified(&bench, "shop")["verified"],
        true,
        "the log proves its time"
    );
    folder.edit("index.html", "version A", "version B");
    bench.up(&folder).promoted();
    let text = verified(&bench, "shop").to_string();
    let id = second.as_str().expect("an id");
    assert!(text.contains(id), "the new key signs: {text}");
    let revoke = [
        "key",
        "revoke",
        first.as_str().expect("an id"),
        "--from",
        "1h",
    ];
    bench.mayfly(&revoke).ok();
    failed(
        bench.mayfly(&["verify", "shop", "--release", "1"]),
        3,
        "revoked",
    );
    assert_eq!(verified(&bench, "shop")["verified"], true);
    let status = bench.mayfly(&["status", "shop", "--json"]).ok().json();
    let notices = status["notices"].to_string();
    assert!(
        notices.contains("revoked") && notices.contains(": 1;"),
        "{notices}"
    );
    failed(
        bench.mayfly(&["rollback", "shop", "--to", "1"]),
        3,
        "does not verify",
    );
    assert_eq!(bench.get("shop", "/").text(), "<h1>version B</h1>");
    bench.mayfly(&["key", "revoke"]).ok();
    assert_eq!(
        verified(&bench, "shop")["verified"],
        true,
        "it was signed before"
    );
    bench.mayfly(&["key", "revoke", id, "--from", "1h"]).ok();
    let again = bench.up(&folder).promoted();
    assert_eq!(
        again.release.map(|release| release.get()),
        Some(3),
        "signed anew"
    );
    assert_eq!(verified(&bench, "shop")["verified"], true);
    let told = bench.mayfly(&["audit", "--json"]).ok().stdout;
    assert_eq!(told.matches("\"key_begun\"").count(), 3, "{told}");
    assert_eq!(told.matches("\"key_revoked\"").count(), 3, "{told}");
}

#[test]
fn a_document_that_was_changed_on_disk_is_found_and_its_release_cannot_come_back() {
    let (bench, folder) = shop();
    folder.edit("index.html", "version A", "version B");
    bench.up(&folder).promoted();
    assert_eq!(verified(&bench, "shop")["verified"], true);
    let blobs = bench.home().join("blobs/sha256");
    let mut changed = 0;
    for folder in fs::read_dir(blobs).expect("blobs").flatten() {
        for blob in fs::read_dir(folder.path()).expect("blobs").flatten() {
            let bytes = fs::read(blob.path()).expect("a blob");
            let text = String::from_utf8_lossy(&bytes);
            if text.contains("dsseEnvelope") {
                fs::write(blob.path(), text.replacen('A', "B", 1)).expect("written");
                changed += 1;
            }
        }
    }
    assert!(changed >= 8, "{changed}");
    failed(bench.mayfly(&["verify", "shop"]), 1, "damaged");
    failed(
        bench.mayfly(&["rollback", "shop", "--to", "1"]),
        1,
        "damaged",
    );
}

#[test]
fn a_changed_row_of_the_ledger_is_found_wherever_it_is() {
    for (statements, word) in [
        (
            "DROP TRIGGER events_never_change;
             UPDATE events SET canonical = replace(canonical, '\"shop\"', '\"shoq\"') WHERE seq = 3;",
            "3",
        ),
        (
            "DROP TRIGGER events_never_change; UPDATE events SET app = 'other' WHERE seq = 3;",
            "row 3",
        ),
        (
            "DROP TRIGGER events_never_go;
             DELETE FROM events WHERE seq = (SELECT MAX(seq) FROM events);",
            "entries",
        ),
        (
            "UPDATE releases SET image_record = replace(image_record, 'sha256:', 'sha256:') ,
             verification = 'sha256:0000000000000000000000000000000000000000000000000000000000000000';",
            "release of `shop`: 1",
        ),
        ("DELETE FROM evidence WHERE stage = 'sign';", "evidence of `shop`"),
        ("UPDATE apps SET stable = NULL;", "another release of `shop` serves"),
        ("DELETE FROM runs;", "run of `shop`"),
    ] {
        let (bench, _folder) = shop();
        let whole = bench.mayfly(&["audit", "verify"]).ok().stdout;
        assert!(whole.contains("agree"), "{whole}");
        meddle(&bench, statements);
        failed(bench.mayfly(&["audit", "verify"]), 3, word);
    }
}

#[test]
fn a_log_that_was_made_anew_is_refused_by_who_has_seen_the_old_one() {
    let (mut bench, _folder) = shop();
    bench.mayfly(&["verify", "shop"]).ok();
    assert_eq!(bench.mayfly(&["stop"]).code, 0);
    bench.daemon_ended();
    for gone in ["transparency", "keys/log.pem"] {
        let path = bench.home().join(gone);
        match path.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        }
        .expect("removed");
    }
    bench.serve();
    failed(bench.mayfly(&["verify", "shop"]), 3, "not what it was");
    failed(bench.mayfly(&["audit", "verify"]), 3, "another log");
    bench.mayfly(&["audit", "trust"]).ok();
    bench.mayfly(&["audit", "verify"]).ok();
}

#[test]
fn a_log_whose_files_are_damaged_comes_back_from_the_ledger_as_it_was() {
    let (mut bench, _folder) = shop();
    bench.mayfly(&["verify", "shop"]).ok();
    let checkpoint = bench.home().join("transparency/checkpoint");
    let promised = fs::read_to_string(&checkpoint).expect("a checkpoint");
    bench.kill_daemon();
    let tiles = bench.home().join("transparency/tile");
    for file in walk(&tiles) {
        let bytes = fs::read(&file).expect("a tile");
        fs::write(&file, &bytes[..bytes.len() / 2]).expect("written");
    }
    bench.serve();
    bench.mayfly(&["audit", "verify"]).ok();
    let now = fs::read_to_string(&checkpoint).expect("a checkpoint");
    let lines = |text: &str| text.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&now)[0], lines(&promised)[0]);
    bench.mayfly(&["verify", "shop"]).ok();
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        match entry.path().is_dir() {
            true => found.extend(walk(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

#[test]
fn every_event_is_in_the_log_after_a_kill_at_any_moment() {
    let (mut bench, folder) = shop();
    for round in 0..4 {
        folder.write("index.html", &format!("<h1>round {round}</h1>"));
        let path = folder.path().to_str().expect("UTF-8").to_owned();
        let mut up = bench.spawn(&["up", &path, "--json"]);
        std::thread::sleep(Duration::from_millis(40 * round));
        bench.kill_daemon();
        up.wait().expect("its end");
        bench.serve();
        bench.mayfly(&["audit", "verify"]).ok();
    }
    folder.write("index.html", "<h1>the end</h1>");
    bench.up(&folder).promoted();
    assert_eq!(verified(&bench, "shop")["verified"], true);
}

#[test]
fn the_export_verifies_without_mayfly_and_not_when_anything_in_it_was_changed() {
    let (bench, _folder) = shop();
    let place = bench.home().join("export");
    let folder = place.to_str().expect("UTF-8");
    bench.mayfly(&["audit", "export", folder]).ok();
    failed(
        bench.mayfly(&["audit", "export", folder]),
        2,
        "not an empty folder",
    );
    let run = |program: &str, arguments: &[&str]| {
        let done = Process::new(program)
            .args(arguments)
            .current_dir(&place)
            .output();
        done.unwrap_or_else(|error| panic!("{program}: {error}"))
            .status
            .success()
    };
    let openssl = || {
        run(
            "openssl",
            &[
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "log.pem",
                "-rawin",
                "-in",
                "checkpoint.body",
                "-sigfile",
                "checkpoint.sig",
            ],
        )
    };
    let python = || run("python3", &["verify.py"]);
    assert!(openssl() && python());
    for (file, check) in [
        ("checkpoint.body", &openssl as &dyn Fn() -> bool),
        ("entries.ndjson", &python),
        ("checkpoint", &python),
        ("releases/shop.r1/image.json", &python),
        ("releases/shop.r1/evidence.json", &python),
        ("releases/shop.r1/spdx.sigstore.json", &python),
    ] {
        let path = place.join(file);
        let whole = fs::read_to_string(&path).expect("a file");
        let changed = whole.replacen(['1', '2', '3', '4'], "5", 1);
        assert_ne!(changed, whole, "{file}");
        fs::write(&path, changed).expect("written");
        assert!(!check(), "{file}");
        fs::write(&path, whole).expect("written");
        assert!(check(), "{file}");
    }
}

#[test]
fn no_name_and_no_user_is_told_by_an_entry_of_the_log_after_it_was_forgotten() {
    let (bench, _folder) = shop();
    let history = bench.mayfly(&["audit", "shop"]).ok().stdout;
    assert!(history.contains("by user 0"), "{history}");
    bench.mayfly(&["audit", "forget", "0"]).ok();
    let history = bench.mayfly(&["audit", "shop"]).ok().stdout;
    assert!(history.contains("somebody who was forgotten"), "{history}");
    bench.mayfly(&["audit", "verify"]).ok();
    let none = bench
        .mayfly(&["audit", "shop", "--since", "2100-01-01"])
        .ok()
        .stdout;
    assert_eq!(none.lines().count(), 1, "{none}");
}

/// The registry's address.
fn api(bench: &Bench) -> std::net::SocketAddr {
    let socket = api::paths::socket(bench.home());
    let stream = std::os::unix::net::UnixStream::connect(socket).expect("a socket");
    let answer = testkit::answer::over(stream, &Ask::get("mayfly", api::paths::HEALTH));
    let health: Value = serde_json::from_slice(&answer.expect("an answer").body).expect("JSON");
    health["api"]
        .as_str()
        .expect("an address")
        .parse()
        .expect("an address")
}

#[test]
fn images_are_pulled_with_a_token_by_release_branch_and_digest_and_never_pushed_over() {
    let (mut bench, folder) = shop();
    let registry = api(&bench);
    let host = registry.to_string();
    let ask = |path: &str, method: &str, headers: &[&str]| {
        Ask {
            method,
            headers,
            ..Ask::get(&host, path)
        }
        .send(registry)
        .expect("an answer")
    };
    let manifest = "/v2/apps/shop/manifests/r1";
    assert_eq!(ask(manifest, "GET", &[]).status, 401);
    let token = bench
        .mayfly(&["token", "issue", "--push", "--json"])
        .ok()
        .json();
    let secret = token["secret"].as_str().expect("a secret");
    let basic = basic(secret);
    let pulled = ask(manifest, "GET", &[&basic]);
    assert_eq!(pulled.status, 200, "{}", pulled.text());
    let digest = pulled
        .header("docker-content-digest")
        .expect("a digest")
        .to_owned();
    let referrers = ask(
        &format!("/v2/apps/shop/referrers/{digest}"),
        "GET",
        &[&basic],
    )
    .text();
    assert_eq!(
        referrers.matches("sigstore.bundle.v0.3").count(),
        5,
        "{referrers}"
    );
    let upload = ask(
        "/v2/apps/shop/blobs/uploads/",
        "POST",
        &[&basic, "Content-Length: 0"],
    );
    assert_eq!(upload.status, 403, "{}", upload.text());
    let open = ask(
        "/v2/team/shop/blobs/uploads/",
        "POST",
        &[&basic, "Content-Length: 0"],
    );
    assert_eq!(open.status, 202, "{}", open.text());
    let id = token["id"].as_str().expect("an id");
    bench.mayfly(&["token", "revoke", id]).ok();
    assert_eq!(ask(manifest, "GET", &[&basic]).status, 401);
    let list = bench.mayfly(&["token", "list"]).ok().stdout;
    assert!(list.contains("revoked") && !list.contains(secret), "{list}");
    assert_eq!(ask("/v1/log/checkpoint", "GET", &[]).status, 200);
    assert_eq!(
        ask("/v1/apps", "GET", &[]).status,
        404,
        "only the log is open"
    );
    git(&folder);
    folder.edit("index.html", "version A", "version B");
    bench.up(&folder).promoted();
    bench.mayfly(&["stop"]);
    bench.daemon_ended();
    bench.serve_with(&["--port", "0", "--anonymous-pull"]);
    let registry = api(&bench);
    let host = registry.to_string();
    let tags = Ask::get(&host, "/v2/apps/shop/tags/list")
        .send(registry)
        .expect("tags");
    let tags = tags.text();
    for tag in ["\"r1\"", "\"r2\"", "-main\""] {
        assert!(tags.contains(tag), "{tag}: {tags}");
    }
}

fn basic(secret: &str) -> String {
    let script = "import base64, sys; print(base64.b64encode(('u:' + sys.argv[1]).encode()).decode(), end='')";
    let done = Process::new("python3")
        .args(["-c", script, secret])
        .output();
    let encoded = String::from_utf8(done.expect("python runs").stdout).expect("text");
    format!("Authorization: Basic {encoded}")
}

fn git(folder: &AppFolder) {
    for arguments in [
        &["init", "-q", "-b", "main"][..],
        &["add", "."],
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "commit",
            "-q",
            "-m",
            "first",
        ],
    ] {
        let done = Process::new("git")
            .args(arguments)
            .current_dir(folder.path())
            .status();
        assert!(done.expect("git runs").success(), "{arguments:?}");
    }
}

#[test]
fn an_image_goes_to_another_registry_with_all_that_vouches_for_it_and_verifies_there() {
    let (here, _folder) = shop();
    let there = Bench::start(MAYFLY);
    let registry = api(&there);
    let token = there.mayfly(&["token", "issue", "--push"]).ok().stdout;
    let docker = there.home().join("docker");
    fs::create_dir(&docker).expect("a folder");
    let auth = basic(token.trim()).replace("Authorization: Basic ", "");
    let config = format!(r#"{{"auths": {{"{registry}": {{"auth": "{auth}"}}}}}}"#);
    fs::write(docker.join("config.json"), config).expect("written");
    let reference = format!("{registry}/team/shop");
    let command = |arguments: &[&str]| -> Command {
        let mut process = here.process(arguments);
        process
            .env("DOCKER_CONFIG", &docker)
            .output()
            .expect("the command")
            .into()
    };
    let pushed = command(&["push", "shop", &format!("{reference}:v1"), "--json"])
        .ok()
        .json();
    let digest = pushed["digest"].as_str().expect("a digest");
    assert!(pushed["manifests"].as_u64() >= Some(5), "{pushed}");
    let keys = here.home().join("exported-keys");
    let keys = keys.to_str().expect("UTF-8");
    here.mayfly(&["key", "export", "shop", "--to", keys]).ok();
    let key = format!("{keys}/mayfly.pub");
    let image = format!("{reference}@{digest}");
    let spdx = "https://spdx.dev/Document";
    let verify = ["verify", &image, "--key", &key, "--require", spdx];
    let told = command(&verify).ok().stdout;
    assert!(told.ends_with("verified\n"), "{told}");
    let stranger = format!("{keys}/stranger.pub");
    there.mayfly(&["key", "export", "--to", keys]).ok();
    fs::rename(&key, &stranger).expect("renamed");
    failed(
        command(&["verify", &image, "--key", &stranger]),
        3,
        "not verified",
    );
    failed(command(&["verify", &image]), 2, "--key");
    let without = here.mayfly(&["push", "shop", &reference]);
    failed(without, 75, "docker login");
    failed(command(&["push", "shop", "team/shop"]), 2, "HOST/NAME");
}

#[test]
fn an_app_that_is_gone_for_good_takes_its_repository_with_it_and_its_history_stays() {
    let (bench, _folder) = shop();
    bench
        .mayfly(&["destroy", "shop", "--confirm-destructive"])
        .ok();
    meddle(
        &bench,
        "UPDATE apps SET destroyed_at = 1 WHERE name = 'shop';",
    );
    eventually("the sweep removes it", Duration::from_secs(60), || {
        let list = bench.mayfly(&["list", "--json"]).ok().stdout;
        (!list.contains("shop")).then_some(())
    });
    let registry = api(&bench);
    let host = registry.to_string();
    let token = bench.mayfly(&["token", "issue"]).ok().stdout;
    let basic = basic(token.trim());
    let ask = Ask {
        headers: &[&basic],
        ..Ask::get(&host, "/v2/apps/shop/tags/list")
    };
    assert_eq!(ask.send(registry).expect("an answer").status, 404);
    let history = bench.mayfly(&["audit", "shop"]).ok().stdout;
    assert!(
        history.contains("removed") && history.contains("release created"),
        "{history}"
    );
    bench.mayfly(&["audit", "verify"]).ok();
}

#[test]
fn a_file_that_hides_packages_stops_the_run_and_is_named() {
    let bench = Bench::start(MAYFLY);
    let server = "import http.server, os
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()
";
    let hiding = "vendor/evil-1.0.dist-info/METADATA";
    let folder = AppFolder::new("hiding", &[("app.py", server), (hiding, "Nonsense")]);
    let up = bench.up(&folder);
    let failure = up.result().error.expect("it fails");
    assert_eq!(
        (up.code, failure.code),
        (3, model::FailureCode::NotVerified)
    );
    let why = failure.cause.join("\n");
    assert!(why.contains(hiding), "{why}");
    folder.write(hiding, "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n");
    bench.up(&folder).promoted();
    let list = bench.mayfly(&["sbom", "hiding"]).ok().stdout;
    assert!(list.contains("evil"), "{list}");
}

#[test]
fn a_policy_of_the_callers_decides_about_what_was_signed_and_a_bad_one_never_passes() {
    let (bench, _folder) = shop();
    let file = bench.home().join("mine.rego");
    let path = file.to_str().expect("UTF-8").to_owned();
    let ask = |policy: &str| {
        fs::write(&file, policy).expect("written");
        bench.mayfly(&["verify", "shop", "--policy", &path])
    };
    let hosted = r#"package mayfly
import rego.v1
built contains placement if {
    some said in input.verification.predicates
    said.kind == "https://slsa.dev/provenance/v1"
    placement := said.predicate.buildDefinition.internalParameters.placement
}
deny contains {"rule": "hosted", "msg": "it was built by whoever wrote it"} if not WANTED in built
"#;
    ask(&hosted.replace("WANTED", "\"local\"")).ok();
    failed(
        ask(&hosted.replace("WANTED", "\"hosted\"")),
        3,
        "it was built by whoever",
    );
    let refused = ask("package mayfly\ndeny contains 1 if nonsense(input)\n");
    assert_ne!(refused.code, 0, "{}", refused.stdout);
    let nothing = ask("");
    assert_ne!(nothing.code, 0, "{}", nothing.stdout);
}

#[test]
fn keyless_settings_that_cannot_be_used_stop_the_daemon_with_the_reason() {
    let bench = Bench::at_rest(MAYFLY);
    let file = bench.home().join("keyless.toml");
    fs::write(&file, "issuer = 1").expect("written");
    let path = file.to_str().expect("UTF-8");
    let refused = bench.mayfly(&["serve", "--port", "0", "--keyless", path]);
    failed(refused, 2, "keyless.toml");
}
