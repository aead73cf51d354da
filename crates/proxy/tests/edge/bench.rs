//! A running edge, servers for it to ask, and a client that shows every byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::serving::Site;
use model::{AppName, ReleaseKey};
use ports::Traffic;
use ports::runtime::Upstream;
use ports::traffic::{Ending, Observation, Observer, Route, SiteFiles, Target, Wakefulness, Waker};
use proxy::{Config, Edge, Limits};

/// How long anything in these tests may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Remembers what was observed.
#[derive(Default)]
pub(crate) struct Notes(Mutex<Vec<(ReleaseKey, u16, Ending)>>);

impl Observer for Notes {
    fn observe(&self, seen: Observation<'_>) {
        let note = (seen.release.clone(), seen.status, seen.ending);
        self.0.lock().expect("no panic").push(note);
    }
}

/// Counts who was woken.
#[derive(Default)]
pub(crate) struct Alarm(pub(crate) AtomicUsize);

#[async_trait]
impl Waker for Alarm {
    async fn wake(&self, _: &ReleaseKey) -> Result<(), std::io::Error> {
        self.0.fetch_add(1, SeqCst);
        Ok(())
    }
}

/// A running edge.
pub(crate) struct Bench {
    pub(crate) edge: Edge,
    pub(crate) notes: Arc<Notes>,
    pub(crate) alarm: Arc<Alarm>,
}

impl Bench {
    /// An edge with the limits that users have.
    pub(crate) fn start() -> Self {
        Self::with(Limits::default())
    }

    /// An edge with other limits.
    pub(crate) fn with(limits: Limits) -> Self {
        let (notes, alarm) = (Arc::<Notes>::default(), Arc::<Alarm>::default());
        let edge = Edge::start(Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            also: Vec::new(),
            domain: "localhost".into(),
            workers: 2,
            observer: Arc::clone(&notes) as Arc<dyn Observer>,
            waker: Arc::clone(&alarm) as Arc<dyn Waker>,
            limits,
        });
        Self {
            edge: edge.expect("a free port"),
            notes,
            alarm,
        }
    }

    /// Routes an app to one target, on a port of its own that is returned.
    pub(crate) async fn serve(&self, target: Target) -> u16 {
        let port = self.edge.free_port().await.expect("a port");
        self.edge
            .set(route(port, vec![(100, target)]))
            .await
            .expect("a route");
        port
    }

    /// What was observed, once there are `count` of them.
    pub(crate) async fn observed(&self, count: usize) -> Vec<(ReleaseKey, u16, Ending)> {
        let read = || self.notes.0.lock().expect("no panic").clone();
        until("observations", || read().len() >= count).await;
        read()
    }

    /// Sends a GET for `shop.localhost`.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nhost: shop.localhost\r\n\r\n"
        ))
    }

    /// Sends a GET with more headers, each ended by CRLF.
    pub(crate) fn get_with(&self, path: &str, headers: &str) -> Answer {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nhost: shop.localhost\r\n{headers}\r\n"
        ))
    }

    /// Sends raw bytes to the edge and reads one response.
    pub(crate) fn send(&self, request: impl AsRef<[u8]>) -> Answer {
        Client::to(self.edge.edge()).ask(request)
    }
}

