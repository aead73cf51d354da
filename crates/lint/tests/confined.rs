//! A worker has no rights: what takes it over finds nothing.

use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A worker that waits for its first order.
struct Waiting(Child);

impl Waiting {
    fn start() -> Self {
        let worker = env!("CARGO_BIN_EXE_lint-worker-for-tests");
        let child = Command::new(worker)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a worker");
        let waiting = Self(child);
        let deadline = Instant::now() + Duration::from_secs(10);
        // It has given its rights up before it starts the thread that reads.
        while waiting.status("Threads") != "2" {
            assert!(Instant::now() < deadline, "it never reads");
            std::thread::yield_now();
        }
        waiting
    }

    fn status(&self, key: &str) -> String {
        value(&self.proc("status"), &format!("{key}:"))
    }

    fn limit(&self, name: &str) -> String {
        value(&self.proc("limits"), name)
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.0.id())).expect("a file")
    }
}

fn value(text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let words = line.unwrap_or_default().split_whitespace();
    words.map(str::to_owned).next().unwrap_or_default()
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_worker_opens_nothing_writes_nothing_and_gets_no_rights_back() {
    let worker = Waiting::start();
    assert_eq!(worker.limit("Max open files"), "3");
    assert_eq!(worker.limit("Max file size"), "0");
    assert_eq!(worker.limit("Max core file size"), "0");
    assert_eq!(worker.status("NoNewPrivs"), "1");
    let own = fs::read_to_string("/proc/self/limits").expect("a file");
    assert_ne!(
        value(&own, "Max open files"),
        "3",
        "the test itself is limited"
    );
}

#[test]
fn a_worker_of_root_is_nobody_without_capabilities() {
    let own = fs::read_to_string("/proc/self/status").expect("a file");
    assert_eq!(value(&own, "Uid:"), "0", "run the tests as root");
    let worker = Waiting::start();
    assert_eq!(
        (worker.status("Uid"), worker.status("Gid")),
        ("65534".into(), "65534".into())
    );
    for set in ["CapEff", "CapPrm", "CapInh"] {
        assert_eq!(worker.status(set), "0000000000000000", "{set}");
    }
    assert_eq!(worker.status("Groups"), "");
}

#[test]
fn a_worker_ends_when_nobody_gives_orders_any_more() {
    let mut worker = Waiting::start();
    drop(worker.0.stdin.take());
    let mut said = Vec::new();
    let output = worker.0.stdout.as_mut().expect("its output");
    output.read_to_end(&mut said).expect("its end");
    assert_eq!(said, b"");
    assert!(worker.0.wait().expect("its end").success());
}
