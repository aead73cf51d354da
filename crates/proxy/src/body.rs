//! The bodies that pass through the edge, in both directions.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use ports::traffic::Ending;

use crate::lane::Flight;
use crate::relay::Relay;
use crate::site::FileBody;

/// The body of a response to a client.
pub(crate) enum Body {
    /// Bytes at hand.
    Whole(Whole),
    /// What a server sends, as it sends it.
    Relay(Box<Relay>),
    /// A large file.
    File(Box<FileBody>),
}

/// Bytes at hand, and the request that they end.
pub(crate) struct Whole {
    bytes: Bytes,
    flight: Option<Flight>,
}

impl Body {
    /// A body of these bytes.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Whole {
            bytes: bytes.into(),
            flight: None,
        })
    }

    /// No body.
    pub(crate) fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    /// Lets the body's end be the request's end.
    pub(crate) fn carry(&mut self, flight: Flight) {
        match self {
            Self::Whole(whole) if whole.bytes.is_empty() => flight.end(Ending::Complete),
            Self::Whole(whole) => whole.flight = Some(flight),
            Self::Relay(relay) => relay.carry(flight),
            Self::File(file) => file.carry(flight),
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(whole) => Poll::Ready(whole.next().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Relay(relay) => relay.poll_frame(context),
            Self::File(file) => file.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.bytes.is_empty(),
            Self::Relay(relay) => relay.is_over(),
            Self::File(file) => file.left() == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => SizeHint::with_exact(whole.bytes.len() as u64),
            Self::Relay(relay) => relay.size_hint(),
            Self::File(file) => SizeHint::with_exact(file.left()),
        }
    }
}

impl Whole {
    fn next(&mut self) -> Option<Bytes> {
        if let Some(flight) = self.flight.take() {
            flight.end(Ending::Complete);
        }
        let bytes = std::mem::take(&mut self.bytes);
        (!bytes.is_empty()).then_some(bytes)
    }
}

/// Why a request's body did not reach the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is larger than allowed.
    TooLarge,
    /// The client broke off, or sent nonsense.
    Client,
    /// The client stopped sending.
    Slow,
}

/// The body of a request to an app.
pub(crate) enum Upload {
    /// None.
    Empty,
    /// What the client sends, as it sends it.
    Stream(Stream),
}

/// A client's body, counted.
pub(crate) struct Stream {
    body: Incoming,
    left: u64,
    fault: Rc<Cell<Option<Fault>>>,
}

impl Upload {
    /// Passes `body` on as long as it has at most `limit` bytes; what goes wrong is left in `fault`.
    pub(crate) fn new(body: Incoming, limit: u64, fault: &Rc<Cell<Option<Fault>>>) -> Self {
        match body.is_end_stream() {
            true => Self::Empty,
            false => Self::Stream(Stream {
                body,
                left: limit,
                fault: Rc::clone(fault),
            }),
        }
    }
}

impl http_body::Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Stream(stream) => stream.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream(stream) => stream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream(stream) => stream.body.size_hint(),
        }
    }
}

impl Stream {
    fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| {
            let frame =
                frame.map_err(|cause| self.fail(fault_of(&cause), io::Error::other(cause)))?;
            let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
            match self.left.checked_sub(bytes) {
                Some(left) => self.left = left,
                None => return Err(self.fail(Fault::TooLarge, io::ErrorKind::FileTooLarge.into())),
            }
            Ok(frame)
        }))
    }

    fn fail(&self, fault: Fault, cause: io::Error) -> io::Error {
        self.fault.set(Some(fault));
        cause
    }
}

fn fault_of(cause: &hyper::Error) -> Fault {
    let cause = std::error::Error::source(cause);
    let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    match cause.map(io::Error::kind) {
        Some(io::ErrorKind::TimedOut) => Fault::Slow,
        _ => Fault::Client,
    }
}
