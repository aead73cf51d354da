//! What each release has answered so far: plain counters.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use model::ReleaseKey;
use ports::traffic::Ending;

/// Upper bounds of the latency buckets, in microseconds; the last bucket has no bound.
pub const BUCKETS_MICROS: [u64; 15] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 60_000_000,
];

/// The counters of one release since its edge was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseTally {
    /// The release.
    pub release: ReleaseKey,
    /// Requests under way now.
    pub under_way: usize,
    /// Responses by first digit of their status: `by_class[0]` counts 1xx.
    pub by_class: [u64; 5],
    /// Responses that did not end as they should: client gone, broke off, too slow.
    pub incomplete: u64,
    /// Time from request head to response head; one more bucket than [`BUCKETS_MICROS`].
    pub latency: [u64; BUCKETS_MICROS.len() + 1],
    /// Sum of those times in microseconds.
    pub latency_sum_micros: u64,
}

impl ReleaseTally {
    /// All responses.
    pub fn requests(&self) -> u64 {
        self.by_class.iter().sum()
    }
}

/// The same, while it is counted.
#[derive(Default)]
pub(crate) struct Tally {
    by_class: [AtomicU64; 5],
    incomplete: AtomicU64,
    latency: [AtomicU64; BUCKETS_MICROS.len() + 1],
    latency_sum_micros: AtomicU64,
}

impl Tally {
    /// Counts one response.
    pub(crate) fn count(&self, status: u16, latency: Duration, ending: Ending) {
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        self.by_class[class].fetch_add(1, Relaxed);
        if ending != Ending::Complete {
            self.incomplete.fetch_add(1, Relaxed);
        }
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS_MICROS.partition_point(|bound| *bound < micros);
        self.latency[bucket].fetch_add(1, Relaxed);
        self.latency_sum_micros.fetch_add(micros, Relaxed);
    }

    /// Reads the counters.
    pub(crate) fn read(&self, release: ReleaseKey, under_way: usize) -> ReleaseTally {
        ReleaseTally {
            release,
            under_way,
            by_class: self.by_class.each_ref().map(|n| n.load(Relaxed)),
            incomplete: self.incomplete.load(Relaxed),
            latency: self.latency.each_ref().map(|n| n.load(Relaxed)),
            latency_sum_micros: self.latency_sum_micros.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_counted_in_its_class_and_bucket() {
        let tally = Tally::default();
        for (status, micros, ending) in [
            (200, 250, Ending::Complete),
            (204, 251, Ending::Complete),
            (502, 999_999_999, Ending::UpstreamBroke),
        ] {
            tally.count(status, Duration::from_micros(micros), ending);
        }
        let read = tally.read("shop.r1".parse().expect("a release"), 0);
        assert_eq!(read.by_class, [0, 2, 0, 0, 1]);
        assert_eq!((read.requests(), read.incomplete), (3, 1));
        assert_eq!((read.latency[0], read.latency[1]), (1, 1));
        assert_eq!(read.latency[BUCKETS_MICROS.len()], 1);
        assert_eq!(read.latency_sum_micros, 1_000_000_500);
    }
}
