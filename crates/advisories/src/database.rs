//! An index on disk, mapped into memory: what is not looked up is not read.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use memmap2::Mmap;
use model::advisory::{AdvisoryKind, Certainty, Hit, Matches, Rating, Score};
use model::{Digest, FailureCode, Remedy, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::book::{Book, ReadEntry, ReadInterval, ReadTitle};
use crate::ecosystem::Ecosystem;
use crate::facts::Facts;
use crate::interval::contains;
use crate::package::Package;
use crate::version::{Scheme, Version};

/// An index begins with this, then the digest of all that follows.
const MAGIC: &[u8; 16] = b"mayfly osv idx 1";
const DIGEST_AT: usize = MAGIC.len();
const CONTENT_AT: usize = DIGEST_AT + 32;

/// Why an index cannot be used. What cannot be used has failed; it has not passed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none, or the system does not let it be read.
    #[error("cannot read the vulnerability data `{path}`")]
    Read {
        /// The index.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is none, or of another version of mayfly.
    #[error("`{path}` holds no vulnerability data that this version reads")]
    Foreign {
        /// The index.
        path: PathBuf,
    },
    /// It was cut off or changed.
    #[error("the vulnerability data `{path}` is damaged")]
    Damaged {
        /// The index.
        path: PathBuf,
    },
}

impl Remedy for OpenError {
    fn code(&self) -> FailureCode {
        FailureCode::NotFound
    }

    fn hint(&self) -> Option<String> {
        Some("run `mayfly db update`, or `mayfly db import FILE`".into())
    }
}

/// Where a book lies, and what is known of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shelf {
    facts: Facts,
    /// From the end of the list.
    offset: u64,
    length: u64,
}

/// An open index. It stays what it was when another one takes its place.
#[derive(Debug)]
pub struct Database {
    map: Mmap,
    digest: Digest,
    shelves: Vec<Shelf>,
    books_at: usize,
}

impl Database {
    /// Opens an index, and makes sure that it is whole.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let unreadable = |cause| OpenError::Read {
            path: path.to_owned(),
            cause,
        };
        let file = File::open(path).map_err(unreadable)?;
        // SAFETY: an index is never written to once it has its name; another one takes its place.
        let map = unsafe { Mmap::map(&file) }.map_err(unreadable)?;
        let path = path.to_owned();
        if map.get(..DIGEST_AT) != Some(MAGIC) {
            return Err(OpenError::Foreign { path });
        }
        Self::read(map).ok_or(OpenError::Damaged { path })
    }

    /// `content` as an index whose digest fits: for fuzzers, which would never guess it.
    pub(crate) fn sealed(content: &[u8]) -> Vec<u8> {
        let digest: [u8; 32] = Sha256::digest(content).into();
        [MAGIC.as_slice(), &digest, content].concat()
    }

    fn read(map: Mmap) -> Option<Self> {
        let written: [u8; 32] = map.get(DIGEST_AT..CONTENT_AT)?.try_into().ok()?;
        let content = map.get(CONTENT_AT..)?;
        let digest = <[u8; 32]>::from(Sha256::digest(content));
        if digest != written {
            return None;
        }
        let length = u32::from_le_bytes(content.get(..4)?.try_into().ok()?);
        let end = usize::try_from(length).ok()?.checked_add(4)?;
        let shelves = serde_json::from_slice(content.get(4..end)?).ok()?;
        Some(Self {
            shelves,
            digest: Digest::from_bytes(digest),
            books_at: CONTENT_AT + end,
            map,
        })
    }

    /// Of its content: a scan is recorded with it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// What is known about each ecosystem.
    pub fn facts(&self) -> impl Iterator<Item = &Facts> {
        self.shelves.iter().map(|shelf| &shelf.facts)
    }

    /// How old the newest record of all is; none when none has a date that can be true.
    pub fn age_seconds(&self, now: Timestamp) -> Option<u64> {
        self.facts()
            .filter_map(|facts| facts.age_seconds(now))
            .min()
    }

    /// How old the data is that decides about `packages`: the oldest of their ecosystems counts.
    /// None when one of these has no date that can be true, or nothing is covered.
    pub fn age_seconds_for(&self, packages: &[Package], now: Timestamp) -> Option<u64> {
        let is_needed = |facts: &&Facts| {
            let mut packages = packages.iter();
            packages.any(|one| covers(facts, one))
        };
        let ages = self
            .facts()
            .filter(is_needed)
            .map(|facts| facts.age_seconds(now));
        let ages: Option<Vec<u64>> = ages.collect();
        ages?.into_iter().max()
    }

    /// The records that are about `packages`.
    pub fn find(&self, packages: &[Package]) -> Matches {
        let mut search = Search {
            database: self,
            matches: Matches::default(),
        };
        packages.iter().for_each(|package| search.package(package));
        let mut matches = search.matches;
        matches
            .hits
            .sort_by(|a, b| worst_first(a).cmp(&worst_first(b)));
        matches
    }

    /// How many records name the package, whatever its version.
    pub fn records_of(&self, ecosystem: &Ecosystem, name: &str) -> usize {
        let key = ecosystem.key(None, name);
        let books = self.books();
        let entries = books.map(|(_, book)| Book(book).entries(&key).unwrap_or_default().len());
        entries.sum()
    }

    /// The names of all packages of an ecosystem that have records.
    pub fn names(&self, ecosystem: &Ecosystem) -> impl Iterator<Item = &str> {
        let start = format!("{}\0", ecosystem.as_str());
        let keys = self.books().flat_map(|(_, book)| Book(book).keys());
        let own = keys.filter(move |key| key.starts_with(&start));
        own.filter_map(|key| key.rsplit('\0').next())
    }

    pub(crate) fn books(&self) -> impl Iterator<Item = (&Facts, &[u8])> {
        self.shelves.iter().map(|shelf| {
            let start = usize::try_from(shelf.offset).unwrap_or(usize::MAX);
            let length = usize::try_from(shelf.length).unwrap_or(usize::MAX);
            let start = self.books_at.saturating_add(start);
            let book = self.map.get(start..start.saturating_add(length));
            (&shelf.facts, book.unwrap_or_default())
        })
    }

    /// Whether there is data about the package's ecosystem, and its release.
    fn covers(&self, package: &Package) -> bool {
        self.facts().any(|facts| covers(facts, package))
    }
}

