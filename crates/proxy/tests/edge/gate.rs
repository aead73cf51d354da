//! Odd requests, byte by byte: the edge answers them itself, and no app ever sees one.
//!
//! nginx 1.22 refuses the same ones (400, and 501 or 505 for unknown encodings and versions) except
//! these, which it takes: a bare LF after any line or chunk size, a target that names another host
//! than `Host`, and HTTP/0.9.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ports::Traffic;
use proxy::Limits;

use crate::bench::*;

/// A server that remembers what it was asked.
fn remembers() -> (SocketAddr, Arc<Mutex<Vec<Asked>>>) {
    let all = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&all);
    let address = serve_with(move |asked, stream| {
        seen.lock().expect("no panic").push(asked.clone());
        reply(stream, "200 OK", "", "seen")
    });
    (address, all)
}

fn seen(all: &Mutex<Vec<Asked>>) -> Vec<Asked> {
    all.lock().expect("no panic").clone()
}

#[tokio::test]
async fn odd_requests_are_refused_and_reach_no_app() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let shop = "Host: shop.localhost\r\n";
    for request in [
        format!("GET / HTTP/1.1\r\n{shop}Host: other.localhost\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{shop}Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
        format!(
            "POST / HTTP/1.1\r\n{shop}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!(
            "POST / HTTP/1.1\r\n{shop}Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n"
        ),
        format!("POST / HTTP/1.1\r\n{shop}Content-Length: +2\r\n\r\nhi"),
        format!("POST / HTTP/1.1\r\n{shop}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("POST / HTTP/1.1\r\n{shop}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("POST / HTTP/1.0\r\n{shop}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{shop}X : y\r\n\r\n"),
        format!("GET / HTTP/1.1\r\n{shop}X: y\r\n z\r\n\r\n"),
        format!("GET / HTTP/1.1\n{shop}\r\n"),
        "GET / HTTP/1.1\r\nHost: shop.localhost\n\n".to_owned(),
        format!("GET / HTTP/1.1\r\n{shop}X: \0\r\n\r\n"),
        format!("GET /\0 HTTP/1.1\r\n{shop}\r\n"),
        format!("CONNECT shop.localhost:80 HTTP/1.1\r\n{shop}\r\n"),
        format!("GET http://other.localhost/ HTTP/1.1\r\n{shop}\r\n"),
        format!("GET / HTTP/2.0\r\n{shop}\r\n"),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        "GET /\r\n\r\n".to_owned(),
    ] {
        let answer = bench.send(&request);
        assert_eq!(answer.status, 400, "{request:?}");
    }
    assert!(seen(&all).is_empty(), "{:?}", seen(&all));
    // The same server with a plain request: the refusals above were the edge's.
    assert_eq!(bench.get("/").text(), "seen");
    assert_eq!(seen(&all).len(), 1);
}

#[tokio::test]
async fn an_absolute_target_reaches_the_app_as_a_path() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let request = "GET http://shop.localhost/a?b=c HTTP/1.1\r\nHost: shop.localhost\r\n\r\n";
    assert_eq!(bench.send(request).status, 200);
    assert_eq!(seen(&all)[0].path(), "/a?b=c");
}

#[tokio::test]
async fn a_request_hidden_behind_another_reaches_no_app() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    let hidden = "POST /one HTTP/1.1\r\nhost: shop.localhost\r\ntransfer-encoding: chunked\r\n\r\n\
                  1;a=b\nX\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    let answer = client.ask(hidden);
    assert_eq!(answer.status, 400);
    assert!(
        client.read_answer(false).is_none(),
        "nothing follows a refusal"
    );
    assert!(seen(&all).iter().all(|asked| asked.path() != "/hidden"));
}

#[tokio::test]
async fn good_requests_before_an_odd_one_are_answered() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    let good = "GET /good HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    let odd = "GET /odd HTTP/1.1\r\nhost: shop.localhost\r\nhost: a\r\n\r\n";
    assert_eq!(client.ask(format!("{good}{good}{odd}{good}")).status, 200);
    assert_eq!(
        client.read_answer(false).map(|answer| answer.status),
        Some(200)
    );
    assert_eq!(
        client.read_answer(false).map(|answer| answer.status),
        Some(400)
    );
    assert!(client.read_answer(false).is_none());
    assert_eq!(seen(&all).len(), 2);
}

