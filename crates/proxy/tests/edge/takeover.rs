//! Routes change under load, releases are drained, apps are held: nobody sees a failure.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::Duration;

use ports::Traffic;
use ports::traffic::{Drained, Ending};
use proxy::Limits;

use crate::bench::*;

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";

/// A server whose answers take until the sender says so.
fn slow() -> (std::net::SocketAddr, mpsc::Sender<()>, Arc<AtomicUsize>) {
    let (go, wait) = mpsc::channel::<()>();
    let (wait, asked) = (std::sync::Mutex::new(wait), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let address = serve_with(move |_, stream| {
        count.fetch_add(1, SeqCst);
        let _ = wait.lock().expect("no panic").recv();
        reply(stream, "200 OK", "", "slow")
    });
    (address, go, asked)
}

/// A server that counts what it is asked.
fn counts(text: &'static str) -> (std::net::SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let address = serve_with(move |_, stream| {
        count.fetch_add(1, SeqCst);
        reply(stream, "200 OK", "", text)
    });
    (address, asked)
}

/// Four clients that ask until `done`; each answer must be whole and one of the two servers'.
fn crowd(
    edge: std::net::SocketAddr,
    done: &Arc<AtomicBool>,
    answered: &Arc<AtomicUsize>,
) -> [std::thread::JoinHandle<()>; 4] {
    [0, 1, 2, 3].map(|_| {
        let (done, answered) = (Arc::clone(done), Arc::clone(answered));
        std::thread::spawn(move || {
            let mut client = Client::to(edge);
            while !done.load(SeqCst) {
                let answer = client.ask(REQUEST);
                assert_eq!(answer.status, 200, "{}", answer.text());
                assert!(answer.whole && matches!(answer.text().as_str(), "one" | "two"));
                answered.fetch_add(1, SeqCst);
            }
        })
    })
}

#[tokio::test]
async fn no_request_fails_while_routes_are_swapped_and_drained_releases_are_not_asked() {
    let bench = Bench::start();
    let servers = [counts("one"), counts("two")];
    let port = bench.serve(server(1, servers[0].0)).await;
    let (done, answered) = (Arc::default(), Arc::default());
    let clients = crowd(bench.edge.edge(), &done, &answered);
    for swap in 0..150_u32 {
        let (new, old) = (swap as usize % 2, (swap as usize + 1) % 2);
        let target = server(new as u32 + 1, servers[new].0);
        let new_route = route(port, vec![(100, target)]);
        bench.edge.set(new_route).await.expect("a route");
        let drained = bench.edge.drain(&release(old as u32 + 1), PATIENCE).await;
        assert_eq!(drained, Drained::Complete);
        let before = (servers[old].1.load(SeqCst), answered.load(SeqCst));
        until("answers", || answered.load(SeqCst) >= before.1 + 20).await;
        let after = servers[old].1.load(SeqCst);
        assert_eq!(after, before.0, "a drained release is not asked");
    }
    done.store(true, SeqCst);
    for client in clients {
        client.join().expect("no request failed");
    }
    let seen = bench.observed(answered.load(SeqCst)).await;
    assert!(seen.len() >= 3_000, "{} requests", seen.len());
    let good = |(_, status, end): &(_, u16, Ending)| (*status, *end) == (200, Ending::Complete);
    assert!(seen.iter().all(good));
}

#[tokio::test]
async fn a_drain_waits_for_requests_under_way() {
    let bench = Arc::new(Bench::start());
    let (address, go, asked) = slow();
    let port = bench.serve(server(1, address)).await;
    let edge = bench.edge.edge();
    let client = std::thread::spawn(move || Client::to(edge).ask(REQUEST));
    until("the request", || asked.load(SeqCst) == 1).await;
    bench
        .edge
        .set(route(port, vec![(100, server(2, says("two")))]))
        .await
        .expect("a route");
    assert_eq!(bench.get("/").text(), "two");
    let drain = {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.edge.drain(&release(1), PATIENCE).await })
    };
    tokio::task::yield_now().await;
    assert!(!drain.is_finished());
    go.send(()).expect("the server waits");
    assert_eq!(drain.await.expect("no panic"), Drained::Complete);
    assert_eq!(client.join().expect("no panic").text(), "slow");
}

