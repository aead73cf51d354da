//! How long to wait before an app that exited is started again.

use std::time::Duration;

/// The wait before the first restart; it doubles from there.
pub const FIRST_WAIT: Duration = Duration::from_secs(1);
/// No wait is longer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// An app that ran this long is healthy again: its next exit counts as the first.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// This many exits in a row, none after a healthy time, make a crash loop.
pub const CRASH_LOOP_EXITS: u32 = 3;

/// Returns the wait before restart number `exits` in a row (1 is the first).
pub fn wait(exits: u32) -> Duration {
    let doublings = exits.saturating_sub(1).min(16);
    (FIRST_WAIT * 2u32.pow(doublings)).min(LONGEST_WAIT)
}

/// Counts one more exit: back to one when the app had been up for a healthy time.
pub fn count_exit(exits_before: u32, uptime: Duration) -> u32 {
    if uptime >= HEALTHY_AFTER {
        1
    } else {
        exits_before.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_to_five_minutes() {
        for (exits, seconds) in [
            (1, 1),
            (2, 2),
            (3, 4),
            (8, 128),
            (9, 256),
            (10, 300),
            (u32::MAX, 300),
        ] {
            assert_eq!(wait(exits), Duration::from_secs(seconds), "{exits} exits");
        }
    }

    #[test]
    fn a_healthy_minute_forgives_earlier_exits() {
        for (before, uptime, after) in [(0, 0, 1), (4, 59, 5), (4, 60, 1)] {
            assert_eq!(count_exit(before, Duration::from_secs(uptime)), after);
        }
    }
}
