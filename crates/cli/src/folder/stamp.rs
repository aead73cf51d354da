//! What the system says about a file without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

/// Times closer to now than this prove nothing: the next write may leave the same ones. Two
/// seconds are the coarsest clock among the file systems in use (FAT).
const SETTLED_AFTER_NANOS: i64 = 2_000_000_000;

/// Two equal stamps of one path mean equal content, once they are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    /// The file's size.
    pub(crate) size_bytes: u64,
    modified_nanos: i64,
    changed_nanos: i64,
}

impl Stamp {
    /// Takes the stamp out of what `stat` says.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanos =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size_bytes: metadata.len(),
            modified_nanos: nanos(metadata.mtime(), metadata.mtime_nsec()),
            changed_nanos: nanos(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a write after `now_nanos` (since 1970) would leave another stamp.
    pub(crate) fn is_settled(&self, now_nanos: i64) -> bool {
        let newest = self.modified_nanos.max(self.changed_nanos);
        newest.saturating_add(SETTLED_AFTER_NANOS) < now_nanos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_settled_when_both_its_times_are_two_seconds_old() {
        let second = 1_000_000_000;
        for (modified, changed, settled) in [
            (1, 1, true),
            (8, 1, false),
            (1, 8, false),
            (7, 7, true),
            (20, 1, false),
        ] {
            let stamp = Stamp {
                device: 1,
                inode: 1,
                size_bytes: 1,
                modified_nanos: modified * second,
                changed_nanos: changed * second,
            };
            assert_eq!(
                stamp.is_settled(10 * second),
                settled,
                "{modified} {changed}"
            );
        }
    }
}
