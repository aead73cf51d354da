//! What every edge does. `traffic_contract!` makes a test of each sentence.
//!
//! The suite's servers listen in the network namespace that it runs in; the edge serves the domain
//! `localhost`.

mod web;

use std::net::SocketAddr;
use std::time::Duration;

use model::AppName;

use super::{Drained, Traffic, TrafficError};
use web::{PATIENCE, Server, get, route, until};

/// Makes a test of each sentence of the contract of [`Traffic`].
///
/// `$make` is an async function without arguments; it returns an edge that routes nothing yet, and
/// whatever must live as long as the edge does.
#[macro_export]
macro_rules! traffic_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::traffic::contract,
            a_routed_app_answers_at_the_edge_and_at_its_own_port
            setting_a_route_twice_has_the_effect_of_once
            a_new_route_takes_all_new_requests
            each_release_of_a_route_has_an_address_of_its_own
            an_app_that_nobody_serves_is_down
            a_split_that_does_not_sum_to_a_hundred_changes_nothing
            two_apps_cannot_have_the_same_port
            an_app_moves_to_another_port
            a_removed_app_is_gone_and_removing_it_again_is_no_error
            an_app_comes_back_after_it_was_removed
            held_requests_go_to_whoever_the_route_names_then
            a_drain_of_an_idle_or_unknown_release_is_complete
            a_drain_waits_for_what_is_under_way
            a_drain_ends_what_outlives_it
            a_probe_tells_the_status_of_a_target_without_a_route
            a_probe_fails_when_nobody_listens_or_answers
            a_closed_edge_accepts_nobody
        }
    };
}

const APP: &str = "shop";
const HOST: &str = "shop.localhost";

fn app() -> AppName {
    APP.parse().expect("a name")
}

