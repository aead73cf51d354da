//! The records of one ecosystem, as they lie in an index: found by a package's key without reading
//! anything else.
//!
//! A book is a sorted table of keys, and behind it what the table points at: for each key the entries
//! of its records, and the records. All places are offsets from the book's beginning.

use std::collections::{BTreeMap, BTreeSet};

use model::advisory::{AdvisoryKind, Score};

use crate::bytes::{Put, Take};
use crate::interval::{End, Interval, Reach};
use crate::version::Scheme;

/// What a record says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Title {
    pub(crate) id: String,
    pub(crate) kind: AdvisoryKind,
    pub(crate) aliases: Vec<String>,
    pub(crate) summary: String,
    /// In seconds since 1970; 0 for none.
    pub(crate) modified: u64,
}

/// What a record says about one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The package, as the record writes it.
    pub(crate) name: String,
    pub(crate) scheme: Scheme,
    pub(crate) intervals: Vec<Interval>,
    /// Whether the intervals were made of what cannot be read.
    pub(crate) is_assumed: bool,
    /// Canonical texts of versions that no interval has.
    pub(crate) versions: BTreeSet<String>,
    pub(crate) score: Option<Score>,
}

/// A book in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    titles: Vec<u8>,
    entries: BTreeMap<String, (u64, Vec<u8>)>,
}

/// A book that would not fit into an index: its offsets have 32 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Draft {
    /// How many packages it has.
    pub(crate) fn packages(&self) -> usize {
        self.entries.len()
    }

    /// Adds a record's title. Returns its place for [`Self::add`].
    pub(crate) fn title(&mut self, title: &Title) -> u64 {
        let place = self.titles.len() as u64;
        let bytes = &mut self.titles;
        bytes.put_text(&title.id);
        bytes.push(match title.kind {
            AdvisoryKind::Vulnerability => 0,
            AdvisoryKind::Malicious => 1,
            AdvisoryKind::Notice => 2,
        });
        bytes.put_number(title.aliases.len() as u64);
        title.aliases.iter().for_each(|alias| bytes.put_text(alias));
        bytes.put_text(&title.summary);
        bytes.put_number(title.modified);
        place
    }

    /// Adds what the record at `title` says about the package of `key`.
    pub(crate) fn add(&mut self, key: String, title: u64, entry: &Entry) {
        let (count, bytes) = self.entries.entry(key).or_default();
        *count += 1;
        bytes.put_number(title);
        bytes.put_text(&entry.name);
        bytes.push(entry.scheme.code() | if entry.is_assumed { 0x80 } else { 0 });
        bytes.push(entry.score.as_ref().map_or(u8::MAX, |score| score.tenths));
        if let Some(score) = &entry.score {
            bytes.put_text(&score.vector);
        }
        bytes.put_number(entry.intervals.len() as u64);
        for interval in &entry.intervals {
            put_interval(bytes, interval);
        }
        bytes.put_number(entry.versions.len() as u64);
        entry
            .versions
            .iter()
            .for_each(|version| bytes.put_text(version));
    }

    /// The finished book.
    pub(crate) fn finish(self) -> Result<Vec<u8>, TooLarge> {
        let table = 8 + 8 * self.entries.len();
        let mut heap = Vec::new();
        let mut places = Vec::with_capacity(self.entries.len());
        for (key, (count, bytes)) in &self.entries {
            let key_at = table + heap.len();
            heap.put_text(key);
            let entries_at = table + heap.len();
            heap.put_number(*count);
            heap.extend_from_slice(bytes);
            places.push((key_at, entries_at));
        }
        let titles_at = table + heap.len();
        let mut book = Vec::with_capacity(titles_at + self.titles.len());
        let mut put = |number: usize| {
            let number = u32::try_from(number).map_err(|_| TooLarge)?;
            book.extend_from_slice(&number.to_le_bytes());
            Ok(())
        };
        put(places.len())?;
        put(titles_at)?;
        for (key_at, entries_at) in places {
            put(key_at)?;
            put(entries_at)?;
        }
        book.extend_from_slice(&heap);
        book.extend_from_slice(&self.titles);
        Ok(book)
    }
}

