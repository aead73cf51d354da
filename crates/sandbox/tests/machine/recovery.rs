//! What is left when a daemon or a supervisor is killed.

use model::instance::{Exit, InstanceState};
use ports::runtime::{Runtime, Termination};
use rustix::process::{Pid, Signal, kill_process};
use sandbox::{Sweep, sweep_leftovers};

use crate::support::{Room, pid_in, until};

const SLEEPER: &[&str] = &["sleep", "600"];

fn runs(pid: Pid) -> bool {
    rustix::process::test_kill_process(pid).is_ok()
}

#[tokio::test]
async fn a_later_daemon_finds_its_instances() {
    let room = Room::new();
    let id = room.start(room.launch("shop", &[], SLEEPER)).await;
    let later = room.reopened();
    assert_eq!(
        later.list().await.expect("a list"),
        std::slice::from_ref(&id)
    );
    let state = later.state(&id).await.expect("a state");
    assert!(matches!(state, InstanceState::Running { .. }), "{state:?}");
    assert_eq!(
        sweep_leftovers(&later, Sweep::Unfinished).expect("swept"),
        0
    );
    later.stop(&id, Termination::Now).await.expect("stopped");
    let state = later.ended(&id).await.expect("a state");
    assert!(matches!(state, InstanceState::Exited { .. }), "{state:?}");
    // The next start of the release has a name of its own.
    let next = room.start(room.launch("shop", &[], SLEEPER)).await;
    assert_eq!(next.to_string(), "shop.r1.2");
    room.stop_all().await;
}

#[tokio::test]
async fn a_killed_supervisor_takes_its_sandbox_along() {
    let room = Room::new();
    let id = room.start(room.launch("shop", &[], SLEEPER)).await;
    let (supervisor, init) = (pid_in(&room, &id, "supervisor"), pid_in(&room, &id, "init"));
    assert!(runs(init));
    kill_process(supervisor, Signal::KILL).expect("killed");
    let state = room.sandboxes.ended(&id).await.expect("a state");
    let killed = Exit::Signal { signal: 9 };
    assert!(
        matches!(state, InstanceState::Exited { exit, .. } if exit == killed),
        "{state:?}"
    );
    until(async || !runs(init)).await;
    room.sandboxes.remove(&id).await.expect("removed");
}

#[tokio::test]
async fn a_killed_supervisor_takes_a_frozen_sandbox_along() {
    let room = Room::new();
    let id = room.start(room.launch("shop", &[], SLEEPER)).await;
    room.sandboxes.freeze(&id).await.expect("frozen");
    let init = pid_in(&room, &id, "init");
    kill_process(pid_in(&room, &id, "supervisor"), Signal::KILL).expect("killed");
    let state = room.sandboxes.ended(&id).await.expect("a state");
    assert!(matches!(state, InstanceState::Exited { .. }), "{state:?}");
    until(async || !runs(init)).await;
    room.sandboxes.remove(&id).await.expect("removed");
}

#[tokio::test]
async fn a_start_that_nobody_waits_for_is_undone() {
    let room = Room::new();
    let mut launch = room.launch("slow", &[], SLEEPER);
    launch.process.before = vec![vec!["sleep".into(), "600".into()]];
    let sandboxes = room.sandboxes.clone();
    let task = tokio::spawn(async move { sandboxes.start(launch).await });
    let folder = room.path("sandboxes").join("slow.r1.1");
    until(async || folder.join("supervisor.json").exists()).await;
    task.abort();
    until(async || !folder.exists()).await;
    assert_eq!(room.sandboxes.list().await.expect("a list"), []);
}

#[tokio::test]
async fn half_made_folders_and_orphan_groups_are_swept() {
    let room = Room::new();
    let kept = room.start(room.launch("kept", &[], SLEEPER)).await;
    let lost = room.start(room.launch("lost", &[], SLEEPER)).await;
    let folder = room.path("sandboxes");
    std::fs::create_dir(folder.join("half.r1.1")).expect("a folder");
    let init = pid_in(&room, &lost, "init");
    std::fs::remove_dir_all(folder.join(lost.to_string())).expect("removed");
    assert_eq!(
        sweep_leftovers(&room.sandboxes, Sweep::Unfinished).expect("swept"),
        2
    );
    assert!(!folder.join("half.r1.1").exists());
    until(async || !runs(init)).await;
    assert_eq!(
        room.sandboxes.list().await.expect("a list"),
        std::slice::from_ref(&kept)
    );
    let state = room.sandboxes.state(&kept).await.expect("a state");
    assert!(matches!(state, InstanceState::Running { .. }), "{state:?}");
    room.stop_all().await;
}

#[tokio::test]
async fn a_killed_nursery_is_started_again_and_its_supervisors_live_on() {
    let room = Room::new();
    let first = room.start(room.launch("one", &[], SLEEPER)).await;
    let keeper = pid_in(&room, &first, "supervisor");
    let nursery = children_of(keeper)
        .into_iter()
        .find(|pid| command_line(*pid).ends_with(&format!("{}\0", room.folder.path().display())))
        .expect("a nursery");
    kill_process(nursery, Signal::KILL).expect("killed");
    let second = room.start(room.launch("two", &[], SLEEPER)).await;
    for id in [first, second] {
        let state = room.sandboxes.state(&id).await.expect("a state");
        assert!(matches!(state, InstanceState::Running { .. }), "{state:?}");
    }
    room.stop_all().await;
}

fn children_of(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero();
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: &i32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        status
            .lines()
            .any(|line| line == format!("PPid:\t{parent}"))
    };
    pids.filter(is_child).filter_map(Pid::from_raw).collect()
}

fn command_line(pid: Pid) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default()
}
