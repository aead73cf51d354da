//! What is known about the data itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// What is odd about records, and does not make them useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuirkKind {
    /// A record was changed on a day that has not come yet; its date counts for nothing.
    FutureDate,
    /// A record does not say when it was changed; the day it was published counts.
    NoDate,
    /// A record is no JSON, or not of OSV's shape; it was left out.
    Unreadable,
    /// A severity is none that can be computed.
    UnreadableScore,
    /// A range names a version that its ecosystem cannot order.
    UnreadableVersion,
    /// A range ends before it begins, or has no beginning.
    ImpossibleRange,
    /// A record says of no version that it is affected.
    NoVersions,
    /// A record is there twice.
    Duplicate,
    /// A record is called otherwise than its file.
    Misnamed,
    /// A file is no record.
    Foreign,
}

impl fmt::Display for QuirkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FutureDate => "dated in the future",
            Self::NoDate => "without a date of change",
            Self::Unreadable => "that cannot be read",
            Self::UnreadableScore => "with a score that cannot be computed",
            Self::UnreadableVersion => "with a version that cannot be ordered",
            Self::ImpossibleRange => "with an impossible range",
            Self::NoVersions => "without versions",
            Self::Duplicate => "that are there twice",
            Self::Misnamed => "called otherwise than their files",
            Self::Foreign => "that are no records",
        })
    }
}

/// How often something odd was met, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quirk {
    /// How often.
    pub count: u32,
    /// The first few.
    pub examples: Vec<String>,
}

/// So many examples are kept.
const EXAMPLES: usize = 3;
/// So many of the newest dates are kept: which of them lie in the future is known when it is asked.
const DATES: usize = 64;

/// What one ecosystem's data holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// As OSV names it.
    pub ecosystem: String,
    /// Records that can be found.
    pub records: u32,
    /// Records that were taken back, and are not there.
    pub withdrawn: u32,
    /// Records of packages that do harm by intent.
    pub malicious: u32,
    /// Packages that have records.
    pub packages: u32,
    /// The distribution's releases that have records: `12`, `13`.
    pub releases: BTreeSet<String>,
    /// The newest dates of change, newest first, in seconds since 1970.
    pub(crate) newest: Vec<i64>,
    /// What is odd.
    pub quirks: BTreeMap<QuirkKind, Quirk>,
}

impl Facts {
    /// The newest date of change that is not after `now`.
    pub fn newest(&self, now: Timestamp) -> Option<Timestamp> {
        let now = now.as_second();
        let newest = self.newest.iter().find(|second| **second <= now)?;
        Timestamp::from_second(*newest).ok()
    }

    /// How old the data is; none when no record has a date that can be true.
    pub fn age_seconds(&self, now: Timestamp) -> Option<u64> {
        let newest = self.newest(now)?.as_second();
        u64::try_from(now.as_second() - newest).ok()
    }

    pub(crate) fn note(&mut self, kind: QuirkKind, what: &str) {
        let quirk = self.quirks.entry(kind).or_default();
        quirk.count = quirk.count.saturating_add(1);
        if quirk.examples.len() < EXAMPLES {
            let shown: String = what.chars().filter(|c| !c.is_control()).take(80).collect();
            quirk.examples.push(shown);
        }
    }

    /// Takes note of a date.
    pub(crate) fn dated(&mut self, second: i64) {
        let at = self.newest.partition_point(|newer| *newer >= second);
        if at < DATES {
            self.newest.insert(at, second);
            self.newest.truncate(DATES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_the_future_do_not_make_data_young() {
        let mut facts = Facts::default();
        for second in [100, 50, 9_000, 200] {
            facts.dated(second);
        }
        let at = |second| Timestamp::from_second(second).expect("a time");
        assert_eq!(facts.age_seconds(at(1_000)), Some(800));
        assert_eq!(facts.age_seconds(at(200)), Some(0));
        assert_eq!(facts.age_seconds(at(9_500)), Some(500));
        assert_eq!(facts.age_seconds(at(10)), None);
        assert_eq!(Facts::default().age_seconds(at(10)), None);
    }

    #[test]
    fn a_crowd_of_future_dates_is_no_date() {
        let mut facts = Facts::default();
        facts.dated(100);
        (0..100).for_each(|day| facts.dated(1_000_000 + day));
        assert_eq!(
            facts.age_seconds(Timestamp::from_second(200).expect("a time")),
            None
        );
    }
}