/// Whether an ecosystem's data is about a package's ecosystem, and its release.
fn covers(facts: &Facts, package: &Package) -> bool {
    let Some(ecosystem) = &package.ecosystem else {
        return false;
    };
    let release = || package.release.as_ref();
    facts.ecosystem == ecosystem.as_str()
        && (facts.releases.is_empty() || release().is_some_and(|one| facts.releases.contains(one)))
}

/// Writes an index and puts it in its place. Returns its size and its digest.
pub(crate) fn write(path: &Path, books: &[(Facts, Vec<u8>)]) -> io::Result<(u64, Digest)> {
    let mut offset = 0;
    let shelves = books.iter().map(|(facts, book)| {
        let length = book.len() as u64;
        let shelf = Shelf {
            facts: facts.clone(),
            offset,
            length,
        };
        offset += length;
        shelf
    });
    let shelves = serde_json::to_vec(&shelves.collect::<Vec<_>>())?;
    let length = u32::try_from(shelves.len()).map_err(io::Error::other)?;
    let mut parts: Vec<&[u8]> = Vec::new();
    let length = length.to_le_bytes();
    parts.extend([&length[..], &shelves]);
    parts.extend(books.iter().map(|(_, book)| book.as_slice()));
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    let digest: [u8; 32] = hash.finalize().into();

    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(MAGIC)?;
    file.write_all(&digest)?;
    for part in &parts {
        file.write_all(part)?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()?;
    let size = parts.iter().map(|part| part.len() as u64).sum::<u64>();
    Ok((size + CONTENT_AT as u64, Digest::from_bytes(digest)))
}

/// Malicious ones, then by rating.
fn worst_first(hit: &Hit) -> impl Ord + '_ {
    let is_harmless = hit.kind != AdvisoryKind::Malicious;
    let tenths = hit.score.as_ref().map_or(0, |score| score.tenths);
    let rating = std::cmp::Reverse((hit.rating, tenths));
    (is_harmless, rating, &hit.purl, &hit.id)
}

/// One search.
struct Search<'a> {
    database: &'a Database,
    matches: Matches,
}

/// What is known of a version before its records are read.
struct Wanted<'a> {
    version: &'a str,
    /// As each order reads it.
    parsed: HashMap<u8, Option<Version>>,
}

impl Wanted<'_> {
    fn parsed(&mut self, scheme: Scheme) -> Option<&Version> {
        let version = self.version;
        let parsed = self.parsed.entry(scheme.code());
        parsed.or_insert_with(|| scheme.parse(version)).as_ref()
    }
}

/// What a record's entries say about one version.
#[derive(Default)]
struct Verdict<'a> {
    entry: Option<ReadEntry<'a>>,
    is_certain: bool,
    /// The versions that mend it; none for an interval that nothing mends.
    fixes: Vec<Option<(&'a str, Scheme)>>,
}

