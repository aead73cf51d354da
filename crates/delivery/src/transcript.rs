//! Brings the ledger's events into the transparency log. The events are the outbox: the log's entry
//! `n` is event `n + 1`, so a kill at any moment loses and doubles nothing.

use std::sync::Arc;
use std::time::Duration;

use model::Failure;
use model::transparency::Checkpoint;
use ports::Change;

use crate::Delivery;

/// How many events are brought at once.
const AT_ONCE: u32 = 1000;
/// How long to wait before the next try when the log's disk fails.
const TRY_AGAIN: Duration = Duration::from_secs(5);

impl Delivery {
    /// Brings events into the log as they are recorded, for ever.
    pub async fn transcribe_for_ever(self: Arc<Self>) {
        loop {
            let recorded = self.recorded.notified();
            if let Err(failure) = self.transcribe().await {
                tracing::warn!(%failure, "events could not be brought into the log; trying again");
                tokio::time::sleep(TRY_AGAIN).await;
                continue;
            }
            recorded.await;
        }
    }

    /// Brings every event that the log lacks into it, then keeps the proofs of new releases.
    /// Returns the log's newest promise.
    pub async fn transcribe(&self) -> Result<Checkpoint, Failure> {
        let _turn = self.transcribing.lock().await;
        let log = &self.ports.log;
        let mut checkpoint = log
            .checkpoint()
            .await
            .map_err(|error| Failure::of(&error))?;
        loop {
            let entries = self.ports.ledger.entries(checkpoint.size, AT_ONCE).await;
            let entries = entries.map_err(|error| Failure::of(&error))?;
            if entries.is_empty() {
                break;
            }
            let texts = entries.into_iter().map(|entry| entry.text).collect();
            let appended = log.append(checkpoint.size, texts).await;
            checkpoint = appended.map_err(|error| Failure::of(&error))?;
        }
        self.keep_proofs(checkpoint.size).await?;
        Ok(checkpoint)
    }

    async fn keep_proofs(&self, size: u64) -> Result<(), Failure> {
        let unproven = self.ports.ledger.unproven().await;
        let unproven = unproven.map_err(|error| Failure::of(&error))?;
        let mut proofs = Vec::new();
        for (release, seq) in unproven.into_iter().filter(|(_, seq)| *seq <= size) {
            let proof = self.ports.log.prove_inclusion(seq - 1).await;
            let proof = proof.map_err(|error| Failure::of(&error))?;
            proofs.push(Change::ProofKept { release, proof });
        }
        match proofs.is_empty() {
            true => Ok(()),
            false => self.record(proofs).await,
        }
    }
}
