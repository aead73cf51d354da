//! What a transparency log promises, and the proofs by which it is held to it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// A signed promise: the log has `size` entries, and they hash to `root`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The log's name.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The Merkle tree's root (RFC 6962, section 2.1).
    pub root: Digest,
    /// The signed text (C2SP tlog-checkpoint).
    pub note: String,
}

/// That an entry is in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// Its place, from 0.
    pub index: u64,
    /// Its bytes, which are text.
    pub entry: String,
    /// The way from the entry to the root.
    pub hashes: Vec<Digest>,
    /// The signed text of the checkpoint with that root.
    pub checkpoint: String,
}

/// That a log has grown since a checkpoint, and nothing else happened to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consistency {
    /// The size that was remembered.
    pub from: u64,
    /// The way from the old root to the new one.
    pub hashes: Vec<Digest>,
    /// The signed text of the new checkpoint.
    pub checkpoint: String,
}
