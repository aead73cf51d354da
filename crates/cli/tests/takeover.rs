//! A new release takes over, and nobody notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use testkit::answer::Ask;
use testkit::{AppFolder, Bench, eventually};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

fn server(text: &str) -> String {
    format!(
        "import http.server, time\n\
         class Handler(http.server.BaseHTTPRequestHandler):\n\
         \x20   protocol_version = 'HTTP/1.1'\n\
         \x20   def do_GET(self):\n\
         \x20       body = b'{text}'\n\
         \x20       self.send_response(200)\n\
         \x20       self.send_header('Content-Length', str(len(body)))\n\
         \x20       self.send_header('ETag', '\"same\"')\n\
         \x20       self.end_headers()\n\
         \x20       self.wfile.write(body)\n\
         http.server.ThreadingHTTPServer(('127.0.0.1', 8000), Handler).serve_forever()\n"
    )
}

#[test]
fn no_request_fails_while_releases_take_over() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("busy", &[("app.py", &server("one"))]);
    bench.up(&folder).promoted();
    let edge = bench.edge();
    let (done, asked) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let visitors: Vec<_> = (0..4)
        .map(|_| {
            let (done, asked) = (Arc::clone(&done), Arc::clone(&asked));
            std::thread::spawn(move || {
                let mut failures = Vec::new();
                while !done.load(Ordering::Relaxed)
                    && asked.fetch_add(1, Ordering::Relaxed) < 50_000
                {
                    match Ask::get("busy.localhost", "/").send(edge) {
                        Ok(answer) if answer.status == 200 => {}
                        other => failures.push(format!("{other:?}")),
                    }
                }
                failures
            })
        })
        .collect();
    for text in ["two", "three", "four"] {
        folder.write("app.py", &server(text));
        bench.up(&folder).promoted();
    }
    done.store(true, Ordering::Relaxed);
    let failures: Vec<String> = visitors
        .into_iter()
        .flat_map(|visitor| visitor.join().expect("a visitor"))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} failed: {:?}",
        failures.len(),
        asked.load(Ordering::Relaxed),
        failures.first()
    );
    assert_eq!(bench.get("busy", "/").text(), "four");
}

#[test]
fn a_same_length_edit_never_answers_a_stale_304() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("page", &[("app.py", &server("one"))]);
    bench.up(&folder).promoted();
    let tag = bench
        .get("page", "/")
        .header("etag")
        .expect("a validator")
        .to_owned();
    folder.write("app.py", &server("two"));
    bench.up(&folder).promoted();
    let condition = format!("If-None-Match: {tag}");
    let answer = bench.ask(&Ask {
        headers: &[&condition],
        ..Ask::get("page.localhost", "/")
    });
    assert_eq!((answer.status, answer.text().as_str()), (200, "two"));
}

#[test]
fn of_two_runs_at_once_the_newer_wins() {
    let bench = Bench::start(MAYFLY);
    let slow = "import time\ntime.sleep(8)\n";
    let folder = AppFolder::new("race", &[("app.py", &format!("{slow}{}", server("older")))]);
    let path = folder.path().to_str().expect("UTF-8");
    let older = bench.spawn(&["up", path, "--json"]);
    testkit::eventually(
        "the older run waits for its release",
        std::time::Duration::from_secs(30),
        || {
            let status = bench.mayfly(&["status", "race", "--json"]);
            status.stdout.contains("\"starting\"").then_some(())
        },
    );
    folder.write("app.py", &server("newer"));
    bench.up(&folder).promoted();
    let older = older.wait_with_output().expect("its end");
    let last = String::from_utf8_lossy(&older.stdout)
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    assert_eq!(older.status.code(), Some(75), "{last}");
    assert!(last.contains("\"superseded\""), "{last}");
    assert_eq!(bench.get("race", "/").text(), "newer");
}

#[test]
fn a_release_that_never_gets_ready_leaves_the_one_that_serves_alone() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("steady", &[("app.py", &server("good"))]);
    bench.up(&folder).promoted();
    folder.write("app.py", "raise SystemExit('no database')\n");
    let up = bench.up(&folder);
    assert_eq!((up.code, up.result().outcome.as_str()), (1, "failed"));
    let failure = up.failure();
    assert!(
        failure
            .cause
            .iter()
            .any(|line| line.contains("no database")),
        "{failure:?}"
    );
    assert_eq!(bench.get("steady", "/").text(), "good");
    assert_eq!(up.result().release.map(|release| release.get()), Some(1));
}

/// Writes a line to its data folder every 50 ms.
fn beating(name: &str) -> String {
    format!(
        "import os, threading, time\n\
         def beat():\n\
         \x20   while True:\n\
         \x20       with open(os.path.join(os.environ['DATA_DIR'], '{name}.beat'), 'a') as file:\n\
         \x20           file.write('beat\\n')\n\
         \x20       time.sleep(0.05)\n\
         threading.Thread(target=beat, daemon=True).start()\n{}",
        server(name)
    )
}

fn beats(bench: &Bench, name: &str) -> usize {
    let file = bench.home().join("data/heart").join(format!("{name}.beat"));
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .count()
}

/// Waits until `beating` writes and `still` does not: twenty lines of the one, none of the other.
fn only_one_beats(bench: &Bench, beating: &str, still: &str) {
    let what = format!("`{beating}` writes and `{still}` does not");
    let mut since = (beats(bench, beating), beats(bench, still));
    eventually(&what, Duration::from_secs(60), || {
        let now = (beats(bench, beating), beats(bench, still));
        if now.1 != since.1 {
            since = now;
        }
        (now.0 >= since.0 + 20).then_some(())
    });
}

#[test]
fn the_release_before_is_frozen_once_drained_and_writes_again_after_a_rollback() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("heart", &[("app.py", &beating("one"))]);
    bench.up(&folder).promoted();
    only_one_beats(&bench, "one", "two");
    folder.write("app.py", &beating("two"));
    bench.up(&folder).promoted();
    assert_eq!(bench.get("heart", "/").text(), "two");
    only_one_beats(&bench, "two", "one");
    bench.mayfly(&["rollback", "heart"]).ok();
    assert_eq!(bench.get("heart", "/").text(), "one");
    only_one_beats(&bench, "one", "two");
}
