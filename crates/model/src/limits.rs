//! What an app, its source and its build may use. Every default is settable.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One mebibyte.
pub const MIB: u64 = 1024 * 1024;
/// One gibibyte.
pub const GIB: u64 = 1024 * MIB;

/// What a running instance may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLimits {
    /// Memory of all its processes.
    pub memory_bytes: u64,
    /// Thousandths of a CPU; more until it is ready.
    pub cpu_millis: u32,
    /// Processes and threads.
    pub pids: u32,
    /// What its kept files may hold.
    pub data_bytes: u64,
    /// What `/tmp` may hold.
    pub tmp_bytes: u64,
    /// How long it may take to be ready, in seconds.
    pub ready_seconds: u32,
    /// How large one log file may be.
    pub log_file_bytes: u64,
    /// How many log files are kept, the current one included.
    pub log_files: u32,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 512 * MIB,
            cpu_millis: 1000,
            pids: 256,
            data_bytes: GIB,
            tmp_bytes: 256 * MIB,
            ready_seconds: 60,
            log_file_bytes: 10 * MIB,
            log_files: 3,
        }
    }
}

impl RunLimits {
    /// How long it may take to be ready.
    pub fn ready_within(&self) -> Duration {
        Duration::from_secs(self.ready_seconds.into())
    }
}

/// How large a folder may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLimits {
    /// All files together.
    pub total_bytes: u64,
    /// How many files.
    pub files: usize,
}

impl Default for SourceLimits {
    fn default() -> Self {
        Self {
            total_bytes: 200 * MIB,
            files: 20_000,
        }
    }
}

/// What one build may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildLimits {
    /// Memory of all its processes.
    pub memory_bytes: u64,
    /// Wall-clock time, in seconds.
    pub seconds: u32,
    /// What it may write.
    pub disk_bytes: u64,
    /// Processes and threads.
    pub pids: u32,
}

impl Default for BuildLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 * GIB,
            seconds: 600,
            disk_bytes: 4 * GIB,
            pids: 1024,
        }
    }
}

/// What each suite of an app's own tests may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestLimits {
    /// Memory of all its processes.
    pub memory_bytes: u64,
    /// Wall-clock time, in seconds.
    pub seconds: u32,
    /// What it may write.
    pub disk_bytes: u64,
    /// Processes and threads.
    pub pids: u32,
}

impl Default for TestLimits {
    fn default() -> Self {
        Self {
            memory_bytes: 512 * MIB,
            seconds: 120,
            disk_bytes: GIB,
            pids: 512,
        }
    }
}

impl From<TestLimits> for BuildLimits {
    fn from(limits: TestLimits) -> Self {
        Self {
            memory_bytes: limits.memory_bytes,
            seconds: limits.seconds,
            disk_bytes: limits.disk_bytes,
            pids: limits.pids,
        }
    }
}

/// What cached layers and tools may hold by default.
pub const CACHE_BYTES: u64 = 10 * GIB;
/// How long the release before the current one is kept warm.
pub const WARM_FOR: Duration = Duration::from_secs(600);
/// How long a destroyed app can be restored.
pub const RESTORABLE_FOR: Duration = Duration::from_secs(72 * 3600);
/// How long requests and streams of a release that lost its traffic may go on.
pub const DRAIN_FOR: Duration = Duration::from_secs(10);

/// Reads a size as people write it: `512 MiB`, `1GB`, `256m`, `4096`.
///
/// Decimal and binary letters mean the same binary unit: nobody who writes `512MB` for a limit
/// means 488 MiB.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => MIB,
        "g" | "gb" | "gib" => GIB,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// Reads a length of time as people write it, in seconds: `90m`, `12h`, `30d`, `2 weeks`.
pub fn parse_span(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "s" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 60 * 60,
        "d" | "day" | "days" => DAY_SECONDS,
        "w" | "week" | "weeks" => 7 * DAY_SECONDS,
        _ => return None,
    };
    let seconds = number.checked_mul(unit)?;
    (1..=LONGEST_SPAN_SECONDS)
        .contains(&seconds)
        .then_some(seconds)
}

const DAY_SECONDS: u64 = 24 * 60 * 60;
/// Ten years: what lives longer has no end.
const LONGEST_SPAN_SECONDS: u64 = 3653 * DAY_SECONDS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("30d", Some(2_592_000)),
            ("12 h", Some(43_200)),
            ("2 Weeks", Some(1_209_600)),
            ("90m", Some(5_400)),
            ("1s", Some(1)),
            ("0d", None),
            ("30", None),
            ("d", None),
            ("-1d", None),
            ("4000d", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(parse_span(text), seconds, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("512 MiB", Some(512 * MIB)),
            ("512MB", Some(512 * MIB)),
            ("256m", Some(256 * MIB)),
            ("1 G", Some(GIB)),
            ("4096", Some(4096)),
            ("", None),
            ("-1", None),
            ("1.5G", None),
            ("1 T", None),
            ("99999999999 G", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text:?}");
        }
    }
}
