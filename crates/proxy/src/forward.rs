//! Sends one request to an instance: the HTTP/1 hop, behind which a leaner one could stand.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;

use crate::body::Upload;
use crate::dial;
use crate::instance::Instance;
use crate::lane::Flight;
use crate::pool::Sender;
use crate::worker::Worker;

/// A new connection that got no answer for this long may wait behind an idle one.
const STALL: Duration = Duration::from_millis(100);

/// Why there is no response from an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It accepts no connections.
    Unreachable,
    /// It closed the connection, or sent something that is no response.
    Broke,
    /// It did not answer in time.
    TooSlow,
    /// A drain ended the request.
    Cut,
}

/// A connection in use; it goes back to the pool only by [`Lease::give_back`].
pub(crate) struct Lease {
    worker: Rc<Worker>,
    instance: Arc<Instance>,
    sender: Sender,
}

impl Lease {
    /// The exchange is over; the connection may serve another one.
    pub(crate) fn give_back(self) {
        self.worker.pool.put(&self.instance, self.sender);
    }
}

/// Whether a connection may be used for any request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Pooled, or new.
    Allowed,
    /// New only: a request that must not be sent twice, or a tunnel.
    Never,
}

/// One request's way to one instance.
pub(crate) struct Hop<'a> {
    /// Whose pool is used.
    pub(crate) worker: &'a Rc<Worker>,
    /// Where to.
    pub(crate) instance: &'a Arc<Instance>,
    /// Ends the wait when a drain ends the request.
    pub(crate) flight: &'a Flight,
    /// Until the head of the response.
    pub(crate) limit: Duration,
}

impl Hop<'_> {
    /// Sends a request. On a pooled connection that turns out to be closed it is sent once more,
    /// on a new one; only requests that may be sent twice use pooled connections at all.
    pub(crate) async fn send(
        &self,
        request: Request<Upload>,
        reuse: Reuse,
    ) -> Result<(Response<Incoming>, Lease), Trouble> {
        let pooled = match reuse == Reuse::Allowed && is_repeatable(&request) {
            true => self.worker.pool.take(self.instance),
            false => None,
        };
        let Some(sender) = pooled else {
            return self.send_on_new(request).await;
        };
        let again = copy(&request);
        match self.exchange(sender, request, Reuse::Allowed).await {
            Err(Trouble::Broke) => self.send_on_new(again).await,
            other => other,
        }
    }

    async fn send_on_new(
        &self,
        request: Request<Upload>,
    ) -> Result<(Response<Incoming>, Lease), Trouble> {
        let limits = &self.worker.shared.config.limits;
        let stream = dial::connect(self.instance, limits.connect).await;
        let stream = stream.map_err(|_| Trouble::Unreachable)?;
        let handshake = hyper::client::conn::http1::Builder::new()
            .writev(false)
            .max_buf_size(limits.head_bytes.max(8192))
            .max_header_size(limits.head_bytes)
            .handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await.map_err(|_| Trouble::Broke)?;
        tokio::task::spawn_local(async move {
            // Its end is seen by whoever waits for the response.
            let _ = connection.with_upgrades().await;
        });
        self.exchange(sender, request, Reuse::Never).await
    }

    async fn exchange(
        &self,
        mut sender: Sender,
        request: Request<Upload>,
        age: Reuse,
    ) -> Result<(Response<Incoming>, Lease), Trouble> {
        let mut sending = std::pin::pin!(sender.send_request(request));
        let sent = tokio::select! {
            biased;
            sent = &mut sending => sent,
            () = self.flight.cut() => return Err(Trouble::Cut),
            () = tokio::time::sleep(self.limit) => return Err(Trouble::TooSlow),
            () = self.relieve_stall(), if age == Reuse::Never => return Err(Trouble::TooSlow),
        };
        let response = sent.map_err(|_| Trouble::Broke)?;
        let lease = Lease {
            worker: Rc::clone(self.worker),
            instance: Arc::clone(self.instance),
            sender,
        };
        Ok((response, lease))
    }

    /// Gives up idle connections when the instance seems to serve them instead of this one.
    /// Never returns: the answer ends it.
    async fn relieve_stall(&self) {
        tokio::time::sleep(STALL).await;
        let _stalled = Stalled::new(self.instance);
        if self.instance.idle.load(Relaxed) > 0 {
            self.instance.is_solitary();
            self.worker.shared.crew().give_up(self.instance.id);
        }
        std::future::pending::<()>().await;
    }
}

/// Counts a stalled connection while it lives.
struct Stalled<'a>(&'a Instance);

impl<'a> Stalled<'a> {
    fn new(instance: &'a Instance) -> Self {
        instance.stalled.fetch_add(1, Relaxed);
        Self(instance)
    }
}

impl Drop for Stalled<'_> {
    fn drop(&mut self) {
        self.0.stalled.fetch_sub(1, Relaxed);
    }
}

/// Whether sending a request twice does no more than sending it once (RFC 9110, 9.2.2), and
/// whether it can be: a body is there only once.
fn is_repeatable(request: &Request<Upload>) -> bool {
    const IDEMPOTENT: [Method; 6] = [
        Method::GET,
        Method::HEAD,
        Method::OPTIONS,
        Method::TRACE,
        Method::PUT,
        Method::DELETE,
    ];
    IDEMPOTENT.contains(request.method()) && matches!(request.body(), Upload::Empty)
}

/// The same request once more, without its body.
pub(crate) fn copy<B>(request: &Request<B>) -> Request<Upload> {
    let mut again = Request::new(Upload::Empty);
    *again.method_mut() = request.method().clone();
    *again.uri_mut() = request.uri().clone();
    *again.headers_mut() = request.headers().clone();
    again
}
