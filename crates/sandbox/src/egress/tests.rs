//! The proxy with real sockets on loopback.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use model::instance::DeniedEgress;
use nix::poll::{PollFd, PollFlags, poll};

use super::proxy::MAX_CONNECTIONS;
use super::{Proxy, Rules};

/// A proxy that a thread drives as a supervisor does.
struct Running {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Proxy>>,
}

impl Running {
    fn start(rules: Rules) -> Self {
        Self::with_names(rules, &[])
    }

    /// A proxy whose resolver already knows `names`.
    fn with_names(rules: Rules, names: &[(&str, &[IpAddr])]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut proxy = Proxy::new(listener, rules).expect("a proxy");
        for (host, addresses) in names {
            proxy.learn(host, addresses);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || drive(proxy, &stopped));
        Self {
            address,
            stop,
            thread: Some(thread),
        }
    }

    fn client(&self) -> TcpStream {
        let client = TcpStream::connect(self.address).expect("the proxy listens");
        let patience = Some(Duration::from_secs(10));
        client.set_read_timeout(patience).expect("a time-out");
        client.set_write_timeout(patience).expect("a time-out");
        client
    }

    /// Sends `request`, and reads until the proxy closes.
    fn ask(&self, request: &str) -> String {
        let mut client = self.client();
        client.write_all(request.as_bytes()).expect("sent");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("an answer");
        String::from_utf8(answer).expect("text")
    }

    /// A tunnel to `target`, or the answer that refuses it.
    fn tunnel(&self, target: &str) -> Result<TcpStream, String> {
        let mut client = self.client();
        write!(client, "CONNECT {target} HTTP/1.1\r\n\r\n").expect("sent");
        let answer = head_of(&mut client);
        if answer.starts_with("HTTP/1.1 200 ") {
            return Ok(client);
        }
        Err(answer)
    }

    fn stop(mut self) -> Vec<DeniedEgress> {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("runs");
        thread.join().expect("no panic").take_denied()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn drive(mut proxy: Proxy, stop: &AtomicBool) -> Proxy {
    while !stop.load(Ordering::Relaxed) {
        ready_within(&proxy, 20);
        proxy.turn().expect("a turn");
    }
    proxy
}

fn ready_within(proxy: &Proxy, millis: u16) -> bool {
    // SAFETY: the proxy keeps the descriptor open at least as long as it is borrowed here.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(proxy.poll_fd()) };
    let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
    poll(&mut fds, millis).expect("poll") > 0
}

fn head_of(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).expect("an answer") == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("text")
}

/// A server that hands each connection to `serve`, on a loopback port that is returned.
fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let serve = serve.clone();
            thread::spawn(move || serve(client));
        }
    });
    port
}

/// Sends back what it receives, and ends when its client has ended.
fn echo() -> u16 {
    server(|mut client| {
        let mut reader = client.try_clone().expect("a second handle");
        let _ = std::io::copy(&mut reader, &mut client);
        let _ = client.shutdown(Shutdown::Write);
    })
}

/// Answers each request with its own head, and closes.
fn mirror() -> u16 {
    server(|mut client| {
        let head = head_of(&mut client);
        let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{head}");
        let _ = client.write_all(answer.as_bytes());
    })
}

fn trusting(host: &str, port: u16) -> Rules {
    let rule = [format!("{host}:{port}")];
    Rules::parse_trusted(&rule, &rule)
}

fn literal(port: u16) -> Rules {
    Rules::parse(&[format!("127.0.0.1:{port}")])
}

fn denied(host: &str, port: u16) -> DeniedEgress {
    DeniedEgress {
        host: host.to_owned(),
        port,
    }
}

#[test]
fn a_tunnel_to_a_trusted_host_carries_bytes_both_ways_and_their_end() {
    let port = echo();
    let proxy = Running::start(trusting("localhost", port));
    let mut tunnel = proxy.tunnel(&format!("LocalHost:{port}")).expect("open");
    let sent: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let mut writer = tunnel.try_clone().expect("a second handle");
    let whole = sent.clone();
    let writing = thread::spawn(move || {
        writer.write_all(&whole).expect("sent");
        writer.shutdown(Shutdown::Write).expect("half closed");
    });
    let mut received = Vec::new();
    tunnel.read_to_end(&mut received).expect("all of it");
    writing.join().expect("written");
    assert!(received == sent, "{} bytes came back", received.len());
    assert_eq!(proxy.stop(), []);
}

#[test]
fn bytes_that_come_with_the_head_go_into_the_tunnel() {
    let port = echo();
    let proxy = Running::start(literal(port));
    let mut client = proxy.client();
    write!(client, "CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nearly").expect("sent");
    head_of(&mut client);
    let mut early = [0; 5];
    client.read_exact(&mut early).expect("echoed");
    assert_eq!(&early, b"early");
}

