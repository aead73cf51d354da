//! Makes an index of OSV's archives.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use model::advisory::{AdvisoryKind, Score};
use model::{Digest, FailureCode, Remedy, Timestamp};

use crate::archive;
use crate::book::{Draft, Entry, Title};
use crate::database::{self, Database};
use crate::ecosystem::Ecosystem;
use crate::facts::{Facts, QuirkKind};
use crate::interval::{Event, Interval, intervals};
use crate::record::{Affected, Range, RawEvent, Record};
use crate::score::worst;
use crate::version::Scheme;

/// Of a hundred records so many may be unreadable before the archive is no good.
const UNREADABLE_PERCENT: u32 = 1;
/// Of a hundred records of the last import at least so many must still be there.
const KEPT_PERCENT: u32 = 90;
/// The longest summary that is kept, in bytes.
const SUMMARY_BYTES: usize = 200;

/// How much may change from one import to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Records do not vanish, and dates do not go back.
    Plausible,
    /// Anything; somebody looked at it.
    Any,
}

/// What is imported, and to where.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// One archive an ecosystem.
    pub archives: &'a [PathBuf],
    /// The index. Ecosystems that are in it and in none of the archives stay.
    pub index: &'a Path,
    /// What the time is.
    pub now: Timestamp,
    /// How much may change.
    pub change: Change,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What is known about each ecosystem that was read.
    pub facts: Vec<Facts>,
    /// Ecosystems that were there and stayed as they were.
    pub kept: Vec<String>,
    /// How large the index is.
    pub size_bytes: u64,
    /// Of the index.
    pub digest: Digest,
}

/// Why archives are not imported. The index stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Nothing to read.
    #[error("no archive was named")]
    Nothing,
    /// The system does not let it be read.
    #[error("cannot read `{path}`")]
    Open {
        /// The archive.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is no zip archive, or was cut off, or its content does not fit its checksums.
    #[error("`{path}` is no sound zip archive: {cause}")]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// It would grow beyond all measure.
    #[error("`{path}` is too large: {what}")]
    TooLarge {
        /// The archive.
        path: PathBuf,
        /// What of it.
        what: &'static str,
    },
    /// It is an archive of something else.
    #[error("`{path}` holds no OSV records")]
    NoRecords {
        /// The archive.
        path: PathBuf,
    },
    /// So much of it cannot be read that the rest cannot be trusted.
    #[error("`{path}`: {unreadable} of {all} records cannot be read, first `{first}`")]
    Unreadable {
        /// The archive.
        path: PathBuf,
        /// How many.
        unreadable: u32,
        /// Of how many.
        all: u32,
        /// The first one.
        first: String,
    },
    /// Two archives are of one ecosystem.
    #[error("`{path}` is a second archive of {ecosystem}")]
    Twice {
        /// The archive.
        path: PathBuf,
        /// The ecosystem.
        ecosystem: String,
    },
    /// Records vanished.
    #[error("{ecosystem} has {is} records, and had {was}")]
    Shrunk {
        /// The ecosystem.
        ecosystem: String,
        /// How many there were.
        was: u32,
        /// How many there are.
        is: u32,
    },
    /// It is older than what is there.
    #[error("the newest record of {ecosystem} is of {is}, and there is one of {was}")]
    Older {
        /// The ecosystem.
        ecosystem: String,
        /// The newest record there is.
        was: Timestamp,
        /// The newest record of the archive.
        is: Timestamp,
    },
    /// No record has a date that can be true.
    #[error("no record of {ecosystem} has a date before today")]
    Undated {
        /// The ecosystem.
        ecosystem: String,
    },
    /// The index cannot be written.
    #[error("cannot write `{path}`")]
    Write {
        /// The index.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl Remedy for ImportError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Nothing => FailureCode::Usage,
            Self::Open { .. } => FailureCode::NotFound,
            Self::TooLarge { .. } => FailureCode::TooLarge,
            Self::Write { .. } => FailureCode::Machine,
            _ => FailureCode::BadManifest,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Shrunk { .. } | Self::Older { .. } => {
                "fetch it again; if it is meant to be so, run `mayfly db import --any-change FILE`"
            }
            Self::Write { .. } => "run `mayfly doctor`",
            _ => "fetch it again with `mayfly db update`",
        };
        Some(hint.to_owned())
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Write { .. })
    }
}

