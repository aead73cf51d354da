//! Limits, freezing, memory, logs.

use std::time::{Duration, Instant};

use model::instance::{Exit, InstanceState};
use model::limits::{MIB, RunLimits};
use ports::runtime::{Runtime, RuntimeError, Termination};

use crate::support::{Room, until};

fn exit_of(state: &InstanceState) -> Exit {
    match state {
        InstanceState::Exited { exit, .. } => *exit,
        running => panic!("{running:?}"),
    }
}

#[tokio::test]
async fn a_memory_eater_is_killed_and_told_apart() {
    let room = Room::new();
    let eater = "print('begun'); x = bytearray(400_000_000); print('survived')";
    let (state, lines) = room.python("eater", eater).await;
    assert_eq!(exit_of(&state), Exit::OutOfMemory);
    assert_eq!(lines, ["o begun"]);
    // The control: what fits is not killed.
    let modest = "x = bytearray(40_000_000); print('survived')";
    let (state, lines) = room.python("modest", modest).await;
    assert_eq!(exit_of(&state), Exit::Code { code: 0 });
    assert_eq!(lines, ["o survived"]);
}

#[tokio::test]
async fn a_killed_worker_is_counted_while_the_app_lives() {
    let room = Room::new();
    let script = "
import os, time
if os.fork() == 0:
    open('/proc/self/oom_score_adj', 'w').write('1000')
    x = bytearray(400_000_000)
os.wait()
print('worker died')
time.sleep(600)
";
    let launch = room.launch("boss", &[("main.py", script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.printed(&id, "o worker died").await;
    let state = room.sandboxes.state(&id).await.expect("a state");
    assert!(
        matches!(state, InstanceState::Running { oom_kills: 1, .. }),
        "{state:?}"
    );
    room.stop_all().await;
}

#[tokio::test]
async fn an_exit_just_after_a_workers_memory_kill_is_out_of_memory() {
    let room = Room::new();
    let script = "
import os, sys
if os.fork() == 0:
    open('/proc/self/oom_score_adj', 'w').write('1000')
    x = bytearray(400_000_000)
os.wait()
sys.exit(3)
";
    let (state, _) = room.python("boss", script).await;
    assert_eq!(exit_of(&state), Exit::OutOfMemory);
}

#[tokio::test]
async fn a_fork_bomb_is_limited() {
    let room = Room::new();
    let script = "
import os, time
made = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(600)
        made += 1
except OSError as e:
    print(made, e.errno)
";
    let mut launch = room.launch("bomb", &[("main.py", script)], &["python3", "main.py"]);
    launch.limits.pids = 20;
    let (state, lines) = room.run(launch).await;
    assert_eq!(exit_of(&state), Exit::Code { code: 0 });
    assert_eq!(lines, ["o 19 11"]);
}

#[tokio::test]
async fn the_cpu_is_limited_after_the_burst() {
    let room = Room::new();
    let script = "
import time
while True:
    wall, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - wall < 0.3:
        pass
    print('slow' if (time.process_time() - cpu) / 0.3 < 0.4 else 'fast')
";
    let mut launch = room.launch("busy", &[("main.py", script)], &["python3", "main.py"]);
    launch.limits.cpu_millis = 100;
    let id = room.start(launch).await;
    room.printed(&id, "o fast").await;
    room.sandboxes.settle(&id).await.expect("settled");
    room.printed(&id, "o slow").await;
    room.stop_all().await;
}

#[tokio::test]
async fn a_frozen_instance_stands_still_and_goes_on() {
    let room = Room::new();
    let script = "
import time
n = 0
while True:
    n += 1
    print(n)
    time.sleep(0.01)
";
    let launch = room.launch("clock", &[("main.py", script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.printed(&id, "o 3").await;
    room.sandboxes.freeze(&id).await.expect("frozen");
    let state = room.sandboxes.state(&id).await.expect("a state");
    assert!(matches!(state, InstanceState::Frozen { .. }), "{state:?}");
    // What was in the pipe is written within this time; what comes later would be new.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let count = room.lines(&id).await.len();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(room.lines(&id).await.len(), count);
    room.sandboxes.thaw(&id).await.expect("thawed");
    until(async || room.lines(&id).await.len() > count).await;

    room.sandboxes.freeze(&id).await.expect("frozen");
    let before = Instant::now();
    let graceful = Termination::Graceful(Duration::from_secs(20));
    room.sandboxes.stop(&id, graceful).await.expect("stopped");
    assert!(before.elapsed() < Duration::from_secs(10));
    room.stop_all().await;
}

#[tokio::test]
async fn an_app_that_ignores_signals_is_killed_in_the_end() {
    let room = Room::new();
    let script = "
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print('no'))
print('ready')
while True: time.sleep(600)
";
    let launch = room.launch("mule", &[("main.py", script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.printed(&id, "o ready").await;
    let graceful = Termination::Graceful(Duration::from_millis(300));
    room.sandboxes.stop(&id, graceful).await.expect("stopped");
    let state = room.sandboxes.ended(&id).await.expect("an end");
    assert_eq!(exit_of(&state), Exit::Signal { signal: 9 });
    assert!(room.lines(&id).await.contains(&"o no".to_owned()));
    // Stopping what has ended is no error.
    room.sandboxes
        .stop(&id, Termination::Now)
        .await
        .expect("no error");
    room.stop_all().await;
}

#[tokio::test]
async fn a_shells_server_is_asked_to_end_too() {
    let room = Room::new();
    let script = "
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0)))
print('ready')
while True: time.sleep(600)
";
    let command = ["sh", "-c", "python3 main.py; echo after"];
    let launch = room.launch("shell", &[("main.py", script)], &command);
    let id = room.start(launch).await;
    room.printed(&id, "o ready").await;
    let graceful = Termination::Graceful(Duration::from_secs(10));
    room.sandboxes.stop(&id, graceful).await.expect("stopped");
    room.printed(&id, "o bye").await;
    room.stop_all().await;
}

#[tokio::test]
async fn logs_rotate_and_keep_both_streams() {
    let room = Room::new();
    let script = "
import sys
print('an error', file=sys.stderr)
for n in range(2000): print('line', n)
print('x' * 100000)
sys.stdout.write('no newline')
";
    let mut launch = room.launch("wordy", &[("main.py", script)], &["python3", "main.py"]);
    launch.limits = RunLimits {
        log_file_bytes: 40_000,
        log_files: 2,
        ..launch.limits
    };
    let id = room.start(launch).await;
    room.sandboxes.ended(&id).await.expect("an end");
    let files = room.sandboxes.logs(&id).await.expect("logs");
    assert_eq!(files.len(), 2);
    for file in &files {
        assert!(std::fs::metadata(file).expect("a log").len() <= 40_000);
    }
    let lines = room.lines(&id).await;
    assert_eq!(lines.last().map(String::as_str), Some("o no newline"));
    assert_eq!(
        lines[lines.len() - 2].len(),
        2 + 16 * 1024,
        "a long line is cut"
    );
    assert!(lines.contains(&"o line 1999".to_owned()));
    room.stop_all().await;
}

#[tokio::test]
async fn commands_before_the_app_run_first_and_their_failure_is_told() {
    let room = Room::new();
    let files = [
        (
            "migrate.py",
            "open('made', 'w').write('by migration'); print('migrating')",
        ),
        ("fail.py", "print('no table'); raise SystemExit(4)"),
        ("main.py", "print(open('made').read())"),
    ];
    let mut launch = room.launch("django", &files, &["python3", "main.py"]);
    launch.process.before = vec![vec!["python3".into(), "migrate.py".into()]];
    let (state, lines) = room.run(launch.clone()).await;
    assert_eq!(exit_of(&state), Exit::Code { code: 0 });
    assert_eq!(lines, ["o migrating", "o by migration"]);

    launch
        .process
        .before
        .push(vec!["python3".into(), "fail.py".into()]);
    match room.sandboxes.start(launch).await.expect_err("a failure") {
        RuntimeError::Before {
            command,
            exit,
            lines,
        } => {
            assert_eq!(command, "python3 fail.py");
            assert_eq!(exit, Exit::Code { code: 4 });
            assert_eq!(lines, ["migrating", "no table"]);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(room.sandboxes.list().await.expect("a list"), []);
}

#[tokio::test]
async fn what_it_uses_is_measured() {
    let room = Room::new();
    let script = "
open('big', 'wb').write(b'x' * 5_000_000)
x = bytearray(30_000_000)
print('full')
import time; time.sleep(600)
";
    let launch = room.launch("full", &[("main.py", script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.printed(&id, "o full").await;
    let size = room.sandboxes.size_bytes(&id).await.expect("a size");
    assert!((5_000_000..8_000_000).contains(&size), "{size}");
    let memory = room.sandboxes.memory_bytes(&id).await.expect("memory");
    assert!((30_000_000..64 * MIB).contains(&memory), "{memory}");
    room.stop_all().await;
}
