//! One client's connection.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http_body::{Frame, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::answer;
use crate::body::Body;
use crate::gate::{Gated, Line};
use crate::worker::{Door, Worker};

/// The clients of one worker, and whether they are asked to leave.
#[derive(Default)]
pub(crate) struct Closing {
    open: Cell<usize>,
    asked: Cell<bool>,
    ask: Notify,
    left: Notify,
}

impl Closing {
    /// Lets every connection end after its request; at most for `within`.
    pub(crate) async fn close(&self, within: Duration) {
        self.asked.set(true);
        self.ask.notify_waiters();
        let all_left = async {
            while self.open.get() > 0 {
                self.left.notified().await;
            }
        };
        // Those that are left are dropped with the runtime.
        let _ = tokio::time::timeout(within, all_left).await;
    }

    /// Somebody who is waited for.
    pub(crate) fn stay(self: &Rc<Self>) -> Stay {
        self.open.set(self.open.get() + 1);
        Stay(Rc::clone(self))
    }

    async fn asked(&self) {
        if !self.asked.get() {
            self.ask.notified().await;
        }
    }
}

/// A connection or tunnel that is waited for while it lives.
pub(crate) struct Stay(Rc<Closing>);

impl Drop for Stay {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.left.notify_one();
    }
}

/// Who asks, and where they came in.
pub(crate) struct Client {
    /// The thread that serves them.
    pub(crate) worker: Rc<Worker>,
    /// The door they came through.
    pub(crate) door: Rc<Door>,
    /// Their address, as apps are told it.
    pub(crate) address: HeaderValue,
    /// Who waits for them when the edge closes.
    pub(crate) closing: Rc<Closing>,
    /// What their socket is told.
    pub(crate) line: Arc<Line>,
}

/// A response's body; until its end its connection counts as busy.
struct Occupied {
    body: Body,
    line: Arc<Line>,
}

impl Occupied {
    fn new(line: &Arc<Line>) -> Self {
        line.busy.fetch_add(1, Relaxed);
        Self {
            body: Body::empty(),
            line: Arc::clone(line),
        }
    }

    fn with(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

impl Drop for Occupied {
    fn drop(&mut self) {
        self.line.busy.fetch_sub(1, Relaxed);
    }
}

impl http_body::Body for Occupied {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves a connection until it ends.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    closing: Rc<Closing>,
    door: Rc<Door>,
    stream: TcpStream,
    peer: SocketAddr,
) {
    let _stay = closing.stay();
    let _ = stream.set_nodelay(true);
    let Ok(address) = HeaderValue::try_from(peer.ip().to_canonical().to_string()) else {
        return;
    };
    let limits = worker.shared.config.limits.clone();
    let head_bytes = limits.head_bytes.max(8192);
    let line = Arc::<Line>::default();
    let gated = Gated::new(stream, Arc::clone(&line), limits);
    let client = Rc::new(Client {
        worker,
        door,
        address,
        closing: Rc::clone(&closing),
        line,
    });
    let service = service_fn(move |request| {
        let client = Rc::clone(&client);
        let occupied = Occupied::new(&client.line);
        async move {
            let response = answer::answer(&client, request).await;
            Ok::<_, Infallible>(response.map(|body| occupied.with(body)))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .writev(false)
        .max_buf_size(head_bytes)
        .max_header_size(head_bytes)
        .serve_connection(TokioIo::new(gated), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // How it ended is seen by each request's own observation.
    tokio::select! {
        _ = &mut connection => return,
        () = closing.asked() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
