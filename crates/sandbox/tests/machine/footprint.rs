//! What keeping sandboxes costs while their apps do nothing.

use ports::runtime::Runtime;

use crate::support::{Room, pid_in};

const INSTANCES: u64 = 10;
/// Of the keeper of all of them; generous, for builds without optimisation.
const KEEPER_KIB: u64 = 6 * 1024;
/// Of each sandbox's first process.
const INIT_KIB: u64 = 48;

/// The process's share of memory, in KiB. Source: proc_pid_smaps_rollup(5).
fn pss_kib(pid: i32) -> u64 {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = std::fs::read_to_string(path).expect("a running process");
    let line = text.lines().find(|line| line.starts_with("Pss:"));
    let size = line.and_then(|line| line.split_whitespace().nth(1));
    size.and_then(|size| size.parse().ok()).expect("a size")
}

#[tokio::test]
async fn waiting_sandboxes_share_one_keeper_and_have_small_first_processes() {
    let room = Room::new();
    let mut keepers = std::collections::BTreeSet::new();
    let mut inits = 0;
    for _ in 0..INSTANCES {
        room.start(room.launch("idle", &[], &["sleep", "600"]))
            .await;
    }
    for id in room.sandboxes.list().await.expect("a list") {
        keepers.insert(pid_in(&room, &id, "supervisor").as_raw_nonzero().get());
        inits += pss_kib(pid_in(&room, &id, "init").as_raw_nonzero().get());
    }
    let init = inits / INSTANCES;
    let keeper: u64 = keepers.iter().map(|pid| pss_kib(*pid)).sum();
    println!("the keeper has {keeper} KiB, a sandbox's first process {init} KiB");
    assert_eq!(keepers.len(), 1);
    assert!(keeper < KEEPER_KIB, "{keeper} KiB");
    assert!(init < INIT_KIB, "{init} KiB");
    room.stop_all().await;
}
