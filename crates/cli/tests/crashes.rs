//! `kill -9`, second daemons, and what they must not break.

use std::time::Duration;

use testkit::{AppFolder, Bench, eventually};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

const SERVER: &str = "import http.server, os\n\
    http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()\n";

fn app(name: &str) -> AppFolder {
    AppFolder::new(name, &[("app.py", SERVER), ("hello.txt", "hello")])
}

/// The supervisors of a home's sandboxes that still run.
fn supervisors(bench: &Bench) -> Vec<u64> {
    let mut found = Vec::new();
    let folders = std::fs::read_dir(bench.home().join("sandboxes"));
    for folder in folders.into_iter().flatten().flatten() {
        let state = std::fs::read(folder.path().join("state.json")).unwrap_or_default();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap_or_default();
        let pid = state["supervisor"]["pid"].as_u64();
        found.extend(pid.filter(|pid| std::path::Path::new(&format!("/proc/{pid}")).exists()));
    }
    found.sort_unstable();
    found
}

#[test]
fn apps_outlive_a_killed_daemon_and_are_found_again() {
    let mut bench = Bench::start(MAYFLY);
    bench.up(&app("tough")).promoted();
    let before = supervisors(&bench);
    assert!(!before.is_empty());
    bench.kill_daemon();
    assert_eq!(
        supervisors(&bench),
        before,
        "the app went down with the daemon"
    );
    bench.serve();
    assert_eq!(bench.get("tough", "/hello.txt").text(), "hello");
    assert_eq!(supervisors(&bench), before, "the app was started anew");
}

#[test]
fn stop_with_keep_apps_leaves_them_running_and_stop_ends_them() {
    let mut bench = Bench::start(MAYFLY);
    bench.up(&app("kept")).promoted();
    let before = supervisors(&bench);
    bench.mayfly(&["stop", "--keep-apps"]).ok();
    bench.daemon_ended();
    assert_eq!(supervisors(&bench), before);
    bench.serve();
    assert_eq!(bench.get("kept", "/hello.txt").text(), "hello");
    bench.mayfly(&["stop"]).ok();
    bench.daemon_ended();
    assert_eq!(supervisors(&bench), Vec::<u64>::new());
    bench.serve();
    eventually("the app is started again", Duration::from_secs(20), || {
        (bench.get("kept", "/hello.txt").status == 200).then_some(())
    });
}

#[test]
fn an_app_that_exits_is_started_again() {
    let bench = Bench::start(MAYFLY);
    let program = SERVER.replace(
        "http.server.ThreadingHTTPServer",
        "class Handler(http.server.SimpleHTTPRequestHandler):\n    def do_POST(self):\n        os._exit(3)\nhttp.server.ThreadingHTTPServer",
    );
    let program = program.replace(
        "http.server.SimpleHTTPRequestHandler).serve",
        "Handler).serve",
    );
    let folder = AppFolder::new("fragile", &[("app.py", &program), ("hello.txt", "hello")]);
    bench.up(&folder).promoted();
    let ask = testkit::answer::Ask {
        method: "POST",
        ..testkit::answer::Ask::get("fragile.localhost", "/")
    };
    let answer = ask.send(bench.edge()).expect("an answer");
    assert_eq!(answer.status, 502, "{}", answer.text());
    eventually("it is started again", Duration::from_secs(20), || {
        (bench.get("fragile", "/hello.txt").status == 200).then_some(())
    });
}

#[test]
fn a_second_daemon_on_one_home_is_refused() {
    let bench = Bench::start(MAYFLY);
    let second = bench.mayfly(&["serve", "--port", "0"]);
    assert_ne!(second.code, 0);
    assert!(
        second.stderr.contains("already") && second.stderr.contains(&bench.pid().to_string()),
        "{}",
        second.stderr
    );
}

#[test]
fn a_port_in_use_is_named_with_the_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let bench = Bench::at_rest(MAYFLY);
    let serve = bench.mayfly(&["serve", "--port", &port]);
    assert_ne!(serve.code, 0);
    assert!(
        serve.stderr.contains(&port) && serve.stderr.contains("--port"),
        "{}",
        serve.stderr
    );
}

