//! Which cached layers go when the cache is too large.

use crate::Timestamp;

/// One thing in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// What the cache calls it.
    pub key: String,
    /// Its size on disk.
    pub size_bytes: u64,
    /// When it was last used.
    pub used_at: Timestamp,
    /// Whether a release or a running build still needs it.
    pub in_use: bool,
}

/// Chooses what to evict so that the rest fits in `limit_bytes`: least recently used first, never
/// what is in use. The rest may still be too large when everything left is in use.
pub fn evict(mut entries: Vec<CacheEntry>, limit_bytes: u64) -> Vec<CacheEntry> {
    let mut total: u64 = entries.iter().map(|entry| entry.size_bytes).sum();
    entries.retain(|entry| !entry.in_use);
    entries.sort_by(|a, b| a.used_at.cmp(&b.used_at).then_with(|| a.key.cmp(&b.key)));
    entries
        .into_iter()
        .take_while(|entry| {
            let over = total > limit_bytes;
            total -= if over { entry.size_bytes } else { 0 };
            over
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str, size_bytes: u64, used_second: i64, in_use: bool) -> CacheEntry {
        let used_at = Timestamp::from_second(used_second).expect("a small number of seconds");
        CacheEntry {
            key: key.into(),
            size_bytes,
            used_at,
            in_use,
        }
    }

    #[test]
    fn the_least_recently_used_go_first_and_what_is_in_use_never() {
        let all = || {
            vec![
                entry("new", 4, 9, false),
                entry("old", 4, 1, false),
                entry("busy", 4, 0, true),
            ]
        };
        for (limit, gone) in [
            (12, vec![]),
            (11, vec!["old"]),
            (8, vec!["old"]),
            (5, vec!["old", "new"]),
            (0, vec!["old", "new"]),
        ] {
            let evicted: Vec<_> = evict(all(), limit).into_iter().map(|e| e.key).collect();
            assert_eq!(evicted, gone, "limit {limit}");
        }
    }
}
