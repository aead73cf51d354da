//! A client's socket with the gate before it, and the time limits of a client.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::{Gate, Phase};
use crate::config::Limits;

/// What hyper gets instead of an odd line: it answers 400 and closes.
const POISON: &[u8] = b"\0\r\n\r\n";
/// How long a client that was not heard to the end may take to read its answer.
const LINGER: Duration = Duration::from_secs(1);

/// What the requests of a connection tell its socket.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Requests that are being answered.
    pub(crate) busy: AtomicUsize,
    /// The connection has left HTTP.
    pub(crate) tunnel: AtomicBool,
}

/// A client's socket.
pub(crate) struct Gated<S> {
    stream: S,
    gate: Gate,
    line: Arc<Line>,
    limits: Limits,
    /// What is still to be read instead of refused bytes.
    poison: &'static [u8],
    head_since: Instant,
    reading: Timer,
    writing: Timer,
    lingering: Timer,
}

impl<S: AsyncRead + Unpin> Gated<S> {
    /// Puts the gate before a socket.
    pub(crate) fn new(stream: S, line: Arc<Line>, limits: Limits) -> Self {
        Self {
            stream,
            gate: Gate::default(),
            line,
            limits,
            poison: &[],
            head_since: Instant::now(),
            reading: Timer::default(),
            writing: Timer::default(),
            lingering: Timer::default(),
        }
    }

    fn is_tunnel(&self) -> bool {
        self.line.tunnel.load(Relaxed)
    }

    /// Shows new bytes to the gate; what is refused is not read by anybody. A body just ends too
    /// early then; a head gets a byte that no head may have.
    fn check(&mut self, buffer: &mut ReadBuf<'_>, before: usize) {
        self.reading.stop();
        let was = self.gate.phase();
        let seen = self.gate.see(&buffer.filled()[before..]);
        if was != Phase::Head {
            self.head_since = Instant::now();
        }
        if let Err(refusal) = seen {
            buffer.set_filled(before + refusal.good);
            if refusal.phase != Phase::Body {
                self.poison = POISON;
            }
            self.put_poison(buffer);
        }
    }

    fn put_poison(&mut self, buffer: &mut ReadBuf<'_>) {
        let (now, later) = self
            .poison
            .split_at(self.poison.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.poison = later;
    }

    /// Nothing to read: closes what has been idle for too long, as if the client had.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let waiting = self.reading.began();
        let due = match self.gate.phase() {
            Phase::Between if self.line.busy.load(Relaxed) > 0 => {
                self.reading.stop();
                return Poll::Pending;
            }
            Phase::Between => waiting + self.limits.keep_alive,
            Phase::Head => self.head_since + self.limits.request_head,
            Phase::Body => waiting + self.limits.client_idle,
            Phase::Refused => return Poll::Ready(Ok(())),
        };
        ready!(self.reading.poll(due, context));
        match self.gate.phase() {
            Phase::Body => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gated<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.gate.phase() == Phase::Refused {
            this.put_poison(buffer);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            Poll::Ready(Ok(())) if !this.is_tunnel() => this.check(buffer, before),
            Poll::Pending if !this.is_tunnel() => return this.poll_patience(context),
            other => return other,
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Gated<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                this.writing.stop();
                Poll::Ready(written)
            }
            Poll::Pending => {
                let due = this.writing.began() + this.limits.client_idle;
                ready!(this.writing.poll(due, context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    /// Closing a socket with unread bytes resets the connection, and a reset may overtake the
    /// answer: a client that was not heard to the end gets time to read it.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
        if this.is_tunnel() || matches!(this.gate.phase(), Phase::Between | Phase::Head) {
            return Poll::Ready(Ok(()));
        }
        let due = this.lingering.began() + LINGER;
        while this.lingering.poll(due, context).is_pending() {
            let mut space = [0; 8 << 10];
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut this.stream).poll_read(context, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// Measures a wait. The system's timer is set only when it fires, not for every wait.
#[derive(Default)]
struct Timer {
    since: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// The wait is over.
    fn stop(&mut self) {
        self.since = None;
    }

    /// When the wait began: now, unless it has.
    fn began(&mut self) -> Instant {
        *self.since.get_or_insert_with(Instant::now)
    }

    /// Ready when the wait has taken until `due`.
    fn poll(&mut self, due: Instant, context: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        while sleep.as_mut().poll(context).is_ready() {
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(due);
        }
        Poll::Pending
    }
}
