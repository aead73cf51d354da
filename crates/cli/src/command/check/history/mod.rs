//! Credentials in the history of a folder: what was committed once is in every copy, whatever the
//! files say now.
//!
//! Git lists what each commit brought, newest first, and hands the texts over; nothing of the
//! repository's own settings is read. What was looked at is kept, so that the next check looks only
//! at what is new.

mod listing;
mod memory;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use api::history::{History, HistoryState, OldSecret};
use model::Digest;
use model::finding::{self, Finding};
use serde::{Deserialize, Serialize};
use server::checks::history::{Origin, Secret, is_text, secrets};

use super::blobs::Blobs;
use crate::folder::repository::Repository;

use listing::{Item, Listing};
use memory::Memory;

/// A larger text is not read.
const LARGEST: u64 = 1 << 20;
/// A text has no zero byte up to here.
const LOOKED_AT: usize = 8192;
/// How many different credentials are told.
const MOST: usize = 200;

/// A credential, and where it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Leak {
    secret: Secret,
    commit: String,
    day: String,
    file: String,
}

/// What was looked at in a history.
#[derive(Debug)]
pub(super) struct Looked {
    history: History,
    leaks: Vec<Leak>,
}

/// Looks at the history of `folder` for as long as `within`.
pub(super) fn look(folder: &Path, within: Duration) -> Looked {
    let Some(repository) = Repository::of(folder) else {
        return Looked::nothing("the folder is in no repository");
    };
    if within.is_zero() {
        return Looked::nothing("no time was given for it");
    }
    if repository.is_shallow() {
        return Looked::nothing("the clone is shallow; `git fetch --unshallow` brings the rest");
    }
    let walk = Walk {
        repository: &repository,
        folder,
        deadline: Instant::now() + within,
    };
    walk.look()
}

/// One look at a history.
struct Walk<'a> {
    repository: &'a Repository,
    folder: &'a Path,
    deadline: Instant,
}

/// What one look brought.
#[derive(Default)]
struct Found {
    commits: u64,
    leaks: BTreeMap<Digest, Leak>,
    too_large: u64,
    missing: u64,
    is_whole: bool,
    is_late: bool,
}

impl Walk<'_> {
    fn look(&self) -> Looked {
        let mut memory = Memory::of(self.folder);
        let tips = self.repository.tips();
        if tips.is_empty() {
            memory.start_again();
        }
        // Nothing came since, or nothing was committed yet.
        if memory.tips == tips {
            return memory.looked();
        }
        let listing = match Listing::new(self, &tips) {
            Ok(listing) => listing,
            Err(why) => return Looked::nothing(why),
        };
        let goes_on = !memory.tips.is_empty() && listing.goes_on_from(&memory.tips);
        if !goes_on {
            memory.start_again();
        }
        let mut found = Found::default();
        if let Err(cause) = self.read(&listing, &mut memory, &mut found) {
            return Looked::nothing(format!("git does not answer: {cause}"));
        }
        let looked = found.looked(&mut memory, || listing.count());
        if looked.history.state == HistoryState::Scanned {
            memory.tips = tips;
            memory.commits = looked.history.commits;
            memory.why = looked.history.why.clone();
        }
        memory.store();
        looked
    }

    fn read(
        &self,
        listing: &Listing<'_>,
        memory: &mut Memory,
        found: &mut Found,
    ) -> std::io::Result<()> {
        let mut running = listing.start(&memory.tips, memory.seen())?;
        let mut texts = Blobs::new(running.answers()?, LARGEST);
        while Instant::now() < self.deadline {
            match running.next(self.deadline) {
                None => break,
                Some(Item::Commit) => found.commits += 1,
                Some(Item::Blob(blob)) => {
                    let Ok(text) = texts.next(&blob.id) else {
                        break;
                    };
                    match text.map(|text| text.content) {
                        None => found.missing += 1,
                        Some(None) => found.too_large += 1,
                        Some(Some(bytes)) => {
                            let seen = secrets_in(&blob.file, bytes);
                            memory.saw(blob.key, &seen);
                            found.add(&blob, seen);
                        }
                    }
                }
                Some(Item::Known(blob)) => {
                    let seen = memory.known(blob.key);
                    found.add(&blob, seen);
                }
            }
        }
        found.is_whole = running.ended_well();
        found.is_late = Instant::now() >= self.deadline;
        Ok(())
    }
}

