//! From the events of a range to intervals of versions.
//!
//! Source: OSV schema 1.7, "Evaluation": events are sorted by version, and each opens or closes.

use std::cmp::Ordering;

use crate::facts::QuirkKind;
use crate::version::{Scheme, Version};

/// What happens at a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// It has the fault from here on; `0` is before all versions.
    Introduced(String),
    /// From here on it has not.
    Fixed(String),
    /// It has the fault for the last time.
    LastAffected(String),
    /// Nothing is said from here on.
    Limit(String),
}

/// Where an interval ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// Nowhere.
    Open,
    /// Before this version, which is mended.
    Fixed(String),
    /// With this version.
    LastAffected(String),
    /// Before this version, of which nothing is known.
    Limit(String),
}

/// Versions that have the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interval {
    /// The first one; none for all older ones.
    pub(crate) start: Option<String>,
    /// The end.
    pub(crate) end: End,
}

/// The intervals of a range, and what was odd about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Intervals {
    pub(crate) intervals: Vec<Interval>,
    /// Whether a part could not be read and was taken for the worst.
    pub(crate) is_assumed: bool,
    pub(crate) quirks: Vec<QuirkKind>,
}

/// Sorts events and pairs them.
pub(crate) fn intervals(scheme: Scheme, events: &[Event]) -> Intervals {
    let mut found = Intervals::default();
    let mut sorted: Vec<(Option<Version>, &Event)> = Vec::new();
    for event in events {
        match (scheme.parse_end(event.version()), event) {
            (_, Event::Introduced(version)) if version == "0" => sorted.push((None, event)),
            (Some(version), _) => sorted.push((Some(version), event)),
            (None, event) => {
                found.is_assumed = true;
                found.quirks.push(QuirkKind::UnreadableVersion);
                if let Event::Introduced(_) = event {
                    sorted.push((None, event));
                }
            }
        }
    }
    sorted.sort_by(order);
    found.pair(&sorted);
    found
}

fn order(a: &(Option<Version>, &Event), b: &(Option<Version>, &Event)) -> Ordering {
    let versions = match (&a.0, &b.0) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => a.compare(b).unwrap_or(Ordering::Equal),
    };
    versions.then_with(|| a.1.rank().cmp(&b.1.rank()))
}

impl Intervals {
    fn pair(&mut self, sorted: &[(Option<Version>, &Event)]) {
        if self.is_headless(sorted) {
            // All that is said is where it ends.
            self.quirks.push(QuirkKind::ImpossibleRange);
            self.is_assumed = true;
        }
        let mut open: Option<Option<String>> = self.is_headless(sorted).then_some(None);
        let mut was_last_affected = false;
        for (version, event) in sorted {
            match (event, open.take()) {
                (Event::Introduced(_), Some(start)) => open = Some(start),
                (Event::Introduced(text), None) => {
                    open = Some(version.as_ref().map(|_| text.clone()));
                }
                (event, Some(start)) => {
                    let end = event.end();
                    self.intervals.push(Interval { start, end });
                }
                // Of several last versions the last one counts.
                (Event::LastAffected(text), None) if was_last_affected => {
                    if let Some(interval) = self.intervals.last_mut() {
                        interval.end = End::LastAffected(text.clone());
                    }
                }
                (_, None) => self.quirks.push(QuirkKind::ImpossibleRange),
            }
            was_last_affected = matches!(event, Event::LastAffected(_));
        }
        if let Some(start) = open {
            let end = End::Open;
            self.intervals.push(Interval { start, end });
        }
    }

    fn is_headless(&self, sorted: &[(Option<Version>, &Event)]) -> bool {
        let mut events = sorted.iter();
        !sorted.is_empty() && !events.any(|(_, event)| matches!(event, Event::Introduced(_)))
    }
}

impl Event {
    pub(crate) fn version(&self) -> &str {
        match self {
            Self::Introduced(version)
            | Self::Fixed(version)
            | Self::LastAffected(version)
            | Self::Limit(version) => version,
        }
    }

    /// At one version, events stand as the record has them: `introduced` and `fixed` is nothing,
    /// `fixed` and `introduced` goes on. A version that is the last one is also the first.
    fn rank(&self) -> u8 {
        match self {
            Self::Introduced(_) | Self::Fixed(_) | Self::Limit(_) => 0,
            Self::LastAffected(_) => 1,
        }
    }

    fn end(&self) -> End {
        match self {
            Self::Introduced(_) => End::Open,
            Self::Fixed(version) => End::Fixed(version.clone()),
            Self::LastAffected(version) => End::LastAffected(version.clone()),
            Self::Limit(version) => End::Limit(version.clone()),
        }
    }
}

/// Whether `version` lies in an interval.
pub(crate) fn contains(
    scheme: Scheme,
    version: &Version,
    start: Option<&str>,
    end: Reach<'_>,
) -> bool {
    let order = |text: &str| {
        let other = scheme.parse_end(text)?;
        version.compare(&other)
    };
    // What cannot be compared is taken for the worst.
    let is_after_start = start.is_none_or(|start| order(start).is_none_or(Ordering::is_ge));
    is_after_start
        && match end {
            Reach::Open => true,
            Reach::Before(end) => order(end).is_none_or(Ordering::is_lt),
            Reach::Through(end) => {
                let public = version.public();
                let end = scheme.parse_end(end);
                let order = end.and_then(|end| public.compare(&end.public()));
                order.is_none_or(Ordering::is_le)
            }
        }
}

