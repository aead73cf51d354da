//! `mayfly check`, which needs no server.

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
    let good = INJECTION.replace(
        "f\"select * from orders where name = '{name}'\"",
        "'select * from orders where name = ?', (name,)",
    );
    let folder = AppFolder::new("shop", &[("app.py", &good)]);
    let told = check(&folder, &[]);
    assert_eq!(told.code, Some(0), "{}{}", told.stdout, told.stderr);
}

#[test]
fn a_secret_is_found_and_never_shown() {
    let secret = ["AKIA", "QX7RJ2LMNP4TVWZ3"].concat();
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
