//! Passes an app's response body on, unbuffered, until it ends or has to.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use ports::traffic::Ending;
use tokio::sync::futures::OwnedNotified;
use tokio::time::{Instant, Sleep};

use crate::forward::Lease;
use crate::lane::Flight;

/// An app's response body on its way to a client.
pub(crate) struct Relay {
    state: State,
    size: SizeHint,
    flight: Option<Flight>,
    lease: Option<Lease>,
    /// The longest pause; `None` for event streams.
    idle: Option<Duration>,
    waits: Option<Waits>,
}

enum State {
    Open(Incoming),
    Over,
}

/// What a body that has nothing to send at the moment waits for besides.
struct Waits {
    cut: Pin<Box<OwnedNotified>>,
    idle: Pin<Box<Sleep>>,
    last: Instant,
}

impl Relay {
    /// Relays `body`; the connection goes back to the pool after its last byte.
    pub(crate) fn new(body: Incoming, lease: Lease, idle: Option<Duration>) -> Self {
        let mut relay = Self {
            size: body.size_hint(),
            state: State::Open(body),
            flight: None,
            lease: Some(lease),
            idle,
            waits: None,
        };
        relay.notice_end();
        relay
    }

    /// Lets the body's end be the request's end.
    pub(crate) fn carry(&mut self, mut flight: Flight) {
        match self.state {
            State::Over => flight.end(Ending::Complete),
            State::Open(_) => {
                flight.expect_ending(Ending::ClientGone);
                self.flight = Some(flight);
            }
        }
    }

    /// Whether nothing follows.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// How much follows, as far as the app said.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self.is_over() {
            true => SizeHint::with_exact(0),
            false => self.size,
        }
    }

    /// The next piece.
    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let State::Open(body) = &mut self.state else {
            return Poll::Ready(None);
        };
        match Pin::new(body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(Ok(self.passed(frame)))),
            Poll::Ready(Some(Err(cause))) => {
                self.finish(Ending::UpstreamBroke);
                Poll::Ready(Some(Err(io::Error::other(cause))))
            }
            Poll::Ready(None) => {
                self.notice_end();
                Poll::Ready(None)
            }
            Poll::Pending => self.poll_waits(context),
        }
    }

    fn passed(&mut self, frame: Frame<Bytes>) -> Frame<Bytes> {
        if let Some(waits) = &mut self.waits {
            waits.last = Instant::now();
        }
        self.notice_end();
        frame
    }

    fn notice_end(&mut self) {
        let State::Open(body) = &self.state else {
            return;
        };
        if body.is_end_stream() {
            self.state = State::Over;
            if let Some(lease) = self.lease.take() {
                lease.give_back();
            }
            self.finish(Ending::Complete);
        }
    }

    fn finish(&mut self, ending: Ending) {
        self.state = State::Over;
        self.waits = None;
        self.lease = None;
        if let Some(flight) = self.flight.take() {
            flight.end(ending);
        }
    }

    fn poll_waits(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(flight) = &self.flight else {
            return Poll::Pending;
        };
        let limit = self
            .idle
            .unwrap_or(Duration::from_secs(u64::from(u32::MAX)));
        let waits = self.waits.get_or_insert_with(|| Waits {
            cut: Box::pin(flight.cut_signal()),
            idle: Box::pin(tokio::time::sleep(limit)),
            last: Instant::now(),
        });
        let notified = waits.cut.as_mut().poll(context).is_ready();
        if notified || flight.is_cut() {
            return self.end_early();
        }
        if waits.poll_idle(limit, context).is_ready() {
            self.finish(Ending::TimedOut);
            return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
        }
        Poll::Pending
    }

    /// A drain is over. A stream of unknown length can end here in good order; a body that
    /// promised more bytes is broken off, so that nobody takes it for whole.
    fn end_early(&mut self) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.size.exact() {
            Some(_) => {
                self.finish(Ending::TimedOut);
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
            }
            None => {
                self.finish(Ending::Complete);
                Poll::Ready(None)
            }
        }
    }
}

impl Waits {
    /// Ready when nothing has passed for `limit`. The timer is set again only when it fires.
    fn poll_idle(&mut self, limit: Duration, context: &mut Context<'_>) -> Poll<()> {
        while self.idle.as_mut().poll(context).is_ready() {
            let due = self.last + limit;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.idle.as_mut().reset(due);
        }
        Poll::Pending
    }
}