fn secrets_in(file: &str, bytes: Vec<u8>) -> Vec<Secret> {
    if bytes[..bytes.len().min(LOOKED_AT)].contains(&0) {
        return vec![];
    }
    let text = String::from_utf8(bytes);
    let text = text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    secrets(file, &text)
}

impl Found {
    /// The history is listed from its end: what comes later is where a credential came in.
    fn add(&mut self, blob: &listing::Blob, seen: Vec<Secret>) {
        for secret in seen {
            if self.leaks.len() < MOST || self.leaks.contains_key(&secret.value) {
                let leak = Leak {
                    commit: blob.commit.to_string(),
                    day: blob.day.to_string(),
                    file: blob.file.clone(),
                    secret,
                };
                self.leaks.insert(leak.secret.value, leak);
            }
        }
    }

    fn looked(self, memory: &mut Memory, count: impl FnOnce() -> Option<u64>) -> Looked {
        // The last one may not have been looked at as a whole.
        let unsure = u64::from(!self.is_whole);
        let commits = self.commits.saturating_sub(unsure) + memory.commits;
        let is_whole = self.is_whole && self.missing == 0;
        let mut why = Vec::new();
        match (self.is_whole, self.is_late) {
            (true, _) => {}
            (false, true) => why.push("the time was up; `--history-seconds` gives more".to_owned()),
            (false, false) => why.push("git could not read all of it".to_owned()),
        }
        if self.missing > 0 {
            why.push(format!("{} texts are not in this clone", self.missing));
        }
        if self.too_large > 0 {
            why.push(format!("{} texts are too large to be read", self.too_large));
        }
        let mut leaks = self.leaks;
        leaks.extend(
            memory
                .leaks
                .iter()
                .map(|leak| (leak.secret.value, leak.clone())),
        );
        memory.leaks = leaks.into_values().collect();
        Looked {
            history: History {
                state: match is_whole {
                    true => HistoryState::Scanned,
                    false => HistoryState::Partly,
                },
                commits,
                of: match self.is_whole {
                    true => Some(commits),
                    false => count(),
                },
                why: (!why.is_empty()).then(|| why.join("; ")),
                secrets: vec![],
            },
            leaks: memory.leaks.clone(),
        }
    }
}

impl Looked {
    fn nothing(why: impl Into<String>) -> Self {
        Self {
            history: History::not_scanned(why),
            leaks: vec![],
        }
    }

    /// Findings of what the files themselves do not have any more, and what is told about all of it.
    pub(super) fn told(self, in_files: &HashSet<Digest>) -> (History, Vec<Finding>) {
        let old = self.leaks.into_iter();
        let old = old.filter(|leak| !in_files.contains(&leak.secret.value));
        let (leaks, mut findings): (Vec<Leak>, Vec<Finding>) = old
            .filter_map(|leak| {
                let finding = leak.secret.finding(&leak.origin())?;
                Some((leak, finding))
            })
            .unzip();
        finding::stamp(&mut findings);
        let mut history = self.history;
        history.secrets = leaks
            .into_iter()
            .zip(&findings)
            .map(|(leak, finding)| leak.told(finding))
            .collect();
        (history, findings)
    }
}

impl Leak {
    fn origin(&self) -> Origin<'_> {
        Origin {
            commit: &self.commit,
            day: &self.day,
            file: &self.file,
        }
    }

    fn told(self, finding: &Finding) -> OldSecret {
        OldSecret {
            fingerprint: finding.fingerprint.0.clone(),
            rule_id: self.secret.rule_id,
            commit: self.commit,
            date: self.day,
            file: self.file,
            line: self.secret.line,
            masked: self.secret.masked,
        }
    }
}
