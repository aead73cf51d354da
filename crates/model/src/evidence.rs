//! What a stage leaves behind for later stages and for auditors.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::run::RunId;
use crate::stage::Stage;

/// The record of one stage of one run. Later stages see this only, never the stage's memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The run it belongs to.
    pub run: RunId,
    /// The stage that recorded it.
    pub stage: Stage,
    /// Counted from 1; a stage that was interrupted runs again.
    pub attempt: u32,
    /// Of everything the stage's result depends on. Equal inputs may reuse the result.
    pub input: Digest,
    /// The blob that holds what was found, in the stage's own JSON.
    pub blob: Digest,
    /// How long it took, in milliseconds.
    pub millis: u64,
    /// Whether an earlier result with the same input was reused.
    pub cached: bool,
}