#[tokio::test]
async fn bodies_reach_the_app_as_they_were_sent() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let head = "POST /up HTTP/1.1\r\nhost: shop.localhost\r\n";
    let large = "x".repeat(300_000);
    for (framed, body) in [
        ("content-length: 5\r\n\r\nhello".to_owned(), "hello"),
        (
            "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nt: u\r\n\r\n".to_owned(),
            "hello",
        ),
        (
            format!("content-length: 300000\r\n\r\n{large}"),
            large.as_str(),
        ),
        ("content-length: 0\r\n\r\n".to_owned(), ""),
    ] {
        assert_eq!(bench.send(format!("{head}{framed}")).status, 200);
        let asked = seen(&all).pop().expect("a request");
        assert!(asked.body == body.as_bytes(), "{}", asked.head);
    }
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_its_body_gets_it() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let mut client = Client::to(bench.edge.edge());
    let leave = client.ask(
        "POST / HTTP/1.1\r\nhost: shop.localhost\r\nexpect: 100-continue\r\n\
         content-length: 2\r\n\r\n",
    );
    assert_eq!(leave.status, 100);
    assert_eq!(client.ask("hi").status, 200);
    assert_eq!(seen(&all)[0].body, b"hi");
    assert_eq!(seen(&all)[0].header("expect"), None);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_the_answer_arrives() {
    let bench = Bench::with(Limits {
        body_bytes: 1000,
        ..Limits::default()
    });
    let (address, _) = remembers();
    bench.serve(server(1, address)).await;
    let head = "POST / HTTP/1.1\r\nhost: shop.localhost\r\n";
    let large = "x".repeat(1001);
    let chunk = format!("{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let sized = bench.send(format!("{head}content-length: 1001\r\n\r\n{large}"));
    assert_eq!(sized.status, 413);
    let chunked = bench.send(format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}"));
    assert_eq!(chunked.status, 413);
    let fits = bench.send(format!("{head}content-length: 1000\r\n\r\n{}", &large[1..]));
    assert_eq!(fits.status, 200);
}

#[tokio::test]
async fn a_head_beyond_the_limit_is_refused() {
    let bench = Bench::start();
    let (address, all) = remembers();
    bench.serve(server(1, address)).await;
    let long = bench.get_with("/", &format!("x: {}\r\n", "y".repeat(100_000)));
    assert!(matches!(long.status, 400 | 431), "{}", long.status);
    let many = bench.get_with("/", &"x: y\r\n".repeat(200));
    assert_eq!(many.status, 431);
    assert!(seen(&all).is_empty());
}

#[tokio::test]
async fn slow_clients_are_sent_away() {
    let quick = Duration::from_millis(60);
    let bench = Bench::with(Limits {
        request_head: quick,
        keep_alive: quick,
        client_idle: quick,
        ..Limits::default()
    });
    let (address, _) = remembers();
    bench.serve(server(1, address)).await;
    for (begun, status) in [
        ("", None),
        ("GET / HTTP/1.1\r\nhost: sh", None),
        (
            "POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 9\r\n\r\nhi",
            Some(408),
        ),
    ] {
        let mut client = Client::to(bench.edge.edge());
        client
            .stream
            .write_all(begun.as_bytes())
            .expect("the edge listens");
        let answer = client.read_answer(false);
        assert_eq!(answer.map(|answer| answer.status), status, "{begun:?}");
        assert!(
            matches!(client.stream.read(&mut [0]), Ok(0)),
            "{begun:?}: no reset"
        );
    }
}

#[tokio::test]
async fn an_app_that_is_slow_to_answer_is_not_the_clients_fault() {
    let bench = Bench::with(Limits {
        keep_alive: Duration::from_millis(30),
        client_idle: Duration::from_millis(30),
        request_head: Duration::from_millis(30),
        ..Limits::default()
    });
    let slow = serve_with(|_, stream| {
        std::thread::sleep(Duration::from_millis(150));
        reply(stream, "200 OK", "", "at last")
    });
    bench.serve(server(1, slow)).await;
    assert_eq!(bench.get("/").text(), "at last");
}

#[tokio::test]
async fn an_app_that_never_answers_is_a_gateway_timeout() {
    let bench = Bench::with(Limits {
        response_head: Duration::from_millis(50),
        idle_body: Duration::from_millis(50),
        ..Limits::default()
    });
    let never = serve_with(|asked, stream| {
        if asked.path() == "/half" {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf");
        }
        let _ = stream.read(&mut [0]);
        false
    });
    bench.serve(server(1, never)).await;
    assert_eq!(bench.get("/").status, 504);
    let half = bench.get("/half");
    assert!(!half.whole);
    let seen = bench.observed(2).await;
    let timed_out = ports::traffic::Ending::TimedOut;
    assert_eq!(
        seen,
        [(release(1), 504, timed_out), (release(1), 200, timed_out)]
    );
}