impl<'a> Search<'a> {
    fn package(&mut self, package: &Package) {
        let (true, Some(ecosystem)) = (self.database.covers(package), &package.ecosystem) else {
            self.matches.uncovered.push(package.purl.clone());
            return;
        };
        let release = package.release.as_deref();
        let mut keys = vec![ecosystem.key(release, &package.name)];
        if release.is_some() {
            keys.push(ecosystem.key(None, &package.name));
        }
        let mut found: BTreeMap<&str, Hit> = BTreeMap::new();
        for (_, book) in self.database.books() {
            let book = Book(book);
            let entries = keys
                .iter()
                .flat_map(|key| book.entries(key).unwrap_or_default());
            for (title, entries) in by_title(book, entries) {
                if let Some(hit) = self.judge(package, &title, entries) {
                    found.entry(title.id).or_insert(hit);
                }
            }
        }
        self.matches.hits.extend(found.into_values());
    }

    /// Whether a record is about the package's version.
    fn judge(
        &mut self,
        package: &Package,
        title: &ReadTitle<'a>,
        entries: Vec<ReadEntry<'a>>,
    ) -> Option<Hit> {
        let Some(version) = package.version.as_deref() else {
            push_once(&mut self.matches.unversioned, &package.purl);
            return None;
        };
        let mut wanted = Wanted {
            version,
            parsed: HashMap::new(),
        };
        let mut verdict = Verdict::default();
        for entry in entries {
            if !entry.intervals.is_empty() && wanted.parsed(entry.scheme).is_none() {
                push_once(&mut self.matches.unreadable, &package.purl);
            }
            verdict.hear(entry, &mut wanted);
        }
        let fixed_in = verdict.nearest_fix();
        let entry = verdict.entry?;
        Some(Hit {
            id: title.id.to_owned(),
            aliases: title
                .aliases
                .iter()
                .map(|alias| (*alias).to_owned())
                .collect(),
            kind: title.kind,
            purl: package.purl.clone(),
            name: entry.name.to_owned(),
            version: version.to_owned(),
            rating: entry.tenths.map_or(Rating::Unknown, Rating::of),
            score: entry.tenths.map(|tenths| Score {
                tenths,
                vector: entry.vector.to_owned(),
            }),
            fixed_in,
            summary: title.summary.to_owned(),
            modified: modified(title.modified),
            certainty: match verdict.is_certain {
                true => Certainty::Certain,
                false => Certainty::Assumed,
            },
        })
    }
}

impl<'a> Verdict<'a> {
    fn hear(&mut self, entry: ReadEntry<'a>, wanted: &mut Wanted<'_>) {
        let scheme = entry.scheme;
        let version = wanted.parsed(scheme);
        let contains = |interval: &ReadInterval<'_>| match version {
            Some(version) => contains(scheme, version, interval.start, interval.reach),
            // A version that has no place in the order is older than all others.
            None => interval.start.is_none(),
        };
        let hit: Vec<_> = entry.intervals.iter().filter(|one| contains(one)).collect();
        let mut is_affected = !hit.is_empty();
        self.is_certain |= is_affected && version.is_some() && !entry.is_assumed;
        let fixes = hit
            .into_iter()
            .map(|one| one.fixed.map(|fixed| (fixed, scheme)));
        self.fixes.extend(fixes);
        if !entry.versions.is_empty() {
            let canonical = scheme.canonical(wanted.version);
            let is_listed = entry.versions.contains(&canonical.as_str());
            self.is_certain |= is_listed;
            is_affected |= is_listed;
        }
        if is_affected && self.entry.is_none() {
            self.entry = Some(entry);
        }
    }

    /// The version that is out of every interval that the package's version is in.
    fn nearest_fix(&self) -> Option<String> {
        let fixes: Option<Vec<_>> = self.fixes.iter().copied().collect();
        let newest = fixes?.into_iter().reduce(|a, b| {
            let order =
                a.1.parse(a.0)
                    .zip(b.1.parse(b.0))
                    .and_then(|(a, b)| a.compare(&b));
            if order.is_some_and(std::cmp::Ordering::is_lt) {
                b
            } else {
                a
            }
        });
        newest.map(|(version, _)| version.to_owned())
    }
}

/// Entries of one record together. One whose title cannot be read is damaged, and the digest says
/// that there is none.
fn by_title<'a>(
    book: Book<'a>,
    entries: impl Iterator<Item = ReadEntry<'a>>,
) -> Vec<(ReadTitle<'a>, Vec<ReadEntry<'a>>)> {
    let mut grouped: BTreeMap<usize, Vec<ReadEntry<'a>>> = BTreeMap::new();
    for entry in entries {
        grouped.entry(entry.title).or_default().push(entry);
    }
    let titled = grouped.into_iter();
    titled
        .filter_map(|(title, entries)| Some((book.title(title)?, entries)))
        .collect()
}

fn push_once(list: &mut Vec<String>, purl: &str) {
    if list.last().is_none_or(|last| last != purl) {
        list.push(purl.to_owned());
    }
}

fn modified(second: u64) -> Option<Timestamp> {
    let second = i64::try_from(second).ok().filter(|second| *second > 0)?;
    Timestamp::from_second(second).ok()
}
