//! Files that were made to hurt who reads them: bounded time, and a finding for each.

mod bench;

use std::time::{Duration, Instant};

use lint::{InMemory, MemoryCache, NoCache, Report, Sources, UnreadReason, WorkerCommand};
use model::finding::Gate;

const FAULT: &str = "import os\nfrom flask import Flask, request\napp = Flask(__name__)\n\
    @app.get('/')\ndef f():\n    os.system(request.args['c'])\n    return 'ok'\n";

/// Checks a hostile file beside one with a fault, which must be found all the same.
fn beside_a_fault(name: &str, bytes: Vec<u8>) -> Report {
    let began = Instant::now();
    let report = bench::check(vec![("app.py".into(), FAULT.into()), (name.into(), bytes)]);
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{name}: {:?}",
        began.elapsed()
    );
    let found = report
        .findings
        .iter()
        .any(|finding| finding.rule_id == "python-command-injection");
    assert!(found, "the fault beside {name} was not found");
    report
}

fn is_unread(report: &Report, name: &str, reason: UnreadReason) -> bool {
    let listed = report
        .unread
        .iter()
        .any(|unread| unread.file == name && unread.reason == reason);
    let found = report
        .findings
        .iter()
        .any(|f| f.file == name && f.rule_id.starts_with("unread-"));
    listed && found
}

#[test]
fn what_the_parsers_die_of_is_a_finding_that_blocks() {
    let deep = 100_000;
    let cases = [
        (
            "a.js",
            format!("x = {}1{}", "(".repeat(deep), ")".repeat(deep)),
        ),
        ("b.js", format!("x = 1{};", " * a".repeat(deep))),
        (
            "c.js",
            format!("if (a) b(){}", " else if (a) b()".repeat(50_000)),
        ),
        (
            "d.py",
            format!("x = {}1{}", "(".repeat(deep), ")".repeat(deep)),
        ),
        ("e.py", format!("x = 1{}", " + a".repeat(deep))),
        ("f.ts", "[".repeat(deep)),
        (
            "g.py",
            format!("x = {}1{}", "[".repeat(deep), "]".repeat(deep)),
        ),
        ("i.js", format!("x = 1{};", " + a".repeat(deep))),
        (
            "j.py",
            format!("if a:\n    b()\n{}", "elif a:\n    b()\n".repeat(50_000)),
        ),
        ("k.tsx", format!("x = {}1", "<a>".repeat(deep))),
        ("l.js", format!("x = {}1", "`${".repeat(deep))),
    ];
    for (name, text) in cases {
        // What follows is found, or the file is said not to be read: never neither.
        let fault = if name.ends_with(".py") {
            FAULT
        } else {
            "eval(location.hash);\n"
        };
        let report = beside_a_fault(name, format!("{text}\n{fault}").into_bytes());
        let of_file = |rule: &str| {
            report
                .findings
                .iter()
                .any(|f| f.file == name && f.rule_id.starts_with(rule))
        };
        let is_read = of_file("python-command-injection") || of_file("js-code-injection");
        assert!(
            is_read || of_file("unread-"),
            "{name}: {:?}",
            report.findings
        );
        let died = report.findings.iter().find(|f| f.rule_id == "unread-died");
        assert!(died.is_none_or(|finding| finding.blocks));
    }
    // Deeper than any stack: the worker dies, and the check goes on.
    let deeper = format!("x = {}1", "(".repeat(1_000_000));
    let report = beside_a_fault("h.js", deeper.into_bytes());
    let died = report
        .findings
        .iter()
        .find(|finding| finding.rule_id == "unread-died");
    assert!(died.is_some_and(|finding| finding.blocks && finding.file == "h.js"));
}

#[test]
fn a_sum_of_a_hundred_thousand_terms_is_read_to_its_end() {
    let text = format!("{FAULT}x = 1{}\n", " + a".repeat(100_000));
    let report = bench::check(vec![("app.py".into(), text.into_bytes())]);
    let found = report
        .findings
        .iter()
        .any(|f| f.rule_id == "python-command-injection");
    assert!(found || !report.unread.is_empty(), "{:?}", report.findings);
}

#[test]
fn a_file_of_a_hundred_megabytes_is_not_read_and_that_is_said() {
    let report = beside_a_fault("big.py", vec![b'a'; 100 << 20]);
    assert!(is_unread(&report, "big.py", UnreadReason::TooLarge));
}

#[test]
fn a_bundle_is_read_or_said_to_be_too_large() {
    let unit = "function f(a){return a.b(function(c){return c+1})}var x={k:'v'};";
    let report = beside_a_fault("small.min.js", unit.repeat(2_000).into_bytes());
    assert!(report.unread.is_empty(), "{:?}", report.unread);
    let report = beside_a_fault("large.min.js", unit.repeat(50_000).into_bytes());
    assert!(is_unread(&report, "large.min.js", UnreadReason::TooLarge));
}