/// Reads archives, checks them against the last import, and puts a new index in its place.
///
/// On any error the index stays as it was. Whoever has it open goes on with the old one.
pub fn import(import: &Import<'_>) -> Result<Imported, ImportError> {
    if import.archives.is_empty() {
        return Err(ImportError::Nothing);
    }
    let old = Database::open(import.index).ok();
    let mut books: BTreeMap<String, (Facts, Vec<u8>)> = BTreeMap::new();
    for path in import.archives {
        let (facts, book) = read(path, import.now)?;
        if let (Some(old), Change::Plausible) = (&old, import.change) {
            check(old, &facts, import.now)?;
        }
        let ecosystem = facts.ecosystem.clone();
        if books.insert(ecosystem.clone(), (facts, book)).is_some() {
            let path = path.clone();
            return Err(ImportError::Twice { path, ecosystem });
        }
    }
    let facts = books.values().map(|(facts, _)| facts.clone()).collect();
    let mut kept = Vec::new();
    for (facts, book) in old.iter().flat_map(Database::books) {
        if !books.contains_key(&facts.ecosystem) {
            kept.push(facts.ecosystem.clone());
            books.insert(facts.ecosystem.clone(), (facts.clone(), book.to_vec()));
        }
    }
    let books: Vec<_> = books.into_values().collect();
    let (size_bytes, digest) = database::write(import.index, &books).map_err(|cause| {
        let path = import.index.to_owned();
        ImportError::Write { path, cause }
    })?;
    Ok(Imported {
        facts,
        kept,
        size_bytes,
        digest,
    })
}

/// Compares an ecosystem with what is known of it.
fn check(old: &Database, facts: &Facts, now: Timestamp) -> Result<(), ImportError> {
    let Some(last) = old.facts().find(|last| last.ecosystem == facts.ecosystem) else {
        return Ok(());
    };
    let ecosystem = facts.ecosystem.clone();
    let (was, is) = (last.records, facts.records);
    if u64::from(is) * 100 < u64::from(was) * u64::from(KEPT_PERCENT) {
        return Err(ImportError::Shrunk { ecosystem, was, is });
    }
    match (last.newest(now), facts.newest(now)) {
        (Some(was), Some(is)) if is < was => Err(ImportError::Older { ecosystem, was, is }),
        _ => Ok(()),
    }
}

/// Makes a book of one archive.
fn read(path: &Path, now: Timestamp) -> Result<(Facts, Vec<u8>), ImportError> {
    let mut reading = Reading::new(now);
    archive::visit(path, |name, content| {
        reading.file(name, content);
        Ok(())
    })?;
    reading.finish(path)
}

/// An archive that is being read.
pub(crate) struct Reading {
    now: Timestamp,
    facts: Facts,
    draft: Draft,
    ids: HashSet<String>,
    files: u32,
    /// How many packages each ecosystem has.
    ecosystems: BTreeMap<String, u32>,
    releases: BTreeSet<(String, String)>,
}