fn put_interval(bytes: &mut Vec<u8>, interval: &Interval) {
    let (code, end) = match &interval.end {
        End::Open => (0, None),
        End::Fixed(version) => (1, Some(version)),
        End::LastAffected(version) => (2, Some(version)),
        End::Limit(version) => (3, Some(version)),
    };
    let start = interval.start.as_ref();
    bytes.push(code | if start.is_some() { 0x80 } else { 0 });
    for version in start.into_iter().chain(end) {
        bytes.put_text(version);
    }
}

/// A book in an index. Each reading is none where the book is damaged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Book<'a>(pub(crate) &'a [u8]);

/// An entry as it lies there.
#[derive(Debug, Clone)]
pub(crate) struct ReadEntry<'a> {
    pub(crate) title: usize,
    pub(crate) name: &'a str,
    pub(crate) scheme: Scheme,
    pub(crate) is_assumed: bool,
    pub(crate) tenths: Option<u8>,
    pub(crate) vector: &'a str,
    pub(crate) intervals: Vec<ReadInterval<'a>>,
    pub(crate) versions: Vec<&'a str>,
}

/// An interval as it lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadInterval<'a> {
    pub(crate) start: Option<&'a str>,
    pub(crate) reach: Reach<'a>,
    /// The version that mends it.
    pub(crate) fixed: Option<&'a str>,
}

/// A title as it lies there.
#[derive(Debug, Clone)]
pub(crate) struct ReadTitle<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: AdvisoryKind,
    pub(crate) aliases: Vec<&'a str>,
    pub(crate) summary: &'a str,
    pub(crate) modified: u64,
}

impl<'a> Book<'a> {
    /// The entries of `key`; empty when there are none.
    pub(crate) fn entries(self, key: &str) -> Option<Vec<ReadEntry<'a>>> {
        let count = self.word(0)?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle)?.cmp(key) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.entries_at(middle),
            }
        }
        Some(Vec::new())
    }

    /// All keys, in order.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'a str> {
        let count = self.word(0).unwrap_or(0);
        (0..count).map_while(move |index| self.key(index))
    }

    /// The title at a place.
    pub(crate) fn title(self, place: usize) -> Option<ReadTitle<'a>> {
        let mut take = Take::at(self.0, self.word(4)?.checked_add(place)?)?;
        let id = take.text()?;
        let kind = match take.byte()? {
            0 => AdvisoryKind::Vulnerability,
            1 => AdvisoryKind::Malicious,
            2 => AdvisoryKind::Notice,
            _ => return None,
        };
        let aliases = take.count()?;
        let aliases = (0..aliases).map(|_| take.text()).collect::<Option<_>>()?;
        Some(ReadTitle {
            id,
            kind,
            aliases,
            summary: take.text()?,
            modified: take.number()?,
        })
    }

    fn word(self, at: usize) -> Option<usize> {
        let bytes = self.0.get(at..at.checked_add(4)?)?;
        let word = u32::from_le_bytes(bytes.try_into().ok()?);
        usize::try_from(word).ok()
    }

    fn key(self, index: usize) -> Option<&'a str> {
        let at = self.word(8 + 8 * index)?;
        Take::at(self.0, at)?.text()
    }

    fn entries_at(self, index: usize) -> Option<Vec<ReadEntry<'a>>> {
        let at = self.word(12 + 8 * index)?;
        let mut take = Take::at(self.0, at)?;
        let count = take.count()?;
        (0..count).map(|_| read_entry(&mut take)).collect()
    }
}

