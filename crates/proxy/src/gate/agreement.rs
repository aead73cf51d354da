//! Mutated streams: whatever passes the gate, hyper cuts into the same messages.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Gate, Gated, Line, Phase, State};
use crate::chance::Chance;
use crate::config::Limits;

const STREAMS: u32 = 20_000;

const SEEDS: [&str; 7] = [
    "GET /a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "PATCH /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "PUT /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nT: u\r\n\r\n",
    "QUERY /e HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS /f HTTP/1.1\r\nHost: a\r\n\r\n",
    "DELETE http://a/g HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
];

const PIECES: [&str; 22] = [
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    "\0",
    "0",
    "1",
    "+",
    "-",
    ",",
    ";",
    "\r\n\r\n",
    "\u{7f}",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: x\r\n",
    "Host: b\r\n",
    "HTTP/1.0",
    "Connection: close\r\n",
    "chunked",
];

/// One message: its method, which tells the seeds apart, and its body.
type Message = (String, Vec<u8>);

fn stream(chance: &Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..1 + chance.below(3) {
        bytes.extend(SEEDS[chance.below(SEEDS.len() as u32) as usize].bytes());
    }
    for _ in 0..chance.below(4) {
        mutate(&mut bytes, chance);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, chance: &Chance) {
    let at = chance.below(bytes.len() as u32) as usize;
    match chance.below(5) {
        0 => bytes[at] = chance.below(256) as u8,
        1 => drop(bytes.remove(at)),
        2 => bytes[at] ^= 1 << chance.below(8),
        _ => {
            let piece = PIECES[chance.below(PIECES.len() as u32) as usize];
            drop(bytes.splice(at..at, piece.bytes()));
        }
    }
    if bytes.is_empty() {
        bytes.push(b'G');
    }
}

/// The messages that the gate sees before it refuses anything.
fn gate_sees(bytes: &[u8]) -> Vec<Message> {
    let (mut gate, mut messages) = (Gate::default(), Vec::new());
    let (mut head, mut body) = (Vec::new(), Vec::new());
    for byte in bytes {
        match &gate.state {
            State::Head(_) => head.push(*byte),
            State::Body(_) => body.push(*byte),
            State::Chunked(chunks) if chunks.is_data() => body.push(*byte),
            State::Chunked(_) | State::Refused => {}
        }
        let before = gate.phase();
        if gate.see(&[*byte]).is_err() {
            break;
        }
        if before != Phase::Between && gate.phase() == Phase::Between {
            messages.push((method(&head), std::mem::take(&mut body)));
            head.clear();
        }
    }
    messages
}

fn method(head: &[u8]) -> String {
    let text = String::from_utf8_lossy(head);
    let method = text.trim_start().split(' ').next().unwrap_or_default();
    method.to_owned()
}

/// The messages that hyper hands to its service behind the gate, and what the client gets.
async fn hyper_sees(bytes: &[u8], piece: usize) -> (Vec<Message>, String) {
    let messages = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&messages);
    let service = service_fn(move |request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            let method = request.method().to_string();
            if let Ok(body) = request.into_body().collect().await {
                let body = body.to_bytes().to_vec();
                seen.lock().expect("no panic").push((method, body));
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let gated = Gated::new(server, Arc::<Line>::default(), Limits::default());
    let connection = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(gated), service);
    let mut answers = Vec::new();
    let talk = async {
        for part in bytes.chunks(piece) {
            if client.write_all(part).await.is_err() {
                break;
            }
        }
        let _ = client.shutdown().await;
        let _ = client.read_to_end(&mut answers).await;
    };
    let (_, ()) = tokio::join!(connection, talk);
    let messages = std::mem::take(&mut *messages.lock().expect("no panic"));
    (messages, String::from_utf8_lossy(&answers).into_owned())
}

#[tokio::test]
async fn what_passes_the_gate_is_cut_by_hyper_in_the_same_places() {
    let chance = Chance::seeded(3);
    let (mut passed, mut refused) = (0, 0);
    for number in 0..STREAMS {
        let bytes = stream(&chance);
        let expected = gate_sees(&bytes);
        let piece = [1, 5, bytes.len()][number as usize % 3];
        let (seen, answers) = hyper_sees(&bytes, piece).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            expected.starts_with(&seen),
            "{text:?}: {expected:?}, hyper {seen:?}"
        );
        let error = answers.contains("HTTP/1.1 4") || answers.contains("HTTP/1.0 4");
        let closes = text.contains("HTTP/1.0") || text.to_lowercase().contains("connection");
        assert!(
            seen.len() == expected.len() || error || closes,
            "{text:?}: hyper missed {:?}",
            expected.get(seen.len())
        );
        if Gate::default().see(&bytes).is_err() {
            refused += 1;
        } else {
            passed += usize::from(!seen.is_empty());
        }
    }
    // Both kinds of stream were there in number.
    assert!(
        passed > 4_000 && refused > 4_000,
        "{passed} passed, {refused} refused"
    );
}
