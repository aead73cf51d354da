//! What `mayfly serve` can be told, end to end.

use model::FailureCode;
use testkit::answer::Ask;
use testkit::{AppFolder, Bench};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

#[test]
fn the_daemon_says_how_large_a_folder_may_be() {
    let mut bench = Bench::at_rest(MAYFLY);
    bench.serve_with(&[
        "--port",
        "0",
        "--source-size",
        "1 MiB",
        "--source-files",
        "2",
    ]);
    let folder = AppFolder::new("small", &[("index.html", "fits")]);
    bench.up(&folder).promoted();
    folder.write("a.txt", "a");
    folder.write("b.txt", "b");
    let up = bench.up(&folder);
    let failure = up.failure();
    assert_eq!(
        (failure.code, up.code),
        (FailureCode::TooLarge, 5),
        "{failure:#?}"
    );
    let hint = failure.hint.expect("a remedy");
    assert!(
        hint.contains(".mayflyignore") && hint.contains("--source-files"),
        "{hint}"
    );
    folder.write(".mayflyignore", "a.txt\n");
    folder.write("b.txt", &"b".repeat(2 << 20));
    let up = bench.up(&folder);
    let failure = up.failure();
    assert_eq!(
        (failure.code, up.code),
        (FailureCode::TooLarge, 5),
        "{failure:#?}"
    );
    let hint = failure.hint.expect("a remedy");
    assert!(
        hint.contains("b.txt") && hint.contains("--source-size"),
        "{hint}"
    );
    assert_eq!(bench.get("small", "/").text(), "fits");
    bench.mayfly(&["stop"]).ok();
    bench.daemon_ended();
    bench.serve_with(&["--port", "0", "--source-size", "4 MiB"]);
    bench.up(&folder).promoted();
    assert_eq!(bench.get("small", "/b.txt").body.len(), 2 << 20);
}

#[test]
fn a_folder_larger_than_the_default_goes_up_where_the_daemon_allows_it() {
    let mut bench = Bench::at_rest(MAYFLY);
    bench.serve_with(&["--port", "0", "--source-size", "300 MiB"]);
    let folder = AppFolder::new("large", &[("index.html", "large")]);
    let file = std::fs::File::create(folder.path().join("movie.mp4")).expect("a file");
    file.set_len(260 << 20).expect("a sparse file");
    bench.up(&folder).promoted();
    let ask = Ask {
        headers: &["Range: bytes=0-9"],
        ..Ask::get("large.localhost", "/movie.mp4")
    };
    assert_eq!(bench.ask(&ask).status, 206);
}

#[test]
fn apps_answer_on_every_address_that_was_named() {
    let mut bench = Bench::at_rest(MAYFLY);
    bench.serve_with(&[
        "--port",
        "0",
        "--listen",
        "127.0.0.2",
        "--listen",
        "127.0.0.3",
        "--listen",
        "127.0.0.3",
    ]);
    bench
        .up(&AppFolder::new("here", &[("index.html", "here")]))
        .promoted();
    let port = bench.edge().port();
    let ask = |last| Ask::get("here.localhost", "/").send(([127, 0, 0, last], port).into());
    for last in [2, 3] {
        assert_eq!(ask(last).expect("an answer").text(), "here");
    }
    assert!(ask(4).is_err(), "an address that was not named answers");
}

#[test]
fn an_address_that_is_not_this_machines_is_told_at_the_start() {
    let bench = Bench::at_rest(MAYFLY);
    let serve = bench.mayfly(&[
        "serve",
        "--port",
        "0",
        "--listen",
        "127.0.0.1",
        "--listen",
        "192.0.2.1",
    ]);
    assert_ne!(serve.code, 0);
    assert!(serve.stderr.contains("hint: "), "{}", serve.stderr);
}