/// Waits until `happened`, not for ever.
pub(crate) async fn until(what: &str, mut happened: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "{what} never happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The route of `shop` with these shares; every target has an address of its own too.
pub(crate) fn route(port: u16, split: Vec<(u8, Target)>) -> Route {
    Route {
        app: shop(),
        releases: split.iter().map(|(_, target)| target.clone()).collect(),
        split,
        assets_of: None,
        local_port: port,
        down: "It sleeps.".into(),
    }
}

pub(crate) fn shop() -> AppName {
    "shop".parse().expect("a name")
}

pub(crate) fn release(number: u32) -> ReleaseKey {
    format!("shop.r{number}").parse().expect("a release")
}

/// A target with nothing to answer from.
pub(crate) fn nothing(number: u32) -> Target {
    Target {
        release: release(number),
        site: None,
        upstream: None,
        wakefulness: Wakefulness::Awake,
    }
}

/// A release that is a server at `address`, in the network that this test runs in.
pub(crate) fn server(number: u32, address: SocketAddr) -> Target {
    Target {
        upstream: Some(Upstream {
            instance: format!("shop.r{number}.1").parse().expect("an instance"),
            netns: PathBuf::from("/proc/self/ns/net"),
            address,
        }),
        ..nothing(number)
    }
}

/// A release that is a folder of files.
pub(crate) fn site(number: u32, root: &Path) -> Target {
    Target {
        site: Some(SiteFiles {
            root: root.to_owned(),
            site: Site {
                root: "site".into(),
                index: None,
                fallback: None,
            },
        }),
        ..nothing(number)
    }
}

/// A request as a server got it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Starts a server with a thread for each connection. `answer` writes what it likes; the
/// connection is kept while it returns true.
pub(crate) fn serve_with(
    answer: impl Fn(&Asked, &mut TcpStream) -> bool + Send + Sync + 'static,
) -> SocketAddr {
    serve_at(SocketAddr::from(([127, 0, 0, 1], 0)), answer)
}

/// The same, at an address of the test's choice.
pub(crate) fn serve_at(
    address: SocketAddr,
    answer: impl Fn(&Asked, &mut TcpStream) -> bool + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind(address).expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), answer) = (stream, Arc::clone(&answer)) else {
                return;
            };
            std::thread::spawn(move || {
                while let Some(asked) = read_request(&mut stream) {
                    if !answer(&asked, &mut stream) {
                        return;
                    }
                }
            });
        }
    });
    address
}

/// Starts a server that answers 200 with this text, whatever is asked.
pub(crate) fn says(text: &'static str) -> SocketAddr {
    serve_with(move |_, stream| reply(stream, "200 OK", "", text))
}

/// Writes a whole response; false when the other side has gone.
pub(crate) fn reply(stream: &mut TcpStream, status: &str, headers: &str, body: &str) -> bool {
    let size = body.len();
    let response = format!("HTTP/1.1 {status}\r\n{headers}content-length: {size}\r\n\r\n{body}");
    stream.write_all(response.as_bytes()).is_ok()
}

fn read_request(stream: &mut TcpStream) -> Option<Asked> {
    let head = read_head(stream)?;
    let mut body = Vec::new();
    if let Some(size) = header(&head, "content-length") {
        body.resize(size.parse().ok()?, 0);
        stream.read_exact(&mut body).ok()?;
    } else if header(&head, "transfer-encoding").is_some() {
        body = read_chunks(stream)?;
    }
    Some(Asked { head, body })
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    read_until(stream, b"\r\n\r\n")
}

fn read_until(stream: &mut TcpStream, end: &[u8]) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(end) {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return None,
        }
    }
    String::from_utf8(head).ok()
}

fn read_chunks(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_until(stream, b"\r\n")?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(&chunk[..size]);
    }
}

/// A response as the client got it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// The body ended as its framing promised.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A client's connection.
pub(crate) struct Client {
    pub(crate) stream: TcpStream,
}

impl Client {
    pub(crate) fn to(address: impl Into<SocketAddr>) -> Self {
        let stream = TcpStream::connect(address.into()).expect("the edge listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        Self { stream }
    }

    /// Sends raw bytes and reads one response. What the edge did not want to read any more is
    /// no failure.
    pub(crate) fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        let _ = self.stream.write_all(request.as_ref());
        let head_only = request.as_ref().starts_with(b"HEAD ");
        self.read_answer(head_only).expect("a response")
    }

    /// Reads one response; `None` when the connection ends first.
    pub(crate) fn read_answer(&mut self, head_only: bool) -> Option<Answer> {
        let head = read_head(&mut self.stream)?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let (mut body, mut whole) = (Vec::new(), true);
        let without = head_only || matches!(status, 100..200 | 204 | 304);
        if without {
        } else if let Some(size) = header(&head, "content-length") {
            let size: u64 = size.parse().ok()?;
            let read = (&mut self.stream).take(size).read_to_end(&mut body);
            whole = read.is_ok() && body.len() as u64 == size;
        } else if header(&head, "transfer-encoding").is_some() {
            match read_chunks(&mut self.stream) {
                Some(read) => body = read,
                None => whole = false,
            }
        } else {
            whole = self.stream.read_to_end(&mut body).is_ok();
        }
        Some(Answer {
            status,
            head,
            body,
            whole,
        })
    }
}
