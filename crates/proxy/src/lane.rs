//! What is under way to one release, shared by all workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use model::ReleaseKey;
use ports::traffic::{Drained, Ending, Observation, Observer};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use crate::tally::Tally;

/// How long requests that a drain ends may take to leave: a close frame and a FIN each way.
pub(crate) const LEAVE: Duration = Duration::from_secs(2);

/// The status that is observed for a client which left before its response had one (nginx's word).
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// One release's way through the edge.
///
/// Its counter is raised before the route is checked for a last time, and a drain looks at the
/// counter after the route was changed, both in sequentially consistent order: no request slips
/// through to a release that was found idle.
pub(crate) struct Lane {
    /// The release.
    pub(crate) release: ReleaseKey,
    /// Its counters.
    pub(crate) tally: Tally,
    observer: Arc<dyn Observer>,
    under_way: AtomicUsize,
    drains: AtomicUsize,
    empty: Notify,
    cuts: AtomicU64,
    cut: Arc<Notify>,
}

impl Lane {
    /// A lane with nothing on it.
    pub(crate) fn new(release: ReleaseKey, observer: Arc<dyn Observer>) -> Arc<Self> {
        Arc::new(Self {
            release,
            tally: Tally::default(),
            observer,
            under_way: AtomicUsize::new(0),
            drains: AtomicUsize::new(0),
            empty: Notify::new(),
            cuts: AtomicU64::new(0),
            cut: Arc::default(),
        })
    }

    /// How many requests and tunnels are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way.load(SeqCst)
    }

    /// Begins a request that came in at `started`.
    pub(crate) fn enter(self: &Arc<Self>, started: Instant) -> Flight {
        self.under_way.fetch_add(1, SeqCst);
        Flight {
            cuts_before: self.cuts.load(SeqCst),
            lane: Arc::clone(self),
            started,
            latency: Duration::ZERO,
            status: 0,
            ending: Ending::ClientGone,
            counted: true,
        }
    }

    /// Waits until nothing is under way; ends what still is after `within`.
    pub(crate) async fn drain(&self, within: Duration) -> Drained {
        self.drains.fetch_add(1, SeqCst);
        let drained = match tokio::time::timeout(within, self.emptied()).await {
            Ok(()) => Drained::Complete,
            Err(_) => self.cut_all().await,
        };
        self.drains.fetch_sub(1, SeqCst);
        drained
    }

    async fn cut_all(&self) -> Drained {
        let left = self.under_way();
        self.cuts.fetch_add(1, SeqCst);
        self.cut.notify_waiters();
        if tokio::time::timeout(LEAVE, self.emptied()).await.is_err() {
            tracing::warn!(release = %self.release, "requests outlived the end of their drain");
        }
        match left {
            0 => Drained::Complete,
            left => Drained::Cut(left),
        }
    }

    async fn emptied(&self) {
        loop {
            let empty = self.empty.notified();
            tokio::pin!(empty);
            empty.as_mut().enable();
            if self.under_way() == 0 {
                return;
            }
            empty.await;
        }
    }
}

/// One request on its lane, until the last byte of its response; dropped, it counts and observes.
pub(crate) struct Flight {
    lane: Arc<Lane>,
    cuts_before: u64,
    started: Instant,
    latency: Duration,
    status: u16,
    ending: Ending,
    counted: bool,
}

impl Flight {
    /// The release that it goes to.
    pub(crate) fn release(&self) -> &ReleaseKey {
        &self.lane.release
    }

    /// The response's head is there.
    pub(crate) fn headed(&mut self, status: u16) {
        self.status = status;
        self.latency = self.started.elapsed();
    }

    /// Ends it in this way.
    pub(crate) fn end(mut self, ending: Ending) {
        self.ending = ending;
    }

    /// Says how it would end if it was dropped now.
    pub(crate) fn expect_ending(&mut self, ending: Ending) {
        self.ending = ending;
    }

    /// Gives it back unused: another release gets the request.
    pub(crate) fn withdraw(mut self) {
        self.counted = false;
    }

    /// Whether a drain has ended it.
    pub(crate) fn is_cut(&self) -> bool {
        self.lane.cuts.load(SeqCst) != self.cuts_before
    }

    /// Resolves when a drain ends it; check [`Flight::is_cut`] after the first poll.
    pub(crate) fn cut_signal(&self) -> OwnedNotified {
        Arc::clone(&self.lane.cut).notified_owned()
    }

    /// Waits until a drain ends it.
    pub(crate) async fn cut(&self) {
        let signal = self.cut_signal();
        tokio::pin!(signal);
        signal.as_mut().enable();
        if !self.is_cut() {
            signal.await;
        }
    }

    fn observe(&mut self) {
        if self.status == 0 {
            self.headed(CLIENT_CLOSED_REQUEST);
        }
        let (status, latency, ending) = (self.status, self.latency, self.ending);
        self.lane.tally.count(status, latency, ending);
        self.lane.observer.observe(Observation {
            release: &self.lane.release,
            status,
            latency,
            ending,
        });
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.counted {
            self.observe();
        }
        let last = self.lane.under_way.fetch_sub(1, SeqCst) == 1;
        if last && self.lane.drains.load(SeqCst) > 0 {
            self.lane.empty.notify_waiters();
        }
    }
}
