//! A folder's content on its way in, and the daemon's own door.

use std::net::SocketAddr;

use bytes::Bytes;
use model::event::Event;
use model::snapshot::{Entry, Snapshot};
use model::{Digest, Failure};

use crate::Delivery;

impl Delivery {
    /// Checks a snapshot and keeps it; returns its digest.
    pub async fn keep_snapshot(&self, entries: Vec<Entry>) -> Result<Digest, Failure> {
        let snapshot = Snapshot::new(entries, Vec::new(), &self.settings.source);
        let snapshot = snapshot.map_err(|error| Failure::of(&error))?;
        self.put_json(&snapshot.entries).await
    }

    /// Which blobs still have to be sent.
    pub async fn missing_blobs(&self, digests: Vec<Digest>) -> Result<Vec<Digest>, Failure> {
        self.ports
            .blobs
            .missing(&digests)
            .await
            .map_err(|error| Failure::of(&error))
    }

    /// Keeps blobs that were sent, each with the digest that it was promised to have.
    pub async fn keep_blobs(&self, blobs: Vec<(Option<Digest>, Bytes)>) -> Result<(), Failure> {
        self.ports
            .blobs
            .put_all(blobs)
            .await
            .map(drop)
            .map_err(|error| Failure::of(&error))
    }

    /// What happened after event `after`.
    pub async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, Failure> {
        self.ports
            .ledger
            .events(after, limit)
            .await
            .map_err(|error| Failure::of(&error))
    }

    /// Where the edge listens.
    pub fn edge(&self) -> SocketAddr {
        self.ports.traffic.edge()
    }

    /// Lets what is under way at the edge end: the daemon stops.
    pub async fn close(&self) {
        self.ports.traffic.close(self.settings.drain_for).await;
    }
}