#[tokio::test]
async fn at_the_deadline_streams_end_in_good_order_and_unanswered_requests_are_told() {
    let bench = Arc::new(Bench::start());
    let streams = serve_with(|asked, stream| match asked.path() {
        "/events" => {
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                        transfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.read(&mut [0]);
            false
        }
        "/large" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
            let _ = stream.read(&mut [0]);
            false
        }
        _ => {
            let _ = stream.read(&mut [0]);
            false
        }
    });
    bench.serve(server(1, streams)).await;
    let ask = |path: &'static str| {
        let edge = bench.edge.edge();
        std::thread::spawn(move || {
            let request = format!("GET {path} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
            Client::to(edge).ask(request)
        })
    };
    let (events, large, never) = (ask("/events"), ask("/large"), ask("/never"));
    let under_way = || {
        bench
            .edge
            .tallies()
            .iter()
            .map(|tally| tally.under_way)
            .sum::<usize>()
    };
    until("three requests", || under_way() == 3).await;
    let drained = bench
        .edge
        .drain(&release(1), Duration::from_millis(100))
        .await;
    assert_eq!(drained, Drained::Cut(3));
    let events = events.join().expect("no panic");
    assert!(events.whole, "the stream has its last chunk");
    assert_eq!(events.text(), "data: 1\n\n");
    let never = never.join().expect("no panic");
    assert_eq!(never.status, 503);
    assert!(never.header("retry-after").is_some());
    assert!(
        !large.join().expect("no panic").whole,
        "half a file is not taken for whole"
    );
}

#[tokio::test]
async fn event_streams_pass_unbuffered() {
    let bench = Bench::start();
    let (go, wait) = mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let address = serve_with(move |_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                    transfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        for _ in 0..2 {
            let _ = stream.write_all(b"9\r\ndata: 1\n\n\r\n");
            let _ = wait.lock().expect("no panic").recv();
        }
        stream.write_all(b"0\r\n\r\n").is_ok()
    });
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    client
        .stream
        .write_all(REQUEST.as_bytes())
        .expect("the edge listens");
    let mut seen = Vec::new();
    for event in 1..=2 {
        let mut piece = [0; 1024];
        while String::from_utf8_lossy(&seen).matches("data: 1").count() < event {
            let read = client.stream.read(&mut piece).expect("an event");
            seen.extend_from_slice(&piece[..read]);
        }
        go.send(()).expect("the server waits");
    }
}

#[tokio::test]
async fn held_requests_wait_and_then_go_to_the_new_release() {
    let bench = Arc::new(Bench::start());
    let port = bench.serve(server(1, says("one"))).await;
    let hold = bench.edge.hold(&shop()).await;
    let second_hold = bench.edge.hold(&shop()).await;
    let edge = bench.edge.edge();
    let client = std::thread::spawn(move || Client::to(edge).ask(REQUEST));
    assert_eq!(
        bench.edge.drain(&release(1), PATIENCE).await,
        Drained::Complete
    );
    bench
        .edge
        .set(route(port, vec![(100, server(2, says("two")))]))
        .await
        .expect("a route");
    drop(hold);
    assert!(!client.is_finished(), "somebody still holds the app");
    drop(second_hold);
    let answer = client.join().expect("no panic");
    assert_eq!((answer.status, answer.text().as_str()), (200, "two"));
}

#[tokio::test]
async fn a_request_is_not_held_for_ever() {
    let bench = Bench::with(Limits {
        hold: Duration::from_millis(30),
        ..Limits::default()
    });
    bench.serve(server(1, says("one"))).await;
    let hold = bench.edge.hold(&shop()).await;
    let answer = bench.get("/");
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    drop(hold);
    assert_eq!(bench.get("/").status, 200);
}

#[tokio::test]
async fn closing_the_edge_lets_requests_end_and_frees_its_ports() {
    let bench = Arc::new(Bench::start());
    let (address, go, asked) = slow();
    let port = bench.serve(server(1, address)).await;
    let edge = bench.edge.edge();
    let client = std::thread::spawn(move || Client::to(edge).ask(REQUEST));
    until("the request", || asked.load(SeqCst) == 1).await;
    let close = {
        let bench = Arc::clone(&bench);
        tokio::spawn(async move { bench.edge.close(PATIENCE).await })
    };
    until("closed doors", || {
        std::net::TcpStream::connect(edge).is_err()
    })
    .await;
    go.send(()).expect("the server waits");
    close.await.expect("no panic");
    assert_eq!(client.join().expect("no panic").text(), "slow");
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}
