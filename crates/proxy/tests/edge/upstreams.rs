//! How apps are asked: what they get, how connections are kept, what happens when they fail.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use ports::Traffic;
use ports::traffic::Ending;

use crate::bench::*;

/// A server that shows the request that it got.
fn mirror() -> SocketAddr {
    serve_with(|asked, stream| {
        let head = asked.head.clone();
        reply(stream, "200 OK", "", &head)
    })
}

#[tokio::test]
async fn an_app_learns_who_asked_and_under_which_name() {
    let bench = Bench::start();
    bench.serve(server(1, mirror())).await;
    let answer = bench.send(
        "GET /a%20b?c=d HTTP/1.1\r\nHost: Shop.localhost:1\r\nX-Forwarded-For: 10.0.0.1\r\n\
         Connection: close, X-Private\r\nX-Private: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n\
         Cookie: a=b\r\n\r\n",
    );
    let got = answer.text();
    assert!(got.starts_with("GET /a%20b?c=d HTTP/1.1\r\n"), "{got}");
    for line in [
        "host: Shop.localhost:1",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: Shop.localhost:1",
        "x-forwarded-proto: http",
        "cookie: a=b",
        "x-request-id: ",
        "traceparent: 00-",
    ] {
        assert!(got.contains(line), "{line} is missing: {got}");
    }
    for line in ["x-private", "keep-alive", "te:", "10.0.0.1", "connection"] {
        assert!(!got.contains(line), "{line} is there: {got}");
    }
}

#[tokio::test]
async fn hop_by_hop_headers_of_an_answer_stop_at_the_edge() {
    let bench = Bench::start();
    let address = serve_with(|_, stream| {
        let headers = "connection: x-inner\r\nx-inner: 1\r\nkeep-alive: timeout=5\r\nx-outer: 2\r\n\
                       set-cookie: a=b\r\nset-cookie: c=d\r\n";
        reply(stream, "200 OK", headers, "hi")
    });
    bench.serve(server(1, address)).await;
    let answer = bench.get("/");
    assert_eq!(answer.header("x-outer"), Some("2"));
    assert_eq!(answer.head.matches("set-cookie").count(), 2);
    assert!(!answer.head.contains("x-inner") && !answer.head.contains("keep-alive"));
}

#[tokio::test]
async fn answers_without_a_body_leave_the_connection_in_order() {
    let bench = Bench::start();
    let address = serve_with(|asked, stream| match asked.path() {
        "/204" => stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").is_ok(),
        "/304" => stream
            .write_all(b"HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n")
            .is_ok(),
        "/head" => stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
            .is_ok(),
        "/early" => stream
            .write_all(
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
            )
            .is_ok(),
        _ => reply(stream, "200 OK", "", "body"),
    });
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    for (method, path, status, length, text) in [
        ("GET", "/204", 204, None, ""),
        ("GET", "/304", 304, None, ""),
        ("HEAD", "/head", 200, Some("5"), ""),
        ("GET", "/early", 200, Some("2"), "ok"),
        ("GET", "/", 200, Some("4"), "body"),
    ] {
        let request = format!("{method} {path} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
        let answer = client.ask(request);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{path}"
        );
        assert_eq!(answer.header("content-length"), length, "{path}");
    }
}

#[tokio::test]
async fn connections_are_kept_for_a_moment_and_not_longer() {
    let bench = Bench::start();
    let (opened, closed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let counts = (Arc::clone(&opened), Arc::clone(&closed));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), closed) = (stream, Arc::clone(&counts.1)) else {
                return;
            };
            counts.0.fetch_add(1, SeqCst);
            std::thread::spawn(move || {
                let mut space = [0; 4096];
                while let Ok(1..) = stream.read(&mut space) {
                    reply(&mut stream, "200 OK", "", "hi");
                }
                closed.fetch_add(1, SeqCst);
            });
        }
    });
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    for _ in 0..50 {
        client.ask("GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
    }
    assert_eq!(opened.load(SeqCst), 1, "one connection serves one client");
    let began = Instant::now();
    until("a closed connection", || closed.load(SeqCst) == 1).await;
    let idle = began.elapsed();
    assert!(idle < Duration::from_millis(1_100), "{idle:?}");
}