fn read_entry<'a>(take: &mut Take<'a>) -> Option<ReadEntry<'a>> {
    let title = usize::try_from(take.number()?).ok()?;
    let name = take.text()?;
    let flags = take.byte()?;
    let tenths = take
        .byte()
        .map(|tenths| (tenths <= 100).then_some(tenths))?;
    let vector = match tenths {
        Some(_) => take.text()?,
        None => "",
    };
    let intervals = take.count()?;
    let intervals = (0..intervals)
        .map(|_| read_interval(take))
        .collect::<Option<_>>()?;
    let versions = take.count()?;
    let versions = (0..versions).map(|_| take.text()).collect::<Option<_>>()?;
    Some(ReadEntry {
        title,
        name,
        scheme: Scheme::of_code(flags & 0x7f)?,
        is_assumed: flags & 0x80 != 0,
        tenths,
        vector,
        intervals,
        versions,
    })
}

fn read_interval<'a>(take: &mut Take<'a>) -> Option<ReadInterval<'a>> {
    let flags = take.byte()?;
    let start = match flags & 0x80 {
        0 => None,
        _ => Some(take.text()?),
    };
    let (reach, fixed) = match flags & 0x7f {
        0 => (Reach::Open, None),
        1 => {
            let version = take.text()?;
            (Reach::Before(version), Some(version))
        }
        2 => (Reach::Through(take.text()?), None),
        3 => (Reach::Before(take.text()?), None),
        _ => return None,
    };
    Some(ReadInterval {
        start,
        reach,
        fixed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Entry {
        Entry {
            name: name.into(),
            scheme: Scheme::Semver,
            intervals: vec![
                Interval {
                    start: None,
                    end: End::Fixed("1.0.0".into()),
                },
                Interval {
                    start: Some("2.0.0".into()),
                    end: End::LastAffected("2.1.0".into()),
                },
                Interval {
                    start: Some("3.0.0".into()),
                    end: End::Open,
                },
            ],
            is_assumed: true,
            versions: BTreeSet::from(["4.0.0".to_owned()]),
            score: Some(Score {
                tenths: 98,
                vector: "CVSS:3.1/…".into(),
            }),
        }
    }

    fn book() -> Vec<u8> {
        let mut draft = Draft::default();
        let title = Title {
            id: "GHSA-1".into(),
            kind: AdvisoryKind::Malicious,
            aliases: vec!["CVE-1".into(), "CVE-2".into()],
            summary: "a fault".into(),
            modified: 1_700_000_000,
        };
        let place = draft.title(&title);
        for name in ["b", "a", "c"] {
            draft.add(format!("key {name}"), place, &entry(name));
        }
        draft.finish().expect("a small book")
    }

    #[test]
    fn a_book_reads_back_as_it_was_written() {
        let bytes = book();
        let book = Book(&bytes);
        assert_eq!(book.keys().collect::<Vec<_>>(), ["key a", "key b", "key c"]);
        let entries = book.entries("key b").expect("a sound book");
        let read = &entries[0];
        assert_eq!(
            (read.name, read.tenths, read.is_assumed),
            ("b", Some(98), true)
        );
        assert_eq!(read.versions, ["4.0.0"]);
        assert_eq!(read.intervals[0].fixed, Some("1.0.0"));
        assert_eq!(read.intervals[1].reach, Reach::Through("2.1.0"));
        assert_eq!(read.intervals[2].start, Some("3.0.0"));
        let title = book.title(read.title).expect("a title");
        assert_eq!((title.id, title.aliases.len()), ("GHSA-1", 2));
        assert!(book.entries("key d").expect("a sound book").is_empty());
    }

    #[test]
    fn a_damaged_book_is_none_and_never_a_panic() {
        let bytes = book();
        for cut in 0..bytes.len() {
            let book = Book(&bytes[..cut]);
            if let Some(entries) = book.entries("key c") {
                for entry in entries {
                    let _ = book.title(entry.title);
                }
            }
        }
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let book = Book(&damaged);
            book.keys().count();
            for entry in book.entries("key a").unwrap_or_default() {
                let _ = book.title(entry.title);
            }
        }
    }
}
