//! What was looked at in a history the last time.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use api::history::{History, HistoryState};
use model::Digest;
use serde::{Deserialize, Serialize};
use server::checks::history::Secret;

use super::{Leak, Looked};
use crate::command::check::kept::Kept;

/// A text at a path: the front of a digest of both.
pub(super) type Key = [u8; 16];

/// More texts are not kept: they are read again.
const MOST: usize = 2_000_000;

/// The key of a text at a path.
pub(super) fn key(file: &str, id: &str) -> Key {
    let digest = Digest::of(format!("{id} {file}").as_bytes());
    let mut key = Key::default();
    key.copy_from_slice(&digest.as_bytes()[..16]);
    key
}

/// What is kept of one folder's history.
#[derive(Debug, Default)]
pub(super) struct Memory {
    kept: Option<Kept>,
    /// Everything that these have was looked at.
    pub(super) tips: BTreeSet<String>,
    /// How many commits that is.
    pub(super) commits: u64,
    /// What was left out of it.
    pub(super) why: Option<String>,
    /// What they have.
    pub(super) leaks: Vec<Leak>,
    clean: Arc<HashSet<Key>>,
    guilty: HashMap<Key, Vec<Secret>>,
    new: HashSet<Key>,
}

/// All of it but the texts without credentials, which are many.
#[derive(Serialize, Deserialize)]
struct Told {
    tips: BTreeSet<String>,
    commits: u64,
    why: Option<String>,
    leaks: Vec<Leak>,
    guilty: Vec<(Key, Vec<Secret>)>,
}

impl Memory {
    /// What is known of `folder`.
    pub(super) fn of(folder: &Path) -> Self {
        let kept = Kept::of("history", folder);
        let read = kept.as_ref().and_then(Kept::read);
        let memory = read.and_then(|bytes| Self::decode(&bytes));
        Self {
            kept,
            ..memory.unwrap_or_default()
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_at_checked(4)?;
        let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
        let (told, keys) = rest.split_at_checked(length)?;
        let told: Told = serde_json::from_slice(told).ok()?;
        let keys = keys.chunks_exact(16).filter_map(|key| key.try_into().ok());
        Some(Self {
            tips: told.tips,
            commits: told.commits,
            why: told.why,
            leaks: told.leaks,
            clean: Arc::new(keys.collect()),
            guilty: told.guilty.into_iter().collect(),
            ..Self::default()
        })
    }

    /// Forgets what was found, not what was read: the history is another one now.
    pub(super) fn start_again(&mut self) {
        self.tips.clear();
        self.commits = 0;
        self.why = None;
        self.leaks.clear();
    }

    /// What was seen in all of it, without another look.
    pub(super) fn looked(self) -> Looked {
        Looked {
            history: History {
                state: HistoryState::Scanned,
                commits: self.commits,
                of: Some(self.commits),
                why: self.why,
                secrets: vec![],
            },
            leaks: self.leaks,
        }
    }

    /// The texts that need not be read again.
    pub(super) fn seen(&self) -> Seen {
        Seen {
            clean: Arc::clone(&self.clean),
            guilty: self.guilty.keys().copied().collect(),
        }
    }

    /// What a text that need not be read again holds.
    pub(super) fn known(&self, key: Key) -> Vec<Secret> {
        self.guilty.get(&key).cloned().unwrap_or_default()
    }

    /// Keeps what was seen in a text.
    pub(super) fn saw(&mut self, key: Key, secrets: &[Secret]) {
        match secrets {
            [] if self.clean.len() + self.new.len() < MOST => drop(self.new.insert(key)),
            [] => {}
            some => drop(self.guilty.insert(key, some.to_vec())),
        }
    }

    /// Keeps all of it for the next time.
    pub(super) fn store(self) {
        let Some(kept) = self.kept else {
            return;
        };
        let told = Told {
            tips: self.tips,
            commits: self.commits,
            why: self.why,
            leaks: self.leaks,
            guilty: self.guilty.into_iter().collect(),
        };
        let Ok(told) = serde_json::to_vec(&told) else {
            return;
        };
        let mut bytes = u32::try_from(told.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes()
            .to_vec();
        bytes.extend_from_slice(&told);
        let keys = self.clean.iter().chain(&self.new);
        keys.for_each(|key| bytes.extend_from_slice(key));
        kept.write(&bytes);
    }
}

/// Texts that need not be read again.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    clean: Arc<HashSet<Key>>,
    guilty: HashSet<Key>,
}

/// What is known of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing.
    No,
    /// That it holds no credentials.
    Clean,
    /// What it holds.
    Guilty,
}

impl Seen {
    /// What is known of a text.
    pub(super) fn of(&self, key: &Key) -> Known {
        match (self.clean.contains(key), self.guilty.contains(key)) {
            (true, _) => Known::Clean,
            (false, true) => Known::Guilty,
            (false, false) => Known::No,
        }
    }
}