#[tokio::test]
async fn a_drain_closes_idle_connections_at_once() {
    let bench = Bench::start();
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut space = [0; 4096];
        while let Ok(1..) = stream.read(&mut space) {
            reply(&mut stream, "200 OK", "", "hi");
        }
        count.fetch_add(1, SeqCst);
    });
    bench.serve(server(1, address)).await;
    assert_eq!(bench.get("/").text(), "hi");
    bench.edge.drain(&release(1), PATIENCE).await;
    let began = Instant::now();
    until("a closed connection", || closed.load(SeqCst) == 1).await;
    assert!(began.elapsed() < Duration::from_millis(500));
}

#[tokio::test]
async fn a_connection_that_the_app_closed_meanwhile_costs_no_request() {
    let bench = Bench::start();
    // Answers one request on each connection and closes it at the next, before any byte.
    let address = serve_with({
        let count = AtomicUsize::new(0);
        move |_, stream| match count.fetch_add(1, SeqCst) % 2 {
            0 => reply(stream, "200 OK", "", "hi"),
            _ => false,
        }
    });
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    for _ in 0..20 {
        let answer = client.ask("GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_request_that_may_not_be_repeated_is_sent_once() {
    let bench = Bench::start();
    let posts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&posts);
    let address = serve_with(move |asked, stream| {
        if asked.head.starts_with("POST") {
            count.fetch_add(1, SeqCst);
            return false;
        }
        reply(stream, "200 OK", "", "hi")
    });
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    client.ask("GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
    let post = "POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 2\r\n\r\nhi";
    assert_eq!(client.ask(post).status, 502);
    assert_eq!(posts.load(SeqCst), 1);
    let seen = bench.observed(2).await;
    assert_eq!(seen[1], (release(1), 502, Ending::UpstreamBroke));
}

#[tokio::test]
async fn an_app_that_breaks_off_is_not_taken_for_whole() {
    let bench = Bench::start();
    let address = serve_with(|asked, stream| {
        let head: &[u8] = match asked.path() {
            "/chunked" => b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        };
        let _ = stream.write_all(head);
        false
    });
    bench.serve(server(1, address)).await;
    assert!(!bench.get("/chunked").whole);
    assert!(!bench.get("/sized").whole);
    let seen = bench.observed(2).await;
    assert!(
        seen.iter()
            .all(|(.., ending)| *ending == Ending::UpstreamBroke),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_client_that_leaves_is_seen_and_the_app_is_let_go() {
    let bench = Bench::start();
    let let_go = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&let_go);
    let address = serve_with(move |_, stream| {
        let _ = stream.read(&mut [0]);
        count.fetch_add(1, SeqCst);
        false
    });
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    let request = b"GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    client.stream.write_all(request).expect("the edge listens");
    let under_way = || {
        bench
            .edge
            .tallies()
            .iter()
            .any(|tally| tally.under_way == 1)
    };
    until("a request", under_way).await;
    drop(client);
    let seen = bench.observed(1).await;
    assert_eq!(seen, [(release(1), 499, Ending::ClientGone)]);
    until("the end of its connection", || let_go.load(SeqCst) == 1).await;
}

#[tokio::test]
async fn a_server_for_one_connection_at_a_time_keeps_nobody_waiting() {
    let bench = Bench::start();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut space = [0; 4096];
            while let Ok(1..) = stream.read(&mut space) {
                reply(&mut stream, "200 OK", "", "hi");
            }
        }
    });
    bench.serve(server(1, address)).await;
    let edge = bench.edge.edge();
    let began = Instant::now();
    let clients = [0, 1, 2, 3, 4, 5].map(|_| {
        std::thread::spawn(move || {
            let mut client = Client::to(edge);
            for _ in 0..5 {
                let answer = client.ask("GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
                assert_eq!(answer.text(), "hi");
            }
        })
    });
    for client in clients {
        client.join().expect("an answer");
    }
    // With idle connections kept, each change of connection would cost most of a second.
    let took = began.elapsed();
    assert!(took < Duration::from_millis(900), "{took:?}");
}