#[test]
fn bytes_that_are_no_text_do_not_hide_the_rest() {
    let mut bytes = b"# \xff\xfe\n".to_vec();
    bytes.extend(FAULT.as_bytes());
    let report = beside_a_fault("latin.py", bytes);
    assert!(is_unread(&report, "latin.py", UnreadReason::Encoding));
    let found = report
        .findings
        .iter()
        .any(|f| f.file == "latin.py" && f.rule_id == "python-command-injection");
    assert!(found);
}

#[test]
fn texts_that_patterns_could_choke_on_take_little_time() {
    let cases = [
        ("a.txt", "password = \"".repeat(20_000)),
        ("b.txt", format!("token: \"{}\"", "a1".repeat(500_000))),
        ("c.txt", "postgres://a:b@".repeat(60_000)),
        ("d.txt", "-----BEGIN PRIVATE KEY-----\n".repeat(30_000)),
        ("e.py", format!("x = '{}'", "\"a\" + ".repeat(20_000))),
        ("f.html", "{{ a|safe ".repeat(50_000)),
        ("g.ejs", "<%- a ".repeat(50_000)),
        ("h.vue", "<script".repeat(50_000)),
    ];
    for (name, text) in cases {
        beside_a_fault(name, text.into_bytes());
    }
}

#[test]
fn many_files_that_kill_do_not_hide_the_last_one() {
    let killer = format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let mut files: Vec<(String, Vec<u8>)> = (0..10)
        .map(|n| (format!("k{n}.js"), killer.clone().into_bytes()))
        .collect();
    files.push(("app.py".into(), FAULT.into()));
    let report = bench::check(files);
    assert_eq!(report.unread.len(), 10, "{:?}", report.unread);
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.file == "app.py" && finding.blocks)
    );
}

#[test]
fn a_worker_that_cannot_start_is_an_error_and_no_report() {
    let mut settings = bench::settings();
    settings.worker = WorkerCommand {
        program: "/nowhere/lint".into(),
        args: vec![],
    };
    let files = InMemory(vec![("app.py".into(), FAULT.into())]);
    assert!(lint::check(&files, &settings, &NoCache).is_err());
}

#[test]
fn what_did_not_change_is_not_read_again() {
    struct Once(InMemory);
    impl Sources for Once {
        fn list(&self) -> Vec<lint::Listed> {
            let mut listed = self.0.list();
            for one in &mut listed {
                let bytes = self.0.read(&one.path).expect("its bytes");
                one.digest = Some(model::Digest::of(&bytes));
            }
            listed
        }
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            self.0.read(path)
        }
    }
    let files = Once(InMemory(vec![
        ("app.py".into(), FAULT.into()),
        ("a.js".into(), "let a = 1;".into()),
    ]));
    let cache = MemoryCache::default();
    let first = lint::check(&files, &bench::settings(), &cache).expect("a report");
    let second = lint::check(&files, &bench::settings(), &cache).expect("a report");
    assert_eq!((first.known, second.known), (0, 2));
    assert_eq!(first.findings, second.findings);
}

#[test]
fn a_secret_over_several_lines_stops_the_app() {
    let (one, two) = ("ghp_a8Kd02Lq", "Zx7Rt5Wm1Vn9Yb3Hc6Jg4PfQs2Tu");
    for (name, text) in [
        ("a.py", format!("key = (\"{one}\"\n       \"{two}\")\n")),
        ("b.js", format!("const key = '{one}' +\n  '{two}';\n")),
    ] {
        let report = bench::check(vec![(name.into(), text.into())]);
        let found = report.findings.iter().find(|f| f.gate == Gate::Secrets);
        assert!(
            found.is_some_and(|f| f.blocks),
            "{name}: {:?}",
            report.findings
        );
        let shown = serde_json::to_string(&report).expect("json");
        assert!(!shown.contains(two), "{shown}");
    }
}

#[test]
fn a_secret_is_shown_by_no_finding() {
    let value: String = "ghp_"
        .chars()
        .chain("a8Kd02LqZx7Rt5Wm1Vn9Yb3Hc6Jg4PfQs2Tu".chars())
        .collect();
    let text = format!(
        "import requests\nrequests.get('https://{value}@a.example', verify=False)\nSECRET_KEY = '{value}'\n"
    );
    let report = bench::check(vec![("app.py".into(), text.into())]);
    let secrets = report
        .findings
        .iter()
        .filter(|finding| finding.gate == Gate::Secrets);
    assert!(secrets.clone().count() >= 1 && secrets.clone().all(|finding| finding.blocks));
    assert!(report.findings.len() >= 3, "{:?}", report.findings);
    let shown = serde_json::to_string(&report).expect("json");
    assert!(!shown.contains(&value[4..]), "{shown}");
}

#[test]
fn an_env_file_outside_of_the_history_is_where_secrets_belong() {
    let value = "a8Kd02LqZx7Rt5Wm1Vn9Yb3Hc6Jg4Pf";
    let text = format!("API_SECRET={value}\n");
    let outside = bench::check(vec![(".env".into(), text.clone().into())]);
    assert!(outside.findings.is_empty(), "{:?}", outside.findings);
    let inside = bench::check(vec![("settings.ini".into(), text.into())]);
    assert_eq!(inside.findings.len(), 1);
}
