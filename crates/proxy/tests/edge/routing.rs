//! Which app answers, and what is said when none does.

use std::net::SocketAddr;

use ports::Traffic;
use ports::traffic::{Ending, TrafficError, Wakefulness};

use crate::bench::*;

#[tokio::test]
async fn a_host_leads_to_its_app_and_a_release_host_to_its_release() {
    let bench = Bench::start();
    let (old, new) = (server(1, says("one")), server(2, says("two")));
    let port = bench.edge.free_port().await.expect("a port");
    let mut both = route(port, vec![(100, new)]);
    both.releases.push(old);
    bench.edge.set(both).await.expect("a route");
    let at = |host: &str| bench.send(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
    for (host, status, text) in [
        ("shop.localhost", 200, "two"),
        ("SHOP.localhost:80", 200, "two"),
        ("r1-shop.localhost", 200, "one"),
        ("r2-shop.localhost", 200, "two"),
    ] {
        let answer = at(host);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{host}"
        );
    }
    for host in [
        "r3-shop.localhost",
        "other.localhost",
        "localhost",
        "shop.evil.example",
    ] {
        let answer = at(host);
        assert_eq!(answer.status, 404, "{host}");
        assert!(!answer.text().contains("shop"), "{host}: {}", answer.text());
    }
    let seen = bench.observed(4).await;
    assert!(
        seen.iter()
            .all(|(_, status, end)| (*status, *end) == (200, Ending::Complete))
    );
}

#[tokio::test]
async fn the_edge_listens_on_both_loopback_addresses() {
    let bench = Bench::start();
    bench.serve(server(1, says("hello"))).await;
    let six = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, bench.edge.edge().port()));
    let answer = Client::to(six).ask("GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
    assert_eq!(answer.text(), "hello");
}

#[tokio::test]
async fn an_apps_own_port_serves_it_and_refuses_names_that_are_not_its_own() {
    let bench = Bench::start();
    let port = bench.serve(server(1, says("hello"))).await;
    let own = SocketAddr::from(([127, 0, 0, 1], port));
    for (host, status) in [
        ("127.0.0.1", 200),
        ("localhost:80", 200),
        ("[::1]:80", 200),
        ("shop.localhost", 200),
        ("r1-shop.localhost", 200),
        ("r2-shop.localhost", 404),
        ("other.localhost", 421),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
    ] {
        let answer = Client::to(own).ask(format!("GET / HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(answer.status, status, "{host}");
    }
    bench.edge.remove(&shop()).await;
    let refused = std::net::TcpStream::connect(own);
    assert!(refused.is_err(), "the port is closed");
    assert_eq!(bench.get("/").status, 404);
}

#[tokio::test]
async fn an_app_that_nobody_serves_says_so_in_its_own_words() {
    let bench = Bench::start();
    let port = bench.edge.free_port().await.expect("a port");
    bench.edge.set(route(port, vec![])).await.expect("a route");
    let answer = bench.get("/");
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert!(answer.text().contains("It sleeps."));
    let page = bench.get_with("/", "accept: text/html\r\n");
    assert!(page.text().contains("<p>It sleeps.</p>"), "{}", page.text());
}

#[tokio::test]
async fn shares_must_sum_to_a_hundred_and_the_route_before_stays() {
    let bench = Bench::start();
    let (one, two) = (says("one"), says("two"));
    let port = bench.serve(server(1, one)).await;
    let bad = route(port, vec![(50, server(1, one)), (49, server(2, two))]);
    let refused = bench.edge.set(bad).await;
    assert!(matches!(refused, Err(TrafficError::BadSplit(_))));
    assert_eq!(bench.get("/").text(), "one");
}

#[tokio::test]
async fn each_release_gets_its_share() {
    let bench = Bench::start();
    let shares = vec![(80, server(1, says("one"))), (20, server(2, says("two")))];
    let port = bench.edge.free_port().await.expect("a port");
    bench.edge.set(route(port, shares)).await.expect("a route");
    let mut client = Client::to(bench.edge.edge());
    let request = "GET / HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    let twos = (0..1_000)
        .filter(|_| client.ask(request).text() == "two")
        .count();
    // 200 of 1,000 with six standard deviations of 12.6 on each side.
    assert!((124..276).contains(&twos), "{twos}");
}

#[tokio::test]
async fn a_port_in_use_is_refused_and_the_route_before_stays() {
    let bench = Bench::start();
    bench.serve(server(1, says("one"))).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let refused = bench
        .edge
        .set(route(port, vec![(100, server(2, says("two")))]))
        .await;
    assert!(matches!(refused, Err(TrafficError::PortInUse { port: p, .. }) if p == port));
    assert_eq!(bench.get("/").text(), "one");
}

#[tokio::test]
async fn a_probe_reaches_a_target_that_has_no_route() {
    let bench = Bench::start();
    let server_at = serve_with(|asked, stream| match asked.path() {
        "/health"
            if asked
                .header("host")
                .is_some_and(|h| h.starts_with("shop.localhost:")) =>
        {
            reply(stream, "204 No Content", "", "")
        }
        _ => reply(stream, "500 Oops", "", ""),
    });
    let probe = async |path| {
        bench
            .edge
            .probe(&server(1, server_at), path, PATIENCE)
            .await
    };
    assert_eq!(probe("/health").await.expect("an answer"), 204);
    assert_eq!(probe("/").await.expect("an answer"), 500);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    let refused = bench.edge.probe(&server(1, address), "/", PATIENCE).await;
    assert_eq!(
        refused.expect_err("nobody listens").kind(),
        std::io::ErrorKind::ConnectionRefused
    );
}

#[tokio::test]
async fn a_server_on_the_other_loopback_address_is_found() {
    let bench = Bench::start();
    let address = says("four");
    let six = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, address.port()));
    bench.serve(server(1, six)).await;
    assert_eq!(bench.get("/").text(), "four");
}

#[tokio::test]
async fn an_app_that_refuses_connections_is_a_bad_gateway() {
    let bench = Bench::start();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    bench.serve(server(1, address)).await;
    assert_eq!(bench.get("/").status, 502);
    let seen = bench.observed(1).await;
    assert_eq!(seen, [(release(1), 502, Ending::UpstreamBroke)]);
}

#[tokio::test]
async fn a_sleeping_release_is_woken_before_it_is_asked() {
    let bench = Bench::start();
    let mut asleep = server(1, says("awake"));
    asleep.wakefulness = Wakefulness::Asleep;
    bench.serve(asleep).await;
    assert_eq!(bench.get("/").text(), "awake");
    assert_eq!(bench.alarm.0.load(std::sync::atomic::Ordering::SeqCst), 1);
}
