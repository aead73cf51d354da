//! Machines that lack something: a disk with room, the right to mount. Each is told with its remedy,
//! and nothing that runs is harmed.

use std::fs;

use model::limits::{GIB, MIB};
use model::{Failure, FailureCode};
use testkit::{AppFolder, Bench, Disk, Up};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

const SERVER: &str = "import http.server, os\n\
    http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()\n";

fn app(name: &str) -> AppFolder {
    AppFolder::new(name, &[("app.py", SERVER), ("hello.txt", "one")])
}

/// The names in a folder of the home.
fn names(bench: &Bench, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(bench.home().join(folder));
    let names = entries.into_iter().flatten().flatten();
    let mut names: Vec<_> = names
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn told(up: &Up) -> (Failure, String) {
    let failure = up.failure();
    let hint = failure.hint.clone();
    let hint = hint.unwrap_or_else(|| panic!("no remedy: {failure:#?}"));
    (failure, hint)
}

#[test]
fn a_full_disk_is_told_and_the_running_release_goes_on() {
    let bench = Bench::start_on(MAYFLY, Disk::of(4 * GIB));
    let folder = app("cramped");
    bench.up(&folder).promoted();
    let before = names(&bench, "sandboxes");
    let noise: String = (0..400_000_u32)
        .map(|n| format!("{:08x}", n.wrapping_mul(2_654_435_761)))
        .collect();
    folder.write("noise.txt", &noise);
    folder.write("hello.txt", "two");
    let mut failed_in = Vec::new();
    for free in [0, 64 * 1024, MIB, 4 * MIB, 6 * MIB] {
        bench.disk().leave_free(free);
        let up = bench.up(&folder);
        let (failure, hint) = told(&up);
        assert_eq!(
            (failure.code, up.code),
            (FailureCode::DiskFull, 75),
            "{free} free: {failure:#?}"
        );
        assert!(hint.contains("disk space"), "{failure:#?}");
        failed_in.push(failure.stage);
        assert_eq!(bench.get("cramped", "/hello.txt").text(), "one");
        assert_eq!(names(&bench, "sandboxes"), before, "{free} free");
        assert_eq!(
            names(&bench, "sources"),
            Vec::<String>::new(),
            "{free} free"
        );
        bench.disk().leave_free(GIB);
        let status = bench.mayfly(&["status", "cramped", "--json"]).ok().json();
        assert_eq!(
            (&status["state"], &status["release"]),
            (&"running".into(), &1.into()),
            "{status}"
        );
    }
    assert!(
        failed_in.contains(&None),
        "{failed_in:?}: never before the run"
    );
    let result = bench.up(&folder).promoted();
    assert_eq!(bench.get("cramped", "/hello.txt").text(), "two");
    assert!(result.release.is_some());
}

#[test]
fn a_daemon_on_a_full_disk_says_so_and_its_apps_come_back_later() {
    let mut bench = Bench::start_on(MAYFLY, Disk::of(4 * GIB));
    bench.up(&app("cramped")).promoted();
    bench.mayfly(&["stop"]).ok();
    bench.daemon_ended();
    bench.disk().leave_free(MIB);
    let serve = bench.mayfly(&["serve", "--port", "0"]);
    assert_eq!(serve.code, 75, "{}", serve.stderr);
    assert!(
        serve.stderr.contains("is full") && serve.stderr.contains("hint: free"),
        "{}",
        serve.stderr
    );
    bench.disk().leave_free(GIB);
    bench.serve();
    let answers = || (bench.get("cramped", "/hello.txt").text() == "one").then_some(());
    testkit::eventually(
        "the app is back",
        std::time::Duration::from_secs(30),
        answers,
    );
}

#[test]
fn a_machine_that_forbids_mounts_is_told_with_the_remedy() {
    let bench = Bench::start_where_mounts_are_forbidden(MAYFLY);
    let site = AppFolder::new("site", &[("index.html", "still served")]);
    bench.up(&site).promoted();
    assert_eq!(bench.get("site", "/").text(), "still served");
    let up = bench.up(&app("caged"));
    let (failure, hint) = told(&up);
    assert_eq!(
        (failure.code, up.code),
        (FailureCode::Machine, 1),
        "{failure:#?}"
    );
    let text = format!("{} {} {hint}", failure.message, failure.cause.join(" "));
    assert!(text.contains("not permitted"), "{failure:#?}");
    assert!(
        hint.contains("mayfly doctor") || hint.contains("CAP_SYS_ADMIN"),
        "{failure:#?}"
    );
    for folder in ["sandboxes", "sources", "jobs"] {
        assert_eq!(names(&bench, folder), Vec::<String>::new(), "{folder}");
    }
    assert_eq!(bench.get("site", "/").text(), "still served");
}
