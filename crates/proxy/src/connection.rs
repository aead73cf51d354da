//! One client's connection.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http::HeaderValue;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::answer;
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
    let head_bytes = worker.shared.config.limits.head_bytes.max(8192);
    let client = Rc::new(Client {
        worker,
        door,
        address,
        closing: Rc::clone(&closing),
    });
    let service = service_fn(move |request| {
        let client = Rc::clone(&client);
        async move { Ok::<_, Infallible>(answer::answer(&client, request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .writev(false)
        .max_buf_size(head_bytes)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // How it ended is seen by each request's own observation.
    tokio::select! {
        _ = &mut connection => return,
        () = closing.asked() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
