//! `mayfly check`, which needs no server.

#[path = "check/sarif.rs"]
mod sarif;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

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

#[test]
fn sarif_is_as_the_standard_demands_with_ways_fixes_and_identities() {
    let code = "import requests\nrequests.get('https://a.example', verify=False)\n";
    let files = [
        ("app.py", INJECTION),
        ("a b/ü.py", code),
        ("requirements.txt", "reqeusts\n"),
        (".env.local", "A=1\n"),
    ];
    let folder = AppFolder::new("shop", &files);
    let log = json(&check(&folder, &["--sarif"]));
    assert_eq!(sarif::faults(&log), Vec::<String>::new());
    let results = log["runs"][0]["results"].as_array().expect("results");
    let of = |uri: &str| {
        let found = results.iter().find(|result| {
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri
        });
        found.unwrap_or_else(|| panic!("{uri}: {log}"))
    };
    let flow = &of("app.py")["codeFlows"][0]["threadFlows"][0]["locations"];
    assert_eq!(
        flow[0]["location"]["physicalLocation"]["region"]["startLine"],
        14
    );
    let fix = &of("a%20b/%C3%BC.py")["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(fix["deletedRegion"]["startLine"], 2);
    assert_eq!(
        fix["insertedContent"]["text"],
        "requests.get('https://a.example', verify=True)"
    );
    let told = json(&check(&folder, &["--json"]));
    for (result, finding) in results.iter().zip(findings(&told)) {
        assert_eq!(
            result["partialFingerprints"]["mayfly/v1"],
            finding["fingerprint"]
        );
    }
    let empty = AppFolder::new("empty", &[("app.py", &good())]);
    let log = json(&check(&empty, &["--sarif"]));
    assert_eq!(sarif::faults(&log), Vec::<String>::new());
}

/// Two safe fixes in one file, one of them in a line with another finding's, and one to look at.
const MENDABLE: &str = "import requests
import yaml


def load(text):
    return yaml.load(text)


def pull(url, other):
    requests.get(url, verify=False); requests.get(other, verify=False)
    # Nothing here.
    #
    #
    #
    #
    #
    #
    return requests.post(url, verify=False)
";

#[test]
fn a_diff_shows_what_fixes_would_change_and_git_can_apply_it() {
    let folder = AppFolder::new(
        "shop",
        &[("app.py", MENDABLE), ("requirements.txt", "reqeusts")],
    );
    git(folder.path(), &["init", "-q"]);
    let told = check(&folder, &["--diff"]);
    let read = || std::fs::read_to_string(folder.path().join("app.py")).expect("the file");
    assert_eq!(read(), MENDABLE);
    std::fs::write(folder.path().join("../fix.diff"), &told.stdout).expect("a file");
    git(folder.path(), &["apply", "../fix.diff"]);
    let mended = read();
    // Of two alike in one line, each diff shows one.
    assert_eq!(mended.matches("verify=False").count(), 1, "{}", told.stdout);
    assert!(mended.contains("yaml.safe_load(text)"), "{mended}");
    let requirements = std::fs::read_to_string(folder.path().join("requirements.txt"));
    assert_eq!(requirements.expect("the file"), "requests");
    assert!(told.stderr.contains("warnings in"), "{}", told.stderr);
}

#[test]
fn fixes_that_are_safe_are_applied_and_the_rest_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = AppFolder::new(
        "shop",
        &[("app.py", MENDABLE), ("requirements.txt", "reqeusts\n")],
    );
    let app = folder.path().join("app.py");
    std::fs::set_permissions(&app, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let told = check(&folder, &["--fix"]);
    for part in [
        "fixed app.py:10",
        "fixed app.py:18",
        "`verify=False` → `verify=True`",
        "left requirements.txt:1 dependency-near-popular: somebody should look first",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
    assert_eq!(
        told.code,
        Some(0),
        "what blocked is mended: {}",
        told.stdout
    );
    let mended = MENDABLE
        .replace("verify=False", "verify=True")
        .replace("yaml.load(text)", "yaml.safe_load(text)");
    assert_eq!(std::fs::read_to_string(&app).expect("the file"), mended);
    let mode = std::fs::metadata(&app)
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o755);
    let told = json(&check(&folder, &["--fix", "--unsafe-fixes", "--json"]));
    assert_eq!(told["fixed"][0]["to"], "requests");
    assert!(findings(&told).is_empty(), "{told}");
    let requirements = std::fs::read_to_string(folder.path().join("requirements.txt"));
    assert_eq!(requirements.expect("the file"), "requests\n");
    let told = check(&folder, &["--fix"]);
    assert!(
        told.stdout.contains("nothing to fix mechanically"),
        "{}",
        told.stdout
    );
}

#[test]
fn a_secret_that_was_removed_is_told_with_its_commit_and_blocks_nothing() {
    let code = format!("key = '{}'\n", secret());
    let folder = AppFolder::new("shop", &[("app.py", &code)]);
    git(folder.path(), &["init", "-q"]);
    let first = commit_all(&folder, "first");
    let told = json(&check(&folder, &["--json"]));
    assert_eq!(told["history"]["state"], "scanned");
    assert_eq!(told["history"]["commits"], 1);
    assert_eq!(
        told["history"]["secrets"],
        Value::Array(vec![]),
        "it is told once"
    );
    folder.write("app.py", "import os\nkey = os.environ['KEY']\n");
    commit_all(&folder, "second");
    let ended = check(&folder, &["--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    assert!(!ended.stdout.contains(&secret()));
    let told = json(&ended);
    assert_eq!(told["history"]["commits"], 2);
    let old = &told["history"]["secrets"][0];
    assert_eq!(
        (&old["commit"], &old["file"]),
        (&first.into(), &"app.py".into())
    );
    let finding = &findings(&told)[0];
    assert_eq!(finding["rule_id"], "secret-aws-in-history");
    assert_eq!(finding["fingerprint"], old["fingerprint"]);
    assert_eq!(finding["blocks"], false);
    assert!(
        finding["next"]
            .as_str()
            .is_some_and(|next| next.contains("revoke"))
    );
    let again = json(&check(&folder, &["--json"]));
    assert_eq!(
        again["history"], told["history"],
        "what is known is told again"
    );
}

#[test]
fn a_secret_on_another_branch_or_brought_by_a_merge_is_found_and_one_beside_the_folder_is_not() {
    let other = ["ghp_", "a8Kd02LqZx7Rt5Wm1Vn9Yb3Hc6Jg4Pfa8Kd0"].concat();
    let third = ["glpat-", "a8Kd02LqZx7Rt5Wm1Vn9"].concat();
    let folder = AppFolder::new(
        "all",
        &[("shop/app.py", "x = 1\n"), ("beside.py", "y = 1\n")],
    );
    let path = folder.path();
    git(path, &["init", "-q"]);
    commit_all(&folder, "first");
    git(path, &["checkout", "-q", "-b", "side"]);
    folder.write("shop/b.py", &format!("t = '{}'\n", &other[..40]));
    folder.write("beside.py", &format!("k = '{}'\n", secret()));
    commit_all(&folder, "side");
    git(path, &["rm", "-q", "shop/b.py"]);
    commit_all(&folder, "gone");
    git(path, &["checkout", "-q", "main"]);
    folder.write("shop/app.py", "x = 2\n");
    commit_all(&folder, "main");
    git(path, &["merge", "-q", "--no-commit", "side"]);
    folder.write("shop/app.py", &format!("t = '{third}'\n"));
    commit_all(&folder, "merge");
    folder.write("shop/app.py", "x = 3\n");
    commit_all(&folder, "mended");
    let told = Command::new(MAYFLY)
        .args(["check", "--json"])
        .arg(path.join("shop"))
        .env("XDG_CACHE_HOME", path.with_extension("cache"))
        .output()
        .expect("mayfly runs");
    let told: Value = serde_json::from_slice(&told.stdout).expect("an object");
    let secrets = told["history"]["secrets"].as_array().expect("a list");
    let mut found: Vec<_> = secrets
        .iter()
        .filter_map(|one| Some((one["file"].as_str()?, one["rule_id"].as_str()?)))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [("app.py", "secret-gitlab"), ("b.py", "secret-github")],
        "{told}"
    );
}

#[test]
fn a_history_that_cannot_be_looked_at_is_said_to_be_so() {
    let folder = AppFolder::new("shop", &[("app.py", &good())]);
    let why = |folder: &AppFolder, arguments: &[&str]| {
        let told = json(&check(folder, &[&["--json"], arguments].concat()));
        assert_eq!(told["history"]["state"], "not_scanned", "{told}");
        told["history"]["why"]
            .as_str()
            .expect("a reason")
            .to_owned()
    };
    assert!(why(&folder, &[]).contains("no repository"));
    git(folder.path(), &["init", "-q"]);
    commit_all(&folder, "first");
    folder.write("app.py", "x = 1\n");
    commit_all(&folder, "second");
    assert!(why(&folder, &["--history-seconds", "0"]).contains("no time"));
    let clone = AppFolder::new("clone", &[]);
    let source = format!("file://{}", folder.path().display());
    git(clone.path(), &["clone", "-q", "--depth", "1", &source, "."]);
    assert!(why(&clone, &[]).contains("shallow"));
    let without_git = Command::new(MAYFLY)
        .args(["check", "--json"])
        .arg(folder.path())
        .env("XDG_CACHE_HOME", folder.path().with_extension("cache"))
        .env("PATH", "/nowhere")
        .output()
        .expect("mayfly runs");
    let told: Value = serde_json::from_slice(&without_git.stdout).expect("an object");
    assert_eq!(told["history"]["why"], "git is not installed");
}

/// A history of so many commits, each with a file of some kilobytes.
fn long_history(folder: &AppFolder, commits: usize) {
    git(folder.path(), &["init", "-q"]);
    let mut import = Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("git runs");
    let stdin = import.stdin.take().expect("its input");
    let mut stdin = std::io::BufWriter::new(stdin);
    let filler = "value = compute(1, 2, 3)  # nothing to see here\n".repeat(40);
    for number in 0..commits {
        let text = format!("# {number}\n{filler}");
        let time = 1_600_000_000 + number;
        write!(
            stdin,
            "commit refs/heads/main\ncommitter t <t@example.org> {time} +0000\ndata 1\nm\n\
             M 100644 inline f{}.py\ndata {}\n{text}\n",
            number % 100,
            text.len()
        )
        .expect("written");
    }
    drop(stdin.into_inner().expect("written"));
    assert!(import.wait().expect("an end").success());
}

#[test]
fn a_history_of_a_hundred_thousand_commits_ends_in_time_and_says_how_far_it_came() {
    let folder = AppFolder::new("shop", &[("app.py", &good())]);
    long_history(&folder, 100_000);
    let began = Instant::now();
    let told = json(&check(&folder, &["--json", "--history-seconds", "1"]));
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let history = &told["history"];
    assert_eq!(history["state"], "partly", "{history}");
    let commits = history["commits"].as_u64().expect("a number");
    assert!(commits > 0 && commits < 100_000, "{history}");
    assert!(
        history["why"]
            .as_str()
            .is_some_and(|why| why.contains("the time was up"))
    );
    let further = json(&check(&folder, &["--json", "--history-seconds", "1"]));
    assert!(further["history"]["commits"].as_u64().expect("a number") > commits);
}

#[test]
fn what_is_staged_is_looked_at_and_not_what_lies_there() {
    let folder = AppFolder::new("shop", &[("app.py", &good())]);
    git(folder.path(), &["init", "-q"]);
    assert_eq!(
        check(&folder, &["--staged"]).code,
        Some(0),
        "nothing is staged"
    );
    folder.write("app.py", INJECTION);
    git(folder.path(), &["add", "app.py"]);
    folder.write("app.py", &good());
    assert_eq!(check(&folder, &[]).code, Some(0));
    let told = check(&folder, &["--staged"]);
    assert_eq!(told.code, Some(3), "{}", told.stdout);
    assert!(told.stdout.contains("app.py:9: blocks"), "{}", told.stdout);
    git(folder.path(), &["add", "app.py"]);
    folder.write("app.py", INJECTION);
    assert_eq!(check(&folder, &["--staged"]).code, Some(0));
    let again = json(&check(&folder, &["--staged", "--json"]));
    assert_eq!((&again["files"], &again["known"]), (&1.into(), &1.into()));
}

/// Commits what is staged as a person does, with this program in reach of hooks.
fn try_commit(folder: &Path, arguments: &[&str]) -> Ended {
    let bin = Path::new(MAYFLY).parent().expect("a folder");
    let path = std::env::var("PATH").expect("a path");
    let ended = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.org"])
        .args(["commit", "-m", "message"])
        .args(arguments)
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("XDG_CACHE_HOME", folder.with_extension("cache"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .expect("git runs");
    Ended {
        code: ended.status.code(),
        stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
    }
}

#[test]
fn a_hook_stops_commits_that_block_and_can_be_skipped() {
    let folder = AppFolder::new("shop", &[("app.py", INJECTION)]);
    git(folder.path(), &["init", "-q"]);
    let told = check(&folder, &["--install-hook"]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(
        told.stdout.contains("git commit --no-verify"),
        "{}",
        told.stdout
    );
    git(folder.path(), &["add", "app.py"]);
    let stopped = try_commit(folder.path(), &[]);
    assert_ne!(stopped.code, Some(0));
    let said = stopped.stdout + &stopped.stderr;
    assert!(said.contains("app.py:9: blocks"), "{said}");
    assert!(said.contains("git commit --no-verify"), "{said}");
    assert_eq!(try_commit(folder.path(), &["--no-verify"]).code, Some(0));
    folder.write("app.py", &good());
    let partial = try_commit(folder.path(), &["app.py"]);
    assert_eq!(
        partial.code,
        Some(0),
        "{}{}",
        partial.stdout,
        partial.stderr
    );
    folder.write("app.py", INJECTION);
    assert_ne!(try_commit(folder.path(), &["-a"]).code, Some(0));
    let again = check(&folder, &["--install-hook"]);
    assert!(again.stdout.contains("already"), "{}", again.stdout);
}

#[test]
fn a_hook_of_somebody_else_stays_and_the_line_to_add_is_told() {
    let folder = AppFolder::new("shop", &[("app.py", INJECTION)]);
    git(folder.path(), &["init", "-q"]);
    let hook = folder.path().join(".git/hooks/pre-commit");
    std::fs::create_dir_all(hook.parent().expect("a folder")).expect("a folder");
    std::fs::write(&hook, "#!/bin/sh\nexit 0\n").expect("a file");
    let told = check(&folder, &["--install-hook"]);
    assert_eq!(told.code, Some(2), "{}", told.stderr);
    assert!(
        told.stderr.contains("check --staged '.' || exit"),
        "{}",
        told.stderr
    );
    assert_eq!(
        std::fs::read_to_string(&hook).expect("it"),
        "#!/bin/sh\nexit 0\n"
    );
}

#[test]
fn a_hook_goes_where_git_looks_for_it_while_that_is_in_the_repository() {
    let folder = AppFolder::new(
        "all",
        &[("shop/app.py", INJECTION), ("other/x.py", "x = 1\n")],
    );
    let path = folder.path();
    git(path, &["init", "-q"]);
    git(path, &["config", "core.hooksPath", ".hooks"]);
    let install = |app: &str| {
        Command::new(MAYFLY)
            .args(["check", "--install-hook"])
            .arg(path.join(app))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("mayfly runs")
    };
    assert!(install("other").status.success());
    git(path, &["add", "."]);
    assert_eq!(
        try_commit(path, &["--allow-empty"]).code,
        Some(0),
        "the other app is fine"
    );
    assert!(install("shop").status.success());
    let text = std::fs::read_to_string(path.join(".hooks/pre-commit")).expect("the hook");
    assert_eq!(text.matches("check --staged").count(), 2, "{text}");
    folder.write("other/x.py", "x = 2\n");
    git(path, &["add", "."]);
    assert_ne!(try_commit(path, &[]).code, Some(0), "this one is not");
    let outside = AppFolder::new("hooks", &[]);
    let place = outside.path().display().to_string();
    git(path, &["config", "core.hooksPath", &place]);
    let refused = install("shop");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains(&place));
    assert_eq!(std::fs::read_dir(outside.path()).expect("it").count(), 0);
}

#[test]
fn a_hook_works_in_a_linked_work_tree_and_in_a_submodule() {
    let folder = AppFolder::new("shop", &[("app.py", &good())]);
    git(folder.path(), &["init", "-q"]);
    commit_all(&folder, "first");
    let place = AppFolder::new("places", &[]);
    let tree = place.path().join("tree");
    let tree_path = tree.display().to_string();
    git(
        folder.path(),
        &["worktree", "add", "-q", &tree_path, "-b", "w"],
    );
    let outer = place.path().join("outer");
    std::fs::create_dir(&outer).expect("a folder");
    git(&outer, &["init", "-q"]);
    let source = folder.path().display().to_string();
    let allow = ["-c", "protocol.file.allow=always", "submodule", "add", "-q"];
    git(&outer, &[&allow[..], &[&source, "sub"]].concat());
    for inner in [tree, outer.join("sub")] {
        let done = Command::new(MAYFLY)
            .args(["check", "--install-hook"])
            .arg(&inner)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("mayfly runs");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{}: {told}", inner.display());
        std::fs::write(inner.join("app.py"), INJECTION).expect("a file");
        git(&inner, &["add", "app.py"]);
        assert_ne!(try_commit(&inner, &[]).code, Some(0), "{}", inner.display());
        std::fs::write(inner.join("app.py"), good() + "\n").expect("a file");
        git(&inner, &["add", "app.py"]);
        let made = try_commit(&inner, &[]);
        assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
    }
}

#[test]
fn a_repositorys_own_settings_start_no_program() {
    let folder = AppFolder::new("shop", &[("app.py", "x = 1\n"), (".env", "A=1\n")]);
    let path = folder.path();
    git(path, &["init", "-q"]);
    let mark = path.with_extension("ran");
    let trap = format!("touch {}", mark.display());
    folder.write(".gitattributes", "* filter=trap diff=trap\n");
    commit_all(&folder, "first");
    for name in [
        "core.fsmonitor",
        "core.pager",
        "filter.trap.clean",
        "filter.trap.smudge",
        "diff.trap.textconv",
        "diff.trap.command",
    ] {
        git(path, &["config", name, &trap]);
    }
    folder.write("app.py", "x = 2\n");
    check(&folder, &["--json"]);
    check(&folder, &["--staged"]);
    assert!(!mark.exists());
    // The trap works: git itself falls into it.
    git(path, &["status"]);
    assert!(mark.exists());
}

#[test]
fn repositories_of_other_forms_are_read_too() {
    let folder = AppFolder::new("shop", &[("app.py", &format!("key = '{}'\n", secret()))]);
    let path = folder.path();
    git(path, &["init", "-q", "--object-format=sha256"]);
    let first = commit_all(&folder, "first");
    assert_eq!(first.len(), 64);
    folder.write("app.py", &good());
    commit_all(&folder, "second");
    git(path, &["gc", "-q"]);
    git(path, &["update-index", "--split-index"]);
    folder.write("more.py", INJECTION);
    git(path, &["add", "more.py"]);
    let told = json(&check(&folder, &["--json"]));
    assert_eq!(told["history"]["state"], "scanned", "{}", told["history"]);
    assert_eq!(told["history"]["secrets"][0]["commit"], first);
    let staged = check(&folder, &["--staged"]);
    assert!(
        staged.stdout.contains("more.py:9: blocks"),
        "{}{}",
        staged.stdout,
        staged.stderr
    );
}

#[test]
fn a_repository_that_never_answers_is_not_waited_for() {
    let folder = AppFolder::new("shop", &[("app.py", "x = 1\n"), (".env", "A=1\n")]);
    let path = folder.path();
    git(path, &["init", "-q"]);
    let first = commit_all(&folder, "first");
    let object = path
        .join(".git/objects")
        .join(&first[..2])
        .join(&first[2..]);
    for pipe in [object, path.join(".git/index")] {
        std::fs::remove_file(&pipe).expect("it is there");
        let made = Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .expect("mkfifo runs");
        assert!(made.success());
    }
    let began = Instant::now();
    let told = json(&check(&folder, &["--json", "--history-seconds", "1"]));
    assert_eq!(told["history"]["state"], "partly", "{}", told["history"]);
    check(&folder, &["--staged"]);
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
}
