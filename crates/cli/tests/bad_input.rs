//! Hostile and half-broken folders: each is told plainly, and breaks nothing.

use std::os::unix::fs::symlink;

use model::FailureCode;
use testkit::{AppFolder, Bench, Up};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

#[track_caller]
fn refused(up: &Up, code: FailureCode, exit: i32, says: &str) {
    let failure = up.failure();
    assert_eq!(
        (failure.code, up.code),
        (code, exit),
        "{failure:#?}\n{}",
        up.log()
    );
    let told = format!(
        "{} {} {}",
        failure.message,
        failure.cause.join(" "),
        failure.hint.clone().unwrap_or_default()
    );
    assert!(told.contains(says), "{failure:#?}");
    assert!(failure.hint.is_some(), "no remedy: {failure:#?}");
}

#[test]
fn folders_that_cannot_be_read() {
    let bench = Bench::start_bare(MAYFLY);
    let empty = AppFolder::new("empty", &[]);
    refused(&bench.up(&empty), FailureCode::BadFolder, 2, "no files");
    refused(
        &bench.up_path(&empty.path().join("missing"), &[]),
        FailureCode::BadFolder,
        2,
        "missing",
    );
    let link = AppFolder::new("link", &[("index.html", "x")]);
    symlink("/etc/passwd", link.path().join("passwd")).expect("a link");
    refused(&bench.up(&link), FailureCode::BadFolder, 2, "passwd");
    let odd = AppFolder::new("odd", &[("index.html", "x"), ("a\u{1b}[31mb", "x")]);
    refused(&bench.up(&odd), FailureCode::BadFolder, 2, "a");
    let huge = AppFolder::new("huge", &[("index.html", "x")]);
    let file = std::fs::File::create(huge.path().join("movie.mp4")).expect("a file");
    file.set_len(5 << 30).expect("a sparse file");
    refused(&bench.up(&huge), FailureCode::TooLarge, 5, "movie.mp4");
}

#[test]
fn manifests_that_cannot_be_read_are_shown_with_their_place() {
    let bench = Bench::start_bare(MAYFLY);
    let toml = AppFolder::new(
        "toml",
        &[
            ("index.html", "x"),
            ("mayfly.toml", "[run]\ncomand = \"x\"\n"),
        ],
    );
    refused(
        &bench.up(&toml),
        FailureCode::BadManifest,
        1,
        "mayfly.toml:2:1",
    );
    refused(&bench.up(&toml), FailureCode::BadManifest, 1, "`command`");
    let json = AppFolder::new(
        "json",
        &[
            ("package.json", "{\n  \"name\": \"x\",\n}\n"),
            ("index.js", "1"),
        ],
    );
    refused(
        &bench.up(&json),
        FailureCode::BadManifest,
        1,
        "package.json:3",
    );
}

#[test]
fn kinds_that_are_not_supported_are_named() {
    let bench = Bench::start_bare(MAYFLY);
    for (name, file, text) in [
        ("docker", "Dockerfile", "FROM scratch\n"),
        ("go", "main.go", "package main\nfunc main() {}\n"),
        ("php", "index.php", "<?php echo 1;\n"),
    ] {
        refused(
            &bench.up(&AppFolder::new(name, &[(file, text)])),
            FailureCode::NotSupported,
            1,
            file,
        );
    }
}

#[test]
fn a_dependency_that_does_not_exist_is_named() {
    let bench = Bench::start(MAYFLY);
    let python = AppFolder::new(
        "py",
        &[
            ("app.py", "import flask\n"),
            ("requirements.txt", "flask\nno-such-package-mayfly-test\n"),
        ],
    );
    refused(
        &bench.up(&python),
        FailureCode::Dependency,
        3,
        "no-such-package-mayfly-test",
    );
    let package = r#"{"dependencies": {"no-such-package-mayfly-test": "^1.0.0"}, "scripts": {"start": "node x.js"}}"#;
    let node = AppFolder::new("js", &[("x.js", "1"), ("package.json", package)]);
    refused(
        &bench.up(&node),
        FailureCode::Dependency,
        3,
        "no-such-package-mayfly-test",
    );
}

