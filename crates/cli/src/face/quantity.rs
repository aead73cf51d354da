//! Times and sizes as people read them.

use std::fmt;

use model::Timestamp;
use model::limits::{GIB, MIB};

/// A time in seconds: `0.04 s`, `1.3 s`, `2 min 5 s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Seconds(pub(crate) f64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            seconds if seconds < 0.095 => write!(f, "{seconds:.2} s"),
            seconds if seconds < 59.95 => write!(f, "{seconds:.1} s"),
            seconds => write!(f, "{} min {} s", seconds as u64 / 60, seconds as u64 % 60),
        }
    }
}

/// A size in bytes: `870 B`, `34 KB`, `1.2 GB`. Units are binary, as in mayfly.toml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            bytes if bytes < 1024 => return write!(f, "{bytes} B"),
            bytes if bytes < MIB => (1024, "KB"),
            bytes if bytes < GIB => (MIB, "MB"),
            _ => (GIB, "GB"),
        };
        let number = self.0 as f64 / unit as f64;
        match number < 9.95 && !self.0.is_multiple_of(unit) {
            true => write!(f, "{number:.1} {name}"),
            false => write!(f, "{number:.0} {name}"),
        }
    }
}

/// How long ago something was: `3 min ago`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age {
    seconds: i64,
}

impl Age {
    /// From `then` to `now`; a moment to come counts as now.
    pub(crate) fn between(then: Timestamp, now: Timestamp) -> Self {
        Self {
            seconds: (now.as_second() - then.as_second()).max(0),
        }
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.seconds / 60;
        match minutes {
            0 if self.seconds < 5 => write!(f, "just now"),
            0 => write!(f, "{} s ago", self.seconds),
            1..120 => write!(f, "{minutes} min ago"),
            120..2880 => write!(f, "{} hours ago", minutes / 60),
            _ => write!(f, "{} days ago", minutes / 1440),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_as_people_read_them() {
        for (seconds, text) in [
            (0.0, "0.00 s"),
            (0.042, "0.04 s"),
            (0.4, "0.4 s"),
            (59.9, "59.9 s"),
            (125.0, "2 min 5 s"),
        ] {
            assert_eq!(Seconds(seconds).to_string(), text);
        }
        for (bytes, text) in [
            (870, "870 B"),
            (1024, "1 KB"),
            (34 * 1024 + 5, "34 KB"),
            (200 * MIB, "200 MB"),
            (5 * GIB, "5 GB"),
            (GIB + GIB / 4, "1.2 GB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
        for (seconds, text) in [
            (-3, "just now"),
            (2, "just now"),
            (30, "30 s ago"),
            (185, "3 min ago"),
            (7200, "2 hours ago"),
            (3 * 86400, "3 days ago"),
        ] {
            let now = Timestamp::UNIX_EPOCH;
            let then = Timestamp::from_second(-seconds).expect("a near moment");
            assert_eq!(Age::between(then, now).to_string(), text);
        }
    }
}