fn own(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Routes the app to one server on a port that was free.
async fn serve(edge: &dyn Traffic, server: &Server, release: &str) -> u16 {
    let port = edge.free_port().await.expect("a port");
    let target = server.target(release);
    edge.set(route(APP, port, vec![(100, target)]))
        .await
        .expect("a route");
    port
}

async fn text(edge: &dyn Traffic) -> String {
    get(edge.edge(), HOST).await.1
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn a_routed_app_answers_at_the_edge_and_at_its_own_port(edge: &dyn Traffic) {
        assert_eq!(get(edge.edge(), HOST).await.0, 404);
        let port = serve(edge, &Server::says("one").await, "shop.r1").await;
        let answer = (200, "one".to_owned());
        assert_eq!(get(edge.edge(), HOST).await, answer);
        assert_eq!(get(own(port), "127.0.0.1").await, answer);
        assert_eq!(get(edge.edge(), "other.localhost").await.0, 404);
    }

    pub async fn setting_a_route_twice_has_the_effect_of_once(edge: &dyn Traffic) {
        let one = Server::says("one").await;
        let port = serve(edge, &one, "shop.r1").await;
        let again = route(APP, port, vec![(100, one.target("shop.r1"))]);
        edge.set(again).await.expect("a route");
        assert_eq!(text(edge).await, "one");
        assert_eq!(get(own(port), "localhost").await.1, "one");
    }

    pub async fn a_new_route_takes_all_new_requests(edge: &dyn Traffic) {
        let (one, two) = (Server::says("one").await, Server::says("two").await);
        let port = serve(edge, &one, "shop.r1").await;
        for (server, release, says) in [
            (&two, "shop.r2", "two"),
            (&one, "shop.r1", "one"),
            (&two, "shop.r2", "two"),
        ] {
            let new = route(APP, port, vec![(100, server.target(release))]);
            edge.set(new).await.expect("a route");
            for _ in 0..20 {
                assert_eq!(text(edge).await, says);
            }
        }
    }

    pub async fn each_release_of_a_route_has_an_address_of_its_own(edge: &dyn Traffic) {
        let (one, two) = (Server::says("one").await, Server::says("two").await);
        let port = edge.free_port().await.expect("a port");
        let mut both = route(APP, port, vec![(100, two.target("shop.r2"))]);
        both.releases.push(one.target("shop.r1"));
        edge.set(both).await.expect("a route");
        for (host, status, says) in [
            ("r1-shop.localhost", 200, "one"),
            ("r2-shop.localhost", 200, "two"),
            (HOST, 200, "two"),
        ] {
            assert_eq!(
                get(edge.edge(), host).await,
                (status, says.to_owned()),
                "{host}"
            );
        }
        assert_eq!(get(edge.edge(), "r3-shop.localhost").await.0, 404);
    }

    pub async fn an_app_that_nobody_serves_is_down(edge: &dyn Traffic) {
        let port = edge.free_port().await.expect("a port");
        edge.set(route(APP, port, vec![])).await.expect("a route");
        for (address, host) in [(edge.edge(), HOST), (own(port), "127.0.0.1")] {
            let (status, page) = get(address, host).await;
            assert_eq!(status, 503);
            assert!(page.contains("It sleeps."), "{page}");
        }
    }

    pub async fn a_split_that_does_not_sum_to_a_hundred_changes_nothing(edge: &dyn Traffic) {
        let (one, two) = (Server::says("one").await, Server::says("two").await);
        let port = serve(edge, &one, "shop.r1").await;
        for (first, second) in [(50, 49), (100, 1), (0, 0)] {
            let split = vec![
                (first, one.target("shop.r1")),
                (second, two.target("shop.r2")),
            ];
            let refused = edge.set(route(APP, port, split)).await;
            assert!(
                matches!(refused, Err(TrafficError::BadSplit(_))),
                "{first} + {second}"
            );
        }
        assert_eq!(text(edge).await, "one");
    }

    pub async fn two_apps_cannot_have_the_same_port(edge: &dyn Traffic) {
        let port = serve(edge, &Server::says("one").await, "shop.r1").await;
        let other = Server::says("two").await.target("cafe.r1");
        let refused = edge.set(route("cafe", port, vec![(100, other)])).await;
        assert!(matches!(refused, Err(TrafficError::PortInUse { port: p, .. }) if p == port));
        assert_eq!(get(edge.edge(), "cafe.localhost").await.0, 404);
        assert_eq!(get(own(port), "127.0.0.1").await.1, "one");
    }

    pub async fn an_app_moves_to_another_port(edge: &dyn Traffic) {
        let one = Server::says("one").await;
        let before = serve(edge, &one, "shop.r1").await;
        let after = serve(edge, &one, "shop.r1").await;
        assert_eq!(get(own(after), "127.0.0.1").await.1, "one");
        if before != after {
            assert!(std::net::TcpStream::connect(own(before)).is_err());
        }
    }

    pub async fn a_removed_app_is_gone_and_removing_it_again_is_no_error(edge: &dyn Traffic) {
        let port = serve(edge, &Server::says("one").await, "shop.r1").await;
        for _ in 0..2 {
            edge.remove(&app()).await;
            assert_eq!(get(edge.edge(), HOST).await.0, 404);
            assert!(std::net::TcpStream::connect(own(port)).is_err());
        }
    }

    pub async fn an_app_comes_back_after_it_was_removed(edge: &dyn Traffic) {
        let one = Server::says("one").await;
        let port = serve(edge, &one, "shop.r1").await;
        edge.remove(&app()).await;
        let again = route(APP, port, vec![(100, one.target("shop.r1"))]);
        edge.set(again).await.expect("a route");
        assert_eq!(text(edge).await, "one");
        assert_eq!(get(own(port), "127.0.0.1").await.1, "one");
    }

    pub async fn held_requests_go_to_whoever_the_route_names_then(edge: &dyn Traffic) {
        let (one, two) = (Server::says("one").await, Server::says("two").await);
        let port = serve(edge, &one, "shop.r1").await;
        let (first, second) = (edge.hold(&app()).await, edge.hold(&app()).await);
        let (at_edge, at_port) = (edge.edge(), own(port));
        let waiting = [
            tokio::spawn(get(at_edge, HOST)),
            tokio::spawn(get(at_edge, "shop.localhost:80")),
            tokio::spawn(get(at_port, "127.0.0.1")),
        ];
        drop(first);
        assert_eq!(
            edge.drain(&"shop.r1".parse().expect("a release"), PATIENCE)
                .await,
            Drained::Complete
        );
        let new = route(APP, port, vec![(100, two.target("shop.r2"))]);
        edge.set(new).await.expect("a route");
        assert!(waiting.iter().all(|request| !request.is_finished()));
        drop(second);
        for request in waiting {
            let answer = request.await.expect("no panic");
            assert_eq!(answer, (200, "two".to_owned()));
        }
    }

    pub async fn a_drain_of_an_idle_or_unknown_release_is_complete(edge: &dyn Traffic) {
        serve(edge, &Server::says("one").await, "shop.r1").await;
        assert_eq!(text(edge).await, "one");
        for release in ["shop.r1", "shop.r2", "cafe.r1"] {
            let release = release.parse().expect("a release");
            assert_eq!(edge.drain(&release, PATIENCE).await, Drained::Complete);
        }
    }

    pub async fn a_drain_waits_for_what_is_under_way(edge: &dyn Traffic) {
        let (one, two) = (Server::hesitates("one").await, Server::says("two").await);
        let port = serve(edge, &one, "shop.r1").await;
        let request = tokio::spawn(get(edge.edge(), HOST));
        one.was_asked(1).await;
        let new = route(APP, port, vec![(100, two.target("shop.r2"))]);
        edge.set(new).await.expect("a route");
        assert_eq!(text(edge).await, "two");
        let release = "shop.r1".parse().expect("a release");
        let drain = edge.drain(&release, PATIENCE);
        tokio::pin!(drain);
        let early = tokio::time::timeout(Duration::from_millis(50), &mut drain).await;
        assert!(early.is_err(), "the request is still under way");
        one.go();
        assert_eq!(drain.await, Drained::Complete);
        assert_eq!(request.await.expect("no panic"), (200, "one".to_owned()));
    }

    pub async fn a_drain_ends_what_outlives_it(edge: &dyn Traffic) {
        let one = Server::hesitates("one").await;
        serve(edge, &one, "shop.r1").await;
        let request = tokio::spawn(get(edge.edge(), HOST));
        one.was_asked(1).await;
        let release = "shop.r1".parse().expect("a release");
        let drained = edge.drain(&release, Duration::from_millis(30)).await;
        assert_eq!(drained, Drained::Cut(1));
        assert_eq!(request.await.expect("no panic").0, 503);
        // The release may still be asked: a drain ends what was under way, nothing else.
        let later = tokio::spawn(get(edge.edge(), HOST));
        one.was_asked(2).await;
        (0..2).for_each(|_| one.go());
        assert_eq!(later.await.expect("no panic"), (200, "one".to_owned()));
    }

    pub async fn a_probe_tells_the_status_of_a_target_without_a_route(edge: &dyn Traffic) {
        let target = Server::says("one").await.target("shop.r1");
        for (path, status) in [("/", 200), ("/broken", 500)] {
            let probed = edge.probe(&target, path, PATIENCE).await;
            assert_eq!(probed.expect("an answer"), status);
        }
        assert_eq!(get(edge.edge(), HOST).await.0, 404);
    }

    pub async fn a_probe_fails_when_nobody_listens_or_answers(edge: &dyn Traffic) {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut target = Server::says("one").await.target("shop.r1");
        let address = closed.local_addr().expect("an address");
        target.upstream.as_mut().expect("a server").address = address;
        drop(closed);
        assert!(edge.probe(&target, "/", PATIENCE).await.is_err());
        let never = Server::hesitates("one").await.target("shop.r1");
        let brief = Duration::from_millis(30);
        let late = edge.probe(&never, "/", brief).await.expect_err("no answer");
        assert_eq!(late.kind(), std::io::ErrorKind::TimedOut);
    }

    pub async fn a_closed_edge_accepts_nobody(edge: &dyn Traffic) {
        let one = Server::hesitates("one").await;
        let port = serve(edge, &one, "shop.r1").await;
        let (at_edge, at_port) = (edge.edge(), own(port));
        let request = tokio::spawn(get(at_edge, HOST));
        one.was_asked(1).await;
        let answer = async {
            until(|| std::net::TcpStream::connect(at_edge).is_err()).await;
            one.go();
        };
        tokio::join!(edge.close(PATIENCE), answer);
        assert_eq!(request.await.expect("no panic"), (200, "one".to_owned()));
        for address in [at_edge, at_port] {
            assert!(std::net::TcpStream::connect(address).is_err());
        }
    }
}

pub use sentences::*;
