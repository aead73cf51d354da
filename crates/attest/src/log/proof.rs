//! What clients check: that an entry is in the log, and that the log only grew.

use model::Digest;
use model::transparency::{Checkpoint, Consistency, Inclusion};
use ports::LogError;
use tlog_tiles::{Hash, check_record, check_tree, record_hash};

use super::checkpoint::LogVerifier;

/// No log of ours comes near, and no arithmetic on sizes overflows.
const LARGEST: u64 = 1 << 56;

impl LogVerifier {
    /// Whether an entry is in the log; returns the checkpoint that it is in.
    pub fn check_inclusion(&self, proof: &Inclusion) -> Result<Checkpoint, LogError> {
        let checkpoint = self.read(&proof.checkpoint)?;
        let entry = record_hash(proof.entry.as_bytes());
        check_entry(&checkpoint, proof.index, entry, &proof.hashes)?;
        Ok(checkpoint)
    }

    /// Whether the log that had the checkpoint `remembered` only grew since; returns the new
    /// checkpoint, to be remembered in its stead.
    pub fn check_consistency(
        &self,
        remembered: &Checkpoint,
        proof: &Consistency,
    ) -> Result<Checkpoint, LogError> {
        let remembered = self.read(&remembered.note)?;
        let now = self.read(&proof.checkpoint)?;
        if now.size < remembered.size {
            return Err(LogError::Rewritten(format!(
                "it had {} entries, and has {} now",
                remembered.size, now.size
            )));
        }
        if !continues(&remembered, &now, proof) {
            return Err(LogError::Rewritten(format!(
                "the first {} entries are not those that were there",
                remembered.size
            )));
        }
        Ok(now)
    }
}

fn continues(remembered: &Checkpoint, now: &Checkpoint, proof: &Consistency) -> bool {
    if remembered.size == now.size {
        return remembered.root == now.root;
    }
    let hashes = hashes(&proof.hashes);
    remembered.size == 0
        || (now.size < LARGEST
            && check_tree(
                &hashes,
                now.size,
                hash(&now.root),
                remembered.size,
                hash(&remembered.root),
            )
            .is_ok())
}

/// Whether the entry with the hash `entry` is number `index` of a checkpoint's log.
pub(crate) fn check_entry(
    checkpoint: &Checkpoint,
    index: u64,
    entry: Hash,
    path: &[Digest],
) -> Result<(), LogError> {
    if checkpoint.size >= LARGEST {
        return Err(LogError::BadProof("no log is that large".into()));
    }
    let root = hash(&checkpoint.root);
    check_record(&hashes(path), checkpoint.size, root, index, entry)
        .map_err(|error| LogError::BadProof(error.to_string()))
}

fn hash(digest: &Digest) -> Hash {
    Hash(*digest.as_bytes())
}

fn hashes(digests: &[Digest]) -> Vec<Hash> {
    digests.iter().map(hash).collect()
}