#[test]
fn a_daemon_killed_during_a_run_leaves_nothing_behind() {
    let mut bench = Bench::start(MAYFLY);
    let folder = AppFolder::new(
        "half",
        &[("app.py", &format!("import time\ntime.sleep(600)\n{SERVER}"))],
    );
    let up = bench.spawn(&["up", folder.path().to_str().expect("UTF-8"), "--json"]);
    eventually("the release starts", Duration::from_secs(30), || {
        (!supervisors(&bench).is_empty()).then_some(())
    });
    bench.kill_daemon();
    let up = up.wait_with_output().expect("its end");
    assert_eq!(
        up.status.code(),
        Some(75),
        "{}",
        String::from_utf8_lossy(&up.stderr)
    );
    bench.serve();
    eventually(
        "the half-started release is gone",
        Duration::from_secs(20),
        || supervisors(&bench).is_empty().then_some(()),
    );
    let status = bench.mayfly(&["status", "half", "--json"]).ok().json();
    assert_eq!(status["state"], "never_ready", "{status}");
}

#[test]
fn a_ledger_from_the_future_is_refused_with_a_plain_word() {
    let mut bench = Bench::start(MAYFLY);
    bench.mayfly(&["stop"]).ok();
    bench.daemon_ended();
    let ledger = bench.home().join("ledger.db");
    let bumped = std::process::Command::new("python3")
        .args(["-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute(\"insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (999999, 'later', 1, x'00', 0)\"); d.commit()"])
        .arg(&ledger)
        .status()
        .expect("python3");
    assert!(bumped.success());
    let serve = bench.mayfly(&["serve", "--port", "0"]);
    assert_ne!(serve.code, 0);
    assert!(serve.stderr.contains("newer mayfly"), "{}", serve.stderr);
    std::fs::remove_file(ledger).expect("the ledger of this test");
}

/// How many sockets there are of a daemon's address: one that listens, and one for each connection.
fn sockets(bench: &Bench) -> usize {
    let all = std::fs::read_to_string("/proc/net/unix").expect("sockets");
    let path = api::paths::socket(bench.home());
    let path = path.to_str().expect("UTF-8");
    all.lines().filter(|line| line.ends_with(path)).count()
}

fn signal(pid: u32, signal: libc::c_int) {
    let pid = libc::pid_t::try_from(pid).expect("a process");
    // SAFETY: takes two numbers; the process is this test's own child.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

/// A daemon, started again, that is held before it has found its apps.
fn held_while_it_adopts(bench: &mut Bench) {
    for _ in 0..20 {
        let served = bench.daemon_log().matches("mayfly serves").count();
        bench.serve_again_unanswered();
        while sockets(bench) == 0 {
            std::thread::yield_now();
        }
        signal(bench.pid(), libc::SIGSTOP);
        if bench.daemon_log().matches("mayfly serves").count() == served {
            return;
        }
        bench.kill_daemon();
    }
    panic!("the daemon was ready each time before it could be held");
}

#[test]
fn an_up_that_arrives_while_the_daemon_still_finds_its_apps_waits_and_succeeds() {
    let mut bench = Bench::start(MAYFLY);
    let folder = app("early");
    bench.up(&folder).promoted();
    bench.kill_daemon();
    held_while_it_adopts(&mut bench);
    folder.write("hello.txt", "changed");
    let up = bench.spawn(&["up", folder.path().to_str().expect("UTF-8"), "--json"]);
    eventually("`up` waits for the daemon", Duration::from_secs(20), || {
        (sockets(&bench) > 1).then_some(())
    });
    signal(bench.pid(), libc::SIGCONT);
    let up = up.wait_with_output().expect("its end");
    let stdout = String::from_utf8_lossy(&up.stdout);
    assert_eq!(up.status.code(), Some(0), "{stdout}");
    bench.answered();
    assert_eq!(bench.get("early", "/hello.txt").text(), "changed");
}