/// How far an interval reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach<'a> {
    Open,
    Before(&'a str),
    Through(&'a str),
}

impl Interval {
    pub(crate) fn contains(&self, scheme: Scheme, version: &Version) -> bool {
        let reach = match &self.end {
            End::Open => Reach::Open,
            End::Fixed(version) | End::Limit(version) => Reach::Before(version),
            End::LastAffected(version) => Reach::Through(version),
        };
        contains(scheme, version, self.start.as_deref(), reach)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<Event> {
        let event = |word: &str| {
            let (kind, version) = word.split_once(':').expect("an event");
            let version = version.to_owned();
            match kind {
                "i" => Event::Introduced(version),
                "f" => Event::Fixed(version),
                "l" => Event::LastAffected(version),
                _ => Event::Limit(version),
            }
        };
        text.split_whitespace().map(event).collect()
    }

    fn affected<'a>(scheme: Scheme, range: &str, versions: &'a str) -> Vec<&'a str> {
        let found = intervals(scheme, &events(range));
        let is_in = |text: &&str| {
            let version = scheme.parse(text).expect("a version");
            let mut intervals = found.intervals.iter();
            intervals.any(|one| one.contains(scheme, &version))
        };
        versions.split_whitespace().filter(is_in).collect()
    }

    #[test]
    fn a_version_is_affected_where_events_in_their_order_say_so() {
        use Scheme::*;
        for (scheme, range, versions, expected) in [
            (
                Pep440,
                "i:0 f:2.0",
                "0.1 1.9 2.0rc1 2.0 2.1",
                vec!["0.1", "1.9", "2.0rc1"],
            ),
            (Pep440, "f:2.0 i:1.0", "0.9 1.0 1.5 2.0", vec!["1.0", "1.5"]),
            (
                Pep440,
                "i:0 l:1.2",
                "1.2 1.2.0 1.2+cu118 1.2.1",
                vec!["1.2", "1.2.0", "1.2+cu118"],
            ),
            (Pep440, "i:1 f:2 i:3 f:4", "0 1 2 3 4", vec!["1", "3"]),
            (
                Pep440,
                "i:1 f:2 i:2 f:3",
                "1 2 2.5 3",
                vec!["1", "2", "2.5"],
            ),
            (Pep440, "i:1", "0.9 1 99", vec!["1", "99"]),
            (Pep440, "i:1.0 l:1.0", "0.9 1.0 1.1", vec!["1.0"]),
            (
                Pep440,
                "i:0 l:1.0 l:1.2",
                "1.0 1.1 1.2 1.3",
                vec!["1.0", "1.1", "1.2"],
            ),
            (
                Semver,
                "i:0.9.0 f:0.9.2 i:0.10.0 f:0.10.0",
                "0.9.1 0.10.0 0.11.0",
                vec!["0.9.1"],
            ),
            (
                Semver,
                "i:1.0.0-0 f:1.2.0",
                "1.0.0-alpha 1.1.0 1.2.0-beta 1.2.0",
                vec!["1.0.0-alpha", "1.1.0", "1.2.0-beta"],
            ),
            (
                Semver,
                "i:0 f:1.2.0",
                "1.2.0-rc.1 1.2.0",
                vec!["1.2.0-rc.1"],
            ),
            (
                Debian,
                "i:0 f:1.1.0l-1~deb9u6",
                "1.1.0l-1~deb9u5 1.1.0l-1~deb9u6",
                vec!["1.1.0l-1~deb9u5"],
            ),
            (Semver, "i:0 x:2.0.0", "1.0.0 2.0.0", vec!["1.0.0"]),
        ] {
            assert_eq!(affected(scheme, range, versions), expected, "{range}");
        }
    }

    #[test]
    fn impossible_ranges_are_noted_and_taken_for_the_worst() {
        for (range, version, is_in, quirk) in [
            ("i:2.0 f:1.0", "2.5", true, Some(QuirkKind::ImpossibleRange)),
            (
                "i:2.0 f:1.0",
                "1.5",
                false,
                Some(QuirkKind::ImpossibleRange),
            ),
            ("f:1.0", "0.5", true, Some(QuirkKind::ImpossibleRange)),
            ("f:1.0", "1.5", false, Some(QuirkKind::ImpossibleRange)),
            (
                "i:zzz f:1.0",
                "0.5",
                true,
                Some(QuirkKind::UnreadableVersion),
            ),
            ("i:1.0 f:zzz", "9", true, Some(QuirkKind::UnreadableVersion)),
            ("i:1.0 f:2.0", "1.5", true, None),
        ] {
            let found = intervals(Scheme::Pep440, &events(range));
            assert_eq!(found.quirks.first().copied(), quirk, "{range}");
            let affected = affected(Scheme::Pep440, range, version);
            assert_eq!(!affected.is_empty(), is_in, "{range} {version}");
        }
        assert!(intervals(Scheme::Pep440, &[]).intervals.is_empty());
    }
}