impl Reading {
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            now,
            facts: Facts::default(),
            draft: Draft::default(),
            ids: HashSet::new(),
            files: 0,
            ecosystems: BTreeMap::new(),
            releases: BTreeSet::new(),
        }
    }

    /// Reads one file of the archive.
    pub(crate) fn file(&mut self, name: &str, content: &[u8]) {
        if name.ends_with('/') {
            return;
        }
        let Some(called) = name.strip_suffix(".json") else {
            return self.facts.note(QuirkKind::Foreign, name);
        };
        self.files += 1;
        match serde_json::from_slice::<Record<'_>>(content) {
            Ok(record) if !record.id.is_empty() => {
                if called.rsplit('/').next() != Some(&record.id) {
                    self.facts.note(QuirkKind::Misnamed, name);
                }
                self.record(&record);
            }
            _ => self.facts.note(QuirkKind::Unreadable, name),
        }
    }

    fn record(&mut self, record: &Record<'_>) {
        let modified = self.date(record);
        if !self.ids.insert(record.id.clone().into_owned()) {
            self.facts.note(QuirkKind::Duplicate, &record.id);
        }
        if record.withdrawn.is_some() {
            self.facts.withdrawn += 1;
            return;
        }
        let affected = record.affected.as_deref().unwrap_or_default();
        let title = title(record, affected, modified);
        if title.kind == AdvisoryKind::Malicious {
            self.facts.malicious += 1;
        }
        self.facts.records += 1;
        let place = self.draft.title(&title);
        let mut is_said = false;
        for one in affected {
            is_said |= self.affected(record, one, place);
        }
        if !is_said {
            self.facts.note(QuirkKind::NoVersions, &record.id);
        }
    }

    /// When a record was changed, in seconds since 1970. A date of before it was published is none.
    fn date(&mut self, record: &Record<'_>) -> u64 {
        let read = |text: &Option<std::borrow::Cow<'_, str>>| {
            let second = text.as_deref()?.parse::<Timestamp>().ok()?.as_second();
            u64::try_from(second).ok().filter(|second| *second > 0)
        };
        let (modified, published) = (read(&record.modified), read(&record.published));
        let Some(second) = modified.or(published) else {
            self.facts.note(QuirkKind::NoDate, &record.id);
            return 0;
        };
        if modified.is_none() {
            self.facts.note(QuirkKind::NoDate, &record.id);
        }
        if i64::try_from(second).is_ok_and(|second| second > self.now.as_second()) {
            self.facts.note(QuirkKind::FutureDate, &record.id);
        }
        self.facts.dated(i64::try_from(second).unwrap_or(i64::MAX));
        second
    }

    /// Adds what a record says about one package. Returns whether it says anything.
    fn affected(&mut self, record: &Record<'_>, affected: &Affected<'_>, place: u64) -> bool {
        let Some(package) = &affected.package else {
            return false;
        };
        let (ecosystem, release) = Ecosystem::read(&package.ecosystem);
        let count = self.ecosystems.entry(ecosystem.as_str().to_owned());
        *count.or_default() += 1;
        if let Some(release) = release {
            let release = (ecosystem.as_str().to_owned(), release.to_owned());
            self.releases.insert(release);
        }
        let own = affected.severity.as_deref().unwrap_or_default();
        let (score, is_odd) = match own {
            [] => worst(record.severity.as_deref().unwrap_or_default()),
            own => worst(own),
        };
        if is_odd {
            self.facts.note(QuirkKind::UnreadableScore, &record.id);
        }
        let entries = entries(&ecosystem, affected, &package.name, score.as_ref());
        for kind in entries.quirks {
            self.facts.note(kind, &record.id);
        }
        let is_said = !entries.entries.is_empty();
        for entry in &entries.entries {
            let key = ecosystem.key(release, &package.name);
            self.draft.add(key, place, entry);
        }
        is_said
    }

    pub(crate) fn finish(mut self, path: &Path) -> Result<(Facts, Vec<u8>), ImportError> {
        let unreadable = self.facts.quirks.get(&QuirkKind::Unreadable);
        let count = unreadable.map_or(0, |quirk| quirk.count);
        if u64::from(count) * 100 > u64::from(self.files) * u64::from(UNREADABLE_PERCENT) {
            return Err(ImportError::Unreadable {
                path: path.to_owned(),
                unreadable: count,
                all: self.files,
                first: unreadable
                    .and_then(|one| one.examples.first().cloned())
                    .unwrap_or_default(),
            });
        }
        let main = self.ecosystems.iter().max_by_key(|(_, count)| **count);
        let Some(main) = main.map(|(name, _)| name.clone()) else {
            let path = path.to_owned();
            return Err(ImportError::NoRecords { path });
        };
        let own = self.releases.iter().filter(|(name, _)| *name == main);
        self.facts.releases = own.map(|(_, release)| release.clone()).collect();
        self.facts.ecosystem = main;
        self.facts.packages = u32::try_from(self.draft.packages()).unwrap_or(u32::MAX);
        if self.facts.newest(self.now).is_none() {
            let ecosystem = self.facts.ecosystem;
            return Err(ImportError::Undated { ecosystem });
        }
        let book = self.draft.finish().map_err(|_| ImportError::TooLarge {
            path: path.to_owned(),
            what: "its index",
        })?;
        Ok((self.facts, book))
    }
}