#[test]
fn builds_that_never_end_or_fill_the_disk_are_stopped() {
    let bench = Bench::start(MAYFLY);
    let app = |name: &str, script: &str, setting: &str| {
        let package = format!(r#"{{"scripts": {{"build": "{script}", "start": "node x.js"}}}}"#);
        AppFolder::new(
            name,
            &[
                ("x.js", "1"),
                ("package.json", &package),
                ("mayfly.toml", setting),
            ],
        )
    };
    let endless = app(
        "endless",
        "while true; do :; done",
        "[build]\ntimeout = 3\n",
    );
    refused(&bench.up(&endless), FailureCode::BuildLimit, 1, "timeout");
    let full = app(
        "full",
        "head -c 314572800 /dev/zero > big.bin",
        "[build]\ndisk = \"100 MiB\"\n",
    );
    refused(&bench.up(&full), FailureCode::BuildLimit, 1, "disk");
    let broken = app("broken", "cat it-is-broken.txt", "");
    refused(
        &bench.up(&broken),
        FailureCode::BuildFailed,
        1,
        "it-is-broken",
    );
}

#[test]
fn apps_that_cannot_serve_are_told_apart() {
    let bench = Bench::start(MAYFLY);
    let quick = "[run]\nready_within = 4\n";
    let app = |name: &str, program: &str, settings: &str| {
        AppFolder::new(
            name,
            &[
                ("app.py", program),
                ("mayfly.toml", &format!("{quick}{settings}")),
            ],
        )
    };
    let server = "import http.server\nclass H(http.server.BaseHTTPRequestHandler):\n    def do_GET(self):\n        self.send_error(500)\nhttp.server.HTTPServer(('127.0.0.1', 8000), H).serve_forever()\n";
    refused(
        &bench.up(&app("exits", "print('goodbye')\n", "")),
        FailureCode::Exited,
        1,
        "goodbye",
    );
    refused(
        &bench.up(&app("silent", "import time\ntime.sleep(600)\n", "")),
        FailureCode::NotListening,
        1,
        "PORT",
    );
    refused(
        &bench.up(&app("angry", server, "")),
        FailureCode::NotReady,
        1,
        "500",
    );
    let eater = "x = []\nwhile True:\n    x.append(bytearray(10_000_000))\n";
    refused(
        &bench.up(&app("hungry", eater, "memory = \"64 MiB\"\n")),
        FailureCode::OutOfMemory,
        1,
        "64 MiB",
    );
    let bomb = "import os, time\nn = 0\nwhile True:\n    try:\n        if os.fork() == 0:\n            time.sleep(600)\n    except OSError:\n        time.sleep(0.2)\n";
    let up = bench.up(&app("forks", bomb, "pids = 32\n"));
    refused(&up, FailureCode::NotListening, 1, "PORT");
}

#[test]
fn a_name_belongs_to_one_folder() {
    let bench = Bench::start_bare(MAYFLY);
    let (one, two) = (
        AppFolder::new("shop", &[("index.html", "one")]),
        AppFolder::new("shop", &[("index.html", "two")]),
    );
    bench.up(&one).promoted();
    refused(&bench.up(&two), FailureCode::NameTaken, 2, "--takeover");
    assert_eq!(bench.get("shop", "/").text(), "one");
    bench.up_with(&two, &["--app", "shop-two"]).promoted();
    assert_eq!(bench.get("shop-two", "/").text(), "two");
    bench.up_with(&two, &["--takeover"]).promoted();
    assert_eq!(bench.get("shop", "/").text(), "two");
}

#[test]
fn things_that_are_not_there_are_named() {
    let bench = Bench::start_bare(MAYFLY);
    for arguments in [
        &["status", "ghost"][..],
        &["logs", "ghost"],
        &["rollback", "ghost"],
        &["restore", "ghost"],
    ] {
        let command = bench.mayfly(arguments);
        assert_ne!(command.code, 0, "{arguments:?}");
        assert!(
            command.stderr.contains("ghost") && command.stderr.contains("mayfly list"),
            "{}",
            command.stderr
        );
    }
}

#[test]
fn a_streamlit_script_that_crashes_behind_its_200_is_found() {
    let bench = Bench::start(MAYFLY);
    let script =
        "import streamlit as st\nst.title('Boom')\nraise ValueError('the chart has no data')\n";
    let folder = AppFolder::new("boom", &[("app.py", script)]);
    refused(
        &bench.up(&folder),
        FailureCode::NotReady,
        1,
        "the chart has no data",
    );
    folder.edit(
        "app.py",
        "raise ValueError('the chart has no data')",
        "st.write('fine')",
    );
    bench.up(&folder).promoted();
}