#[test]
fn a_half_closed_tunnel_still_brings_the_answer() {
    let port = server(|mut client| {
        let mut all = Vec::new();
        client.read_to_end(&mut all).expect("read");
        write!(client, "{} bytes", all.len()).expect("sent");
    });
    let proxy = Running::start(literal(port));
    let mut tunnel = proxy.tunnel(&format!("127.0.0.1:{port}")).expect("open");
    tunnel.write_all(b"12345").expect("sent");
    tunnel.shutdown(Shutdown::Write).expect("half closed");
    let mut answer = String::new();
    tunnel.read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "5 bytes");
}

#[test]
fn a_plain_request_goes_on_in_origin_form_with_the_targets_own_host() {
    let port = mirror();
    let proxy = Running::start(trusting("localhost", port));
    let answer = proxy.ask(&format!(
        "GET http://localhost:{port}/simple/?q=1 HTTP/1.1\r\nHost: other.example\r\n\
         Proxy-Authorization: Basic c2VjcmV0\r\nX-Own: kept\r\nConnection: keep-alive, x-hop\r\n\
         X-Hop: dropped\r\n\r\n"
    ));
    let passed_on = answer.split_once("\r\n\r\n").expect("a body").1;
    assert_eq!(
        passed_on,
        format!(
            "GET /simple/?q=1 HTTP/1.1\r\nHost: localhost:{port}\r\nX-Own: kept\r\n\
             Connection: close\r\n\r\n"
        )
    );
}

#[test]
fn the_body_of_a_plain_request_goes_on_and_a_second_request_behind_it_does_not() {
    let port = server(|mut client| {
        let head = head_of(&mut client);
        let mut body = [0; 4];
        client.read_exact(&mut body).expect("a body");
        let short = Some(Duration::from_millis(300));
        client.set_read_timeout(short).expect("a time-out");
        let more = client.read(&mut [0; 64]).unwrap_or(0);
        let posted = head.starts_with("POST /x HTTP/1.1\r\n") && &body == b"abcd";
        let _ = write!(client, "HTTP/1.1 200 OK\r\n\r\n{posted} {more}");
    });
    let proxy = Running::start(literal(port));
    let answer = proxy.ask(&format!(
        "POST http://127.0.0.1:{port}/x HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcdGET http://evil/ \
         HTTP/1.1\r\n\r\n"
    ));
    assert!(answer.ends_with("true 0"), "{answer}");
}

#[test]
fn a_host_that_is_not_allowed_is_refused_with_the_line_to_add_and_told_once() {
    let proxy = Running::start(Rules::parse(&["packages.example".into()]));
    for _ in 0..2 {
        let refused = proxy.ask("CONNECT evil.example:8443 HTTP/1.1\r\n\r\n");
        assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
        assert!(
            refused.contains("allow = [\"evil.example:8443\"]"),
            "{refused}"
        );
        assert!(refused.contains("mayfly.toml"), "{refused}");
    }
    let refused =
        proxy.ask("GET http://PLAIN.example./x HTTP/1.1\r\nHost: packages.example\r\n\r\n");
    assert!(refused.contains("allow = [\"plain.example\"]"), "{refused}");
    let told = proxy.stop();
    assert_eq!(
        told,
        [denied("evil.example", 8443), denied("plain.example", 80)]
    );
}

#[test]
fn a_big_upload_to_a_refused_host_still_hears_why() {
    let proxy = Running::start(Rules::parse(&[]));
    let mut client = proxy.client();
    write!(
        client,
        "POST http://a.example/ HTTP/1.1\r\nContent-Length: 400000\r\n\r\n"
    )
    .expect("sent");
    client.write_all(&[b'x'; 400_000]).expect("taken");
    assert!(head_of(&mut client).starts_with("HTTP/1.1 403 "));
}

#[test]
fn an_allowed_name_that_leads_to_this_machine_is_refused() {
    let port = echo();
    let proxy = Running::start(Rules::parse(&[format!("localhost:{port}")]));
    let refused = proxy
        .tunnel(&format!("localhost:{port}"))
        .expect_err("closed");
    assert!(refused.starts_with("HTTP/1.1 403 "), "{refused}");
    assert!(refused.contains("private address"), "{refused}");
    let told = proxy.stop();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].port, port);

    // The same with trust: what was refused was the address, not the way there.
    let trusted = Running::start(trusting("localhost", port));
    assert!(trusted.tunnel(&format!("localhost:{port}")).is_ok());
}

