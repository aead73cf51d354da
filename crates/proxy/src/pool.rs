//! Idle upstream connections of one worker, kept by instance.
//!
//! The key is the instance, never the address: all apps listen on 127.0.0.1, each in a network of
//! its own, and an answer must come from the one that was asked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::SendRequest;
use model::ReleaseKey;
use tokio::sync::Notify;

use crate::body::Upload;
use crate::instance::Instance;

/// How long a connection may be idle. Node and uvicorn close theirs after 5 s, and a
/// single-threaded server serves nobody else meanwhile.
const IDLE: Duration = Duration::from_millis(750);
/// How often the pool looks for older ones, so that none is idle for more than a second.
const LOOK: Duration = Duration::from_millis(200);
/// Idle connections to one instance, at most.
const MOST: usize = 64;

/// A connection to an instance that no request uses.
pub(crate) type Sender = SendRequest<Upload>;

struct Idle {
    sender: Sender,
    since: Instant,
}

struct Bench {
    instance: Arc<Instance>,
    idle: Vec<Idle>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.instance.idle.fetch_sub(self.idle.len(), Relaxed);
    }
}

/// The idle connections of one worker.
#[derive(Default)]
pub(crate) struct Pool {
    benches: RefCell<HashMap<u64, Bench>>,
    filled: Notify,
}

impl Pool {
    /// Takes the connection that was used last, if one is ready.
    pub(crate) fn take(&self, instance: &Instance) -> Option<Sender> {
        let mut benches = self.benches.borrow_mut();
        let bench = benches.get_mut(&instance.id)?;
        let mut context = Context::from_waker(Waker::noop());
        let mut at = bench.idle.len();
        while at > 0 {
            at -= 1;
            let ready = bench.idle[at].sender.poll_ready(&mut context);
            let fresh = bench.idle[at].since.elapsed() < IDLE;
            if ready.is_pending() && fresh {
                continue;
            }
            let taken = bench.idle.remove(at);
            instance.idle.fetch_sub(1, Relaxed);
            if fresh && matches!(ready, Poll::Ready(Ok(()))) {
                return Some(taken.sender);
            }
        }
        None
    }

    /// Keeps a connection whose exchange is over, unless its instance is better off without.
    pub(crate) fn put(&self, instance: &Arc<Instance>, sender: Sender) {
        if sender.is_closed() || !instance.takes_idle() {
            return;
        }
        let mut benches = self.benches.borrow_mut();
        let first = benches.is_empty();
        let bench = benches.entry(instance.id).or_insert_with(|| Bench {
            instance: Arc::clone(instance),
            idle: Vec::new(),
        });
        if bench.idle.len() < MOST {
            let since = Instant::now();
            bench.idle.push(Idle { sender, since });
            instance.idle.fetch_add(1, Relaxed);
        }
        if first {
            self.filled.notify_one();
        }
    }

    /// Closes all connections to an instance.
    pub(crate) fn give_up(&self, instance: u64) {
        self.benches.borrow_mut().remove(&instance);
    }

    /// Closes all connections to a release.
    pub(crate) fn forget(&self, release: &ReleaseKey) {
        let other = |bench: &Bench| bench.instance.upstream.instance.release != *release;
        self.benches.borrow_mut().retain(|_, bench| other(bench));
    }

    /// Closes what has been idle for too long, for ever.
    pub(crate) async fn expire(&self) {
        loop {
            if self.benches.borrow().is_empty() {
                self.filled.notified().await;
            }
            tokio::time::sleep(LOOK).await;
            self.sweep();
        }
    }

    fn sweep(&self) {
        self.benches.borrow_mut().retain(|_, bench| {
            let before = bench.idle.len();
            let young = |idle: &Idle| idle.since.elapsed() < IDLE && !idle.sender.is_closed();
            bench.idle.retain(young);
            let gone = before - bench.idle.len();
            bench.instance.idle.fetch_sub(gone, Relaxed);
            !bench.idle.is_empty()
        });
    }
}
