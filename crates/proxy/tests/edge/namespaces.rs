//! Apps that all listen on 127.0.0.1, each in a network of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use nix::sched::{CloneFlags, unshare};
use ports::Traffic;
use ports::traffic::{Route, Target};

use crate::bench::*;

/// A network namespace with its loopback up; it lives as long as its holder sleeps.
struct Network {
    holder: Child,
}

impl Network {
    fn new() -> Self {
        let (made, wait) = mpsc::channel();
        // A thread of its own enters the new namespace; what it spawns stays there.
        std::thread::spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("tests run as root");
            loopback_up();
            let holder = Command::new("sleep")
                .arg("600")
                .stdin(Stdio::null())
                .spawn();
            made.send(holder.expect("sleep")).expect("the test waits");
        });
        let holder = wait.recv().expect("a namespace");
        Self { holder }
    }

    fn path(&self) -> PathBuf {
        format!("/proc/{}/ns/net", self.holder.id()).into()
    }

    /// Starts a server at this port of 127.0.0.1 within.
    fn says(&self, port: u16, text: &'static str) {
        let (path, (ready, wait)) = (self.path(), mpsc::channel());
        std::thread::spawn(move || {
            let network = std::fs::File::open(path).expect("a namespace");
            nix::sched::setns(network, CloneFlags::CLONE_NEWNET).expect("tests run as root");
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            serve_at(address, move |_, stream| reply(stream, "200 OK", "", text));
            ready.send(()).expect("the test waits");
        });
        wait.recv().expect("a server");
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Brings `lo` of this thread's network up.
fn loopback_up() {
    let up = Command::new("ip")
        .args(["link", "set", "lo", "up"])
        .status();
    assert!(
        up.is_ok_and(|status| status.success()),
        "`ip link set lo up` works"
    );
}

fn app(name: &str, port: u16, target: Target) -> Route {
    Route {
        app: name.parse().expect("a name"),
        releases: vec![target.clone()],
        split: vec![(100, target)],
        assets_of: None,
        local_port: port,
        down: String::new(),
    }
}

#[tokio::test]
async fn apps_on_the_same_address_and_port_never_answer_for_each_other() {
    let bench = Bench::start();
    let names = ["one", "two", "three"];
    let networks = names.map(|_| Network::new());
    for (name, network) in names.into_iter().zip(&networks) {
        network.says(8080, name);
        let mut target = server(1, SocketAddr::from(([127, 0, 0, 1], 8080)));
        target.release = format!("{name}.r1").parse().expect("a release");
        let upstream = target.upstream.as_mut().expect("a server");
        upstream.netns = network.path();
        upstream.instance = format!("{name}.r1.1").parse().expect("an instance");
        assert_eq!(
            bench
                .edge
                .probe(&target, "/", PATIENCE)
                .await
                .expect("a status"),
            200
        );
        let port = bench.edge.free_port().await.expect("a port");
        bench
            .edge
            .set(app(name, port, target))
            .await
            .expect("a route");
    }
    let mut client = Client::to(bench.edge.edge());
    for round in 0..300 {
        let name = names[round % 3];
        let answer = client.ask(format!("GET / HTTP/1.1\r\nhost: {name}.localhost\r\n\r\n"));
        assert_eq!((answer.status, answer.text().as_str()), (200, name));
    }
    // Outside of those networks nobody listens there: the answers came from within.
    assert!(std::net::TcpStream::connect("127.0.0.1:8080").is_err());
}

#[tokio::test]
async fn a_worker_that_dialed_inside_listens_and_dials_outside_again() {
    let bench = Bench::start();
    let network = Network::new();
    network.says(8080, "inside");
    let mut inside = server(1, SocketAddr::from(([127, 0, 0, 1], 8080)));
    inside.upstream.as_mut().expect("a server").netns = network.path();
    let port = bench.serve(inside).await;
    assert_eq!(bench.get("/").text(), "inside");
    bench
        .edge
        .set(route(port, vec![(100, server(2, says("outside")))]))
        .await
        .expect("a route");
    for _ in 0..8 {
        assert_eq!(bench.get("/").text(), "outside");
    }
}