fn title(record: &Record<'_>, affected: &[Affected<'_>], modified: u64) -> Title {
    let specific = |one: &Affected<'_>| {
        let specific = one.database_specific.as_ref();
        specific.is_some_and(|specific| specific.is_informational())
    };
    let kind = match record.id.starts_with("MAL-") {
        true => AdvisoryKind::Malicious,
        false if affected.iter().any(specific) => AdvisoryKind::Notice,
        false => AdvisoryKind::Vulnerability,
    };
    let text = [&record.summary, &record.details];
    let text = text
        .into_iter()
        .flatten()
        .find(|text| !text.trim().is_empty());
    let aliases = record.aliases.as_deref().unwrap_or_default();
    Title {
        id: record.id.clone().into_owned(),
        kind,
        aliases: aliases
            .iter()
            .map(|alias| alias.clone().into_owned())
            .collect(),
        summary: text.map(|text| one_line(text)).unwrap_or_default(),
        modified,
    }
}

/// The first line of a text, without control characters and not too long.
fn one_line(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut short = String::new();
    for letter in line.chars().filter(|letter| !letter.is_control()) {
        if short.len() + letter.len_utf8() > SUMMARY_BYTES {
            short.push('…');
            break;
        }
        short.push(letter);
    }
    short
}

/// What a record says about one package, one entry for each order of versions.
struct Entries {
    entries: Vec<Entry>,
    quirks: Vec<QuirkKind>,
}

fn entries(
    ecosystem: &Ecosystem,
    affected: &Affected<'_>,
    name: &str,
    score: Option<&Score>,
) -> Entries {
    let mut found = Entries {
        entries: Vec::new(),
        quirks: Vec::new(),
    };
    let listed = affected.versions.as_deref().unwrap_or_default();
    let mut uncovered: Vec<&str> = listed.iter().map(AsRef::as_ref).collect();
    for range in affected.ranges.as_deref().unwrap_or_default() {
        let Some(scheme) = scheme(ecosystem, range) else {
            continue;
        };
        let read = intervals(scheme, &events(range));
        found.quirks.extend(read.quirks);
        // A list of versions is whole; a range that cannot be read adds nothing to it.
        if read.intervals.is_empty() || (read.is_assumed && !listed.is_empty()) {
            continue;
        }
        uncovered.retain(|version| !is_covered(scheme, &read.intervals, version));
        found.entries.push(Entry {
            name: name.to_owned(),
            scheme,
            intervals: read.intervals,
            is_assumed: read.is_assumed,
            versions: BTreeSet::new(),
            score: score.cloned(),
        });
    }
    if !uncovered.is_empty() {
        let scheme = ecosystem.scheme();
        let versions = uncovered.iter().map(|version| scheme.canonical(version));
        found.entries.push(Entry {
            name: name.to_owned(),
            scheme,
            intervals: Vec::new(),
            is_assumed: false,
            versions: versions.collect(),
            score: score.cloned(),
        });
    }
    found
}

/// How a range's versions are ordered; none for commits, which no package has.
fn scheme(ecosystem: &Ecosystem, range: &Range<'_>) -> Option<Scheme> {
    match range.kind.as_ref() {
        "SEMVER" => Some(Scheme::Semver),
        "ECOSYSTEM" => Some(ecosystem.scheme()),
        _ => None,
    }
}

fn events(range: &Range<'_>) -> Vec<Event> {
    let of = |event: &RawEvent<'_>| {
        let own = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
        let introduced = own(&event.introduced).map(Event::Introduced);
        let fixed = own(&event.fixed).map(Event::Fixed);
        let last = own(&event.last_affected).map(Event::LastAffected);
        // `*` is the limit that is none.
        let limit = own(&event.limit).filter(|limit| limit != "*");
        let limit = limit.map(Event::Limit);
        [introduced, fixed, last, limit].into_iter().flatten()
    };
    range.events.iter().flat_map(of).collect()
}

fn is_covered(scheme: Scheme, intervals: &[Interval], version: &str) -> bool {
    let parsed = scheme.parse(version);
    parsed.is_some_and(|parsed| intervals.iter().any(|one| one.contains(scheme, &parsed)))
}
