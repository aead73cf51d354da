//! An instance's life: start, listen, end, removal.

use std::time::Duration;

use crate::support::Room;
use model::instance::{Exit, InstanceState};
use ports::runtime::{Runtime, Termination};

const SERVER: &[&str] = &["python3", "-m", "http.server", "8080"];

#[tokio::test]
async fn a_server_starts_is_found_and_stops() {
    let room = Room::new();
    let launch = room.launch("shop", &[("index.html", "hello")], SERVER);
    let before = std::time::Instant::now();
    let id = room.start(launch).await;
    println!("started in {:?}", before.elapsed());
    assert_eq!(id.to_string(), "shop.r1.1");
    let upstream = room.listens(&id).await;
    println!("listens after {:?}", before.elapsed());
    assert_eq!(upstream.address.to_string(), "127.0.0.1:8080");
    let state = room.sandboxes.state(&id).await.expect("a state");
    assert!(
        matches!(state, InstanceState::Running { oom_kills: 0, .. }),
        "{state:?}"
    );

    let graceful = Termination::Graceful(Duration::from_secs(10));
    let before = std::time::Instant::now();
    room.sandboxes.stop(&id, graceful).await.expect("stopped");
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "SIGTERM reached it"
    );
    let state = room.sandboxes.ended(&id).await.expect("a state");
    let exit = Exit::Signal { signal: 15 };
    assert!(
        matches!(state, InstanceState::Exited { exit: found, .. } if found == exit),
        "{state:?}"
    );

    room.sandboxes.remove(&id).await.expect("removed");
    assert_eq!(room.sandboxes.list().await.expect("a list"), []);
}
