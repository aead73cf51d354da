//! What a supervisor costs while its app does nothing.

use ports::runtime::Runtime;

use crate::support::{Room, pid_in};

const INSTANCES: u64 = 10;
/// A generous bound for builds without optimisation; an optimised one needs half.
const BOUND_KIB: u64 = 768;

/// The process's share of memory, in KiB. Source: proc_pid_smaps_rollup(5).
fn pss_kib(pid: i32) -> u64 {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(path).expect("a running process");
    let line = text.lines().find(|line| line.starts_with("Pss:"));
    let size = line.and_then(|line| line.split_whitespace().nth(1));
    size.and_then(|size| size.parse().ok()).expect("a size")
}

#[tokio::test]
async fn a_waiting_supervisor_is_small() {
    let room = Room::new();
    let mut supervisors = 0;
    let mut inits = 0;
    for _ in 0..INSTANCES {
        room.start(room.launch("idle", &[], &["sleep", "600"]))
            .await;
    }
    for id in room.sandboxes.list().await.expect("a list") {
        supervisors += pss_kib(pid_in(&room, &id, "supervisor").as_raw_nonzero().get());
        inits += pss_kib(pid_in(&room, &id, "init").as_raw_nonzero().get());
    }
    let (each, init) = (supervisors / INSTANCES, inits / INSTANCES);
    println!("a supervisor has {each} KiB, a sandbox's first process {init} KiB");
    assert!(each < BOUND_KIB, "{each} KiB");
    room.stop_all().await;
}
