//! `mayfly check`, which needs no server.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::AppFolder;

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

const INJECTION: &str = "import sqlite3
from flask import Flask, request

app = Flask(__name__)


def rows(name):
    db = sqlite3.connect('shop.db')
    return db.execute(f\"select * from orders where name = '{name}'\").fetchall()


@app.get('/orders')
def orders():
    name = request.args['name']
    return {'orders': rows(name)}
";

/// The same without its fault.
fn good() -> String {
    INJECTION.replace(
        "f\"select * from orders where name = '{name}'\"",
        "'select * from orders where name = ?', (name,)",
    )
}

/// Made up here, so that no scanner takes this file for a leak.
fn secret() -> String {
    ["AKIA", "QX7RJ2LMNP4TVWZ3"].concat()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let settings = [
        "user.name=t",
        "user.email=t@example.org",
        "init.defaultBranch=main",
    ];
    let settings = settings.iter().flat_map(|setting| ["-c", setting]);
    let done = Command::new("git")
        .args(settings)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{arguments:?}: {told}");
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

fn commit_all(folder: &AppFolder, message: &str) -> String {
    git(folder.path(), &["add", "-f", "."]);
    git(folder.path(), &["commit", "-q", "-m", message]);
    git(folder.path(), &["rev-parse", "HEAD"])
}

fn findings(told: &Value) -> &Vec<Value> {
    told["findings"].as_array().expect("findings")
}

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn check(folder: &AppFolder, arguments: &[&str]) -> Ended {
    let ended = Command::new(MAYFLY)
        .arg("check")
        .arg(folder.path())
        .args(arguments)
        // What is kept goes with the folder.
        .env("XDG_CACHE_HOME", folder.path().with_extension("cache"))
        .output()
        .expect("mayfly runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ended {
        code: ended.status.code(),
        stdout: text(ended.stdout),
        stderr: text(ended.stderr),
    }
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr))
}

#[test]
fn a_fault_that_blocks_is_told_with_its_place_its_way_and_how_to_mend_it() {
    let folder = AppFolder::new("shop", &[("app.py", INJECTION)]);
    let told = check(&folder, &[]);
    assert_eq!(told.code, Some(3), "{}{}", told.stdout, told.stderr);
    for part in ["app.py:9: blocks", "via app.py:14", "mend: "] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    let object = json(&check(&folder, &["--json"]));
    let finding = &object["findings"][0];
    assert_eq!((&finding["cwe"], &finding["line"]), (&89.into(), &9.into()));
    assert_eq!(object["routes"][0]["path"], "/orders");
    let sarif = json(&check(&folder, &["--sarif"]));
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["level"], "error");
}

#[test]
fn an_app_without_faults_passes() {
    let folder = AppFolder::new("shop", &[("app.py", &good())]);
    let told = check(&folder, &[]);
    assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
}

#[test]
fn a_secret_is_found_and_never_shown() {
    let secret = secret();
    let code = format!("const key = '{secret}'\n");
    let folder = AppFolder::new("shop", &[("index.js", &code)]);
    let told = check(&folder, &[]);
    assert_eq!(told.code, Some(3), "{}{}", told.stdout, told.stderr);
    assert!(!told.stdout.contains(&secret), "{}", told.stdout);
}

#[test]
fn a_file_that_ends_its_reader_is_a_finding_and_the_rest_is_read() {
    let nested = format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
    let folder = AppFolder::new("shop", &[("app.py", INJECTION), ("deep.js", &nested)]);
    let told = json(&check(&folder, &["--json"]));
    let findings = told["findings"].as_array().expect("findings");
    let of = |file: &str| findings.iter().any(|finding| finding["file"] == file);
    assert!(of("app.py") && of("deep.js"), "{told}");
}