#[test]
fn of_a_names_addresses_only_those_that_are_permitted_are_dialled() {
    let port = echo();
    let rebound: &[IpAddr] = &["127.0.0.1".parse().expect("v4")];
    let mapped: &[IpAddr] = &["::ffff:127.0.0.1".parse().expect("v6")];
    let cloud: &[IpAddr] = &["169.254.169.254".parse().expect("v4")];
    let mixed: &[IpAddr] = &[cloud[0], rebound[0]];
    let name = format!("rebind.example:{port}");
    let this = format!("127.0.0.1:{port}");
    for (addresses, allow, trusted, open) in [
        (rebound, vec![name.clone()], vec![], false),
        (mapped, vec![name.clone()], vec![], false),
        (mapped, vec![name.clone(), this.clone()], vec![], false),
        (cloud, vec![name.clone()], vec![name.clone()], false),
        (mixed, vec![name.clone()], vec![], false),
        (rebound, vec![name.clone(), this.clone()], vec![], true),
        (rebound, vec![name.clone()], vec![name.clone()], true),
        (mixed, vec![name.clone(), this.clone()], vec![], true),
    ] {
        let rules = Rules::parse_trusted(&allow, &trusted);
        let proxy = Running::with_names(rules, &[("rebind.example", addresses)]);
        let tunnel = proxy.tunnel(&name);
        assert_eq!(tunnel.is_ok(), open, "{addresses:?} {allow:?} {trusted:?}");
    }
}

#[test]
fn a_host_that_refuses_or_does_not_exist_is_told_as_such() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let proxy = Running::start(literal(port));
    let refused = proxy.ask(&format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n"));
    assert!(refused.starts_with("HTTP/1.1 502 "), "{refused}");
    assert!(refused.contains("refused"), "{refused}");

    let proxy = Running::with_names(trusting("gone.example", 443), &[("gone.example", &[])]);
    let refused = proxy.ask("CONNECT gone.example:443 HTTP/1.1\r\n\r\n");
    assert!(
        refused.contains("gone.example cannot be reached"),
        "{refused}"
    );
}

#[test]
fn odd_spellings_of_this_machine_are_looked_up_and_refused() {
    let port = echo();
    for spelling in ["0x7f.1", "2130706433", "0177.0.0.1", "127.1", "0"] {
        let name = format!("{spelling}:{port}");
        let proxy = Running::start(Rules::parse(std::slice::from_ref(&name)));
        let refused = proxy.tunnel(&name).expect_err("closed");
        assert!(refused.starts_with("HTTP/1.1 403 "), "{name}: {refused}");
    }
}

#[test]
fn a_head_that_never_ends_is_cut_off_at_its_limit() {
    let proxy = Running::start(Rules::parse(&[]));
    let long = "x".repeat(20_000);
    let answer = proxy.ask(&format!("CONNECT a.example:443 HTTP/1.1\r\nX: {long}"));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn more_clients_than_places_wait_until_one_leaves() {
    let port = echo();
    let proxy = Running::start(literal(port));
    let target = format!("127.0.0.1:{port}");
    let open = || proxy.tunnel(&target).expect("open");
    let mut tunnels: Vec<_> = (0..MAX_CONNECTIONS).map(|_| open()).collect();
    let mut late = proxy.client();
    write!(late, "CONNECT {target} HTTP/1.1\r\n\r\n").expect("sent");
    let soon = Some(Duration::from_millis(200));
    late.set_read_timeout(soon).expect("a time-out");
    assert!(
        late.read(&mut [0; 1]).is_err(),
        "served although all places are taken"
    );
    drop(tunnels.pop());
    let patience = Some(Duration::from_secs(10));
    late.set_read_timeout(patience).expect("a time-out");
    assert!(head_of(&mut late).starts_with("HTTP/1.1 200 "));
}

#[test]
fn an_idle_proxy_has_nothing_to_do() {
    let port = echo();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut proxy = Proxy::new(listener, literal(port)).expect("a proxy");
    let mut client = TcpStream::connect(address).expect("connected");
    write!(client, "CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n").expect("sent");
    client.set_nonblocking(true).expect("set");
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut answer = [0; 64];
    while client.read(&mut answer).is_err() {
        proxy.turn().expect("a turn");
        assert!(Instant::now() < deadline, "no tunnel");
    }
    client.shutdown(Shutdown::Write).expect("half closed");
    let mut quiet = 0;
    while quiet < 3 {
        match ready_within(&proxy, 100) {
            false => quiet += 1,
            true => proxy.turn().expect("a turn"),
        }
        assert!(Instant::now() < deadline, "it spins");
    }
}
