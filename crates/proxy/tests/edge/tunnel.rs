//! WebSockets through the edge.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use ports::Traffic;
use ports::traffic::{Drained, Ending};

use crate::bench::*;

const HELLO: &str = "GET /ws HTTP/1.1\r\nhost: shop.localhost\r\nconnection: Upgrade\r\n\
                     upgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A server that agrees to switch and sends back what it gets, byte by byte.
fn echo() -> SocketAddr {
    serve_with(|asked, stream| {
        if asked.header("upgrade") != Some("websocket") || asked.header("connection").is_none() {
            return reply(stream, "400 Bad Request", "", "no upgrade");
        }
        let agreed = "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\
                      connection: upgrade\r\nsec-websocket-accept: x\r\n\r\n";
        let _ = stream.write_all(agreed.as_bytes());
        let mut byte = [0; 256];
        while let Ok(read @ 1..) = stream.read(&mut byte) {
            let _ = stream.write_all(&byte[..read]);
        }
        false
    })
}

fn open(bench: &Bench) -> Client {
    let mut client = Client::to(bench.edge.edge());
    let answer = client.ask(HELLO);
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert_eq!(answer.header("sec-websocket-accept"), Some("x"));
    client
}

fn echoed(client: &mut Client, bytes: &[u8]) -> Vec<u8> {
    client.stream.write_all(bytes).expect("a tunnel");
    let mut back = vec![0; bytes.len()];
    client.stream.read_exact(&mut back).expect("an echo");
    back
}

#[tokio::test]
async fn a_websocket_passes_in_both_directions_until_one_side_ends_it() {
    let bench = Bench::start();
    bench.serve(server(1, echo())).await;
    let mut client = open(&bench);
    let large = vec![7; 200_000];
    for bytes in [&b"\x81\x02hi"[..], b"GET / HTTP/1.1\n\n", &large] {
        let piece = bytes.len().min(60_000);
        for part in bytes.chunks(piece) {
            assert_eq!(echoed(&mut client, part), part);
        }
    }
    client
        .stream
        .shutdown(std::net::Shutdown::Write)
        .expect("a tunnel");
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).expect("no reset");
    assert!(rest.is_empty());
    let seen = bench.observed(1).await;
    assert_eq!(seen, [(release(1), 101, Ending::Complete)]);
}

#[tokio::test]
async fn a_drain_says_goodbye_to_websockets_and_resets_nobody() {
    let bench = Bench::start();
    bench.serve(server(1, echo())).await;
    let mut client = open(&bench);
    assert_eq!(echoed(&mut client, b"\x81\x02hi"), b"\x81\x02hi");
    let drained = bench
        .edge
        .drain(&release(1), Duration::from_millis(50))
        .await;
    assert_eq!(drained, Drained::Cut(1));
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).expect("no reset");
    assert_eq!(rest, [0x88, 2, 0x03, 0xe9], "a close frame: going away");
}

#[tokio::test]
async fn a_drain_puts_no_close_frame_into_another_frame() {
    let bench = Bench::start();
    bench.serve(server(1, echo())).await;
    let mut client = open(&bench);
    // The server sends back a frame of four bytes that lacks its last two.
    assert_eq!(echoed(&mut client, b"\x81\x04ab"), b"\x81\x04ab");
    bench.edge.drain(&release(1), Duration::ZERO).await;
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).expect("no reset");
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test]
async fn closing_the_edge_says_goodbye_to_websockets() {
    let bench = Bench::start();
    bench.serve(server(1, echo())).await;
    let mut client = open(&bench);
    bench.edge.close(Duration::from_millis(50)).await;
    let mut rest = Vec::new();
    client.stream.read_to_end(&mut rest).expect("no reset");
    assert_eq!(rest, [0x88, 2, 0x03, 0xe9]);
}

#[tokio::test]
async fn a_server_that_refuses_to_switch_answers_as_ever() {
    let bench = Bench::start();
    let refuses = serve_with(|_, stream| reply(stream, "403 Forbidden", "", "no"));
    bench.serve(server(1, refuses)).await;
    let answer = bench.send(HELLO);
    assert_eq!((answer.status, answer.text().as_str()), (403, "no"));
}

#[tokio::test]
async fn a_server_that_switches_unasked_is_a_bad_gateway() {
    let bench = Bench::start();
    let switches = serve_with(|_, stream| {
        let agreed =
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
        stream.write_all(agreed.as_bytes()).is_ok()
    });
    bench.serve(server(1, switches)).await;
    assert_eq!(bench.get("/").status, 502);
}

#[tokio::test]
async fn http2_is_no_protocol_to_switch_to() {
    let bench = Bench::start();
    let shows = serve_with(|asked, stream| {
        let upgrade = asked.header("upgrade").unwrap_or("none").to_owned();
        reply(stream, "200 OK", "", &upgrade)
    });
    bench.serve(server(1, shows)).await;
    let answer = bench.get_with(
        "/",
        "connection: upgrade, http2-settings\r\nupgrade: h2c\r\n",
    );
    assert_eq!(answer.text(), "none");
}