#[test]
fn a_block_names_its_exemption_and_a_check_says_what_it_did_not_look_at() {
    let folder = AppFolder::new("shop", &[("app.py", INJECTION)]);
    let told = check(&folder, &[]);
    for part in [
        "exempt: mayfly exempt f-",
        "--app shop --until DATE --reason TEXT",
        "somebody other than the app's creator",
        "dependency names: not checked (no registry is asked without a server)",
        "known vulnerabilities: not checked",
        "history: not scanned (the folder is in no repository)",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    let object = json(&check(&folder, &["--json"]));
    let exemption = object["exemption"].as_str().expect("an exemption");
    assert!(exemption.contains("FINGERPRINT"), "{object}");
    assert_eq!(object["history"]["state"], "not_scanned");
}

#[test]
fn every_finding_has_every_field() {
    let code = "import requests\nrequests.get('https://a.example', verify=False)\n";
    let folder = AppFolder::new("shop", &[("app.py", INJECTION), ("get.py", code)]);
    let told = json(&check(&folder, &["--json"]));
    let fields = [
        "fingerprint",
        "gate",
        "rule_id",
        "severity",
        "confidence",
        "blocks",
        "cwe",
        "file",
        "line",
        "column",
        "end",
        "snippet",
        "trace",
        "why",
        "fix",
        "purl",
        "path",
        "aliases",
        "introduced_by_this_change",
        "retryable",
        "next",
    ];
    assert_eq!(findings(&told).len(), 2, "{told}");
    for finding in findings(&told) {
        let finding = finding.as_object().expect("an object");
        let missing = fields.iter().filter(|field| !finding.contains_key(**field));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());
        assert_eq!(finding.len(), fields.len(), "{finding:?}");
    }
    let fixes = findings(&told).iter().map(|finding| &finding["fix"]);
    let mechanical = fixes.filter(|fix| fix["kind"] == "replace");
    for field in ["kind", "safety", "from", "to", "patch", "file_digest"] {
        assert!(mechanical.clone().all(|fix| fix[field].is_string()));
    }
    assert_eq!(mechanical.count(), 1, "{told}");
}

#[test]
fn files_that_did_not_change_are_not_read_again() {
    let folder = AppFolder::new("shop", &[("app.py", INJECTION), ("other.py", "x = 1\n")]);
    let first = json(&check(&folder, &["--json"]));
    let again = json(&check(&folder, &["--json"]));
    assert_eq!((&first["known"], &again["known"]), (&0.into(), &2.into()));
    assert_eq!(first["findings"], again["findings"]);
    folder.write("app.py", &good());
    let mended = json(&check(&folder, &["--json"]));
    assert_eq!(mended["known"], 1);
    assert!(findings(&mended).is_empty(), "{mended}");
}

#[test]
fn what_is_known_is_not_believed_when_others_could_have_written_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = AppFolder::new("shop", &[("app.py", INJECTION)]);
    check(&folder, &["--json"]);
    let caches = folder.path().with_extension("cache").join("mayfly");
    let files = std::fs::read_dir(caches).expect("the caches").flatten();
    let mut kept = files.filter(|file| file.file_name().to_string_lossy().starts_with("checks-"));
    let kept = kept.next().expect("what is kept").path();
    let mode = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&kept, mode).expect("permissions");
    let told = json(&check(&folder, &["--json"]));
    assert_eq!(told["known"], 0);
    assert_eq!(json(&check(&folder, &["--json"]))["known"], 1);
}

#[test]
fn an_env_file_is_where_secrets_belong_until_it_is_committed() {
    let env = format!("AWS_KEY={}\n", secret());
    let folder = AppFolder::new("shop", &[("app.py", &good()), (".env", &env)]);
    git(folder.path(), &["init", "-q"]);
    git(folder.path(), &["add", "app.py"]);
    assert_eq!(check(&folder, &[]).code, Some(0));
    git(folder.path(), &["add", "-f", ".env"]);
    let told = check(&folder, &[]);
    assert_eq!(told.code, Some(3), "{}", told.stdout);
    assert!(
        told.stdout.contains(".env:1: blocks secret-aws"),
        "{}",
        told.stdout
    );
    assert!(!told.stdout.contains(&secret()));
}

#[test]
fn a_name_that_is_one_slip_from_a_popular_one_warns() {
    let files = [
        ("requirements.txt", "flask==3.0.0\nreqeusts\n"),
        (
            "package.json",
            "{\n  \"dependencies\": {\"expres\": \"^4\"}\n}\n",
        ),
        (
            "pyproject.toml",
            "[project]\nname = \"x\"\ndependencies = [\"python-dotnev\"]\n",
        ),
    ];
    let folder = AppFolder::new("shop", &files);
    let told = json(&check(&folder, &["--json"]));
    let near = findings(&told)
        .iter()
        .filter(|one| one["rule_id"] == "dependency-near-popular");
    let mut near: Vec<_> = near
        .map(|one| {
            (
                one["file"].as_str(),
                one["line"].as_u64(),
                one["fix"]["to"].as_str(),
            )
        })
        .collect();
    near.sort_unstable();
    let expected = [
        (Some("package.json"), Some(2), Some("express")),
        (Some("pyproject.toml"), Some(3), Some("python-dotenv")),
        (Some("requirements.txt"), Some(2), Some("requests")),
    ];
    assert_eq!(near, expected);
    assert!(findings(&told).iter().all(|one| one["blocks"] == false));
}
