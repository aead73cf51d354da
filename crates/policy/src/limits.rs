//! How much a policy may use.

use std::num::NonZeroU32;
use std::time::Duration;

use regorus::utils::limits::ExecutionTimerConfig;

/// How much a policy may use. What needs more denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Time for each entry point.
    pub time: Duration,
    /// Steps of the bytecode for each entry point. The same question ends at the same step on any
    /// machine, so this is what should stop a runaway policy.
    pub steps: usize,
    /// Files of one policy.
    pub files: usize,
    /// All of its texts.
    pub bytes: usize,
    /// One question, as JSON.
    pub input_bytes: usize,
}

impl Default for Limits {
    /// A thousand times what the policies that come with mayfly need.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(2),
            steps: 5_000_000,
            files: 1_000,
            bytes: 16 << 20,
            input_bytes: 16 << 20,
        }
    }
}

impl Limits {
    pub(crate) fn timer(&self) -> ExecutionTimerConfig {
        timer(self.time)
    }
}

/// Stops an engine after `limit`.
pub(crate) fn timer(limit: Duration) -> ExecutionTimerConfig {
    ExecutionTimerConfig {
        limit,
        check_interval: NonZeroU32::new(1_000).unwrap_or(NonZeroU32::MIN),
    }
}
