//! Servers to be routed to, and a client that asks the way browsers do.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use model::ReleaseKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::runtime::Upstream;
use crate::traffic::{Route, Target, Wakefulness};

/// How long anything in the suite may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A server that says one thing. It listens in the network that the suite runs in.
pub(super) struct Server {
    address: SocketAddr,
    /// Requests that have come.
    asked: Arc<AtomicUsize>,
    /// Requests that may be answered.
    leave: Arc<Semaphore>,
}

impl Server {
    /// Answers 200 with `text` to everything, and 500 to `/broken`.
    pub(super) async fn says(text: &str) -> Self {
        Self::start(text, Semaphore::MAX_PERMITS).await
    }

    /// The same, but answers wait for [`Server::go`].
    pub(super) async fn hesitates(text: &str) -> Self {
        Self::start(text, 0).await
    }

    async fn start(text: &str, leave: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            address: listener.local_addr().expect("an address"),
            asked: Arc::default(),
            leave: Arc::new(Semaphore::new(leave)),
        };
        let (asked, leave) = (Arc::clone(&server.asked), Arc::clone(&server.leave));
        let text: Arc<str> = text.into();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, leave) = (Arc::clone(&asked), Arc::clone(&leave));
                tokio::spawn(serve(stream, Arc::clone(&text), asked, leave));
            }
        });
        server
    }

    /// Lets one request be answered.
    pub(super) fn go(&self) {
        self.leave.add_permits(1);
    }

    /// Waits until so many requests have come.
    pub(super) async fn was_asked(&self, times: usize) {
        until(|| self.asked.load(SeqCst) >= times).await;
    }

    /// A release that is this server.
    pub(super) fn target(&self, release: &str) -> Target {
        let release: ReleaseKey = release.parse().expect("a release");
        Target {
            upstream: Some(Upstream {
                instance: format!("{release}.1").parse().expect("an instance"),
                netns: PathBuf::from("/proc/self/ns/net"),
                address: self.address,
            }),
            release,
            site: None,
            wakefulness: Wakefulness::Awake,
        }
    }
}

async fn serve(
    mut stream: TcpStream,
    text: Arc<str>,
    asked: Arc<AtomicUsize>,
    leave: Arc<Semaphore>,
) -> Option<()> {
    loop {
        let head = read_head(&mut stream).await?;
        asked.fetch_add(1, SeqCst);
        leave.acquire().await.ok()?.forget();
        let status = match head.starts_with("GET /broken ") {
            true => "500 Broken",
            false => "200 OK",
        };
        let size = text.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {size}\r\n\r\n{text}");
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// The route of an app to one target, which has an address of its own too.
pub(super) fn route(app: &str, local_port: u16, split: Vec<(u8, Target)>) -> Route {
    Route {
        app: app.parse().expect("a name"),
        releases: split.iter().map(|(_, target)| target.clone()).collect(),
        split,
        assets_of: None,
        local_port,
        down: "It sleeps.".into(),
    }
}

/// Asks for `/` of `host` at `address`; the status and the body.
pub(super) async fn get(address: SocketAddr, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer)).await;
    read.expect("in time").expect("no reset");
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let (_, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    (status.expect("a status"), body.to_owned())
}

/// Waits until `happened`, not for ever.
pub(super) async fn until(mut happened: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !happened() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    waited.await.expect("in time");
}
