//! The transparency log: a Merkle tree of texts in tiles, with signed checkpoints.
//!
//! Source: C2SP tlog-tiles, tlog-checkpoint and signed-note; RFC 6962, section 2.1, for the tree.

mod checkpoint;
mod proof;
mod tile_log;
mod tiles;
mod tree;

pub use checkpoint::{LogKey, LogVerifier};
pub(crate) use proof::check_entry;
pub use tile_log::{Log, TileLog};
