//! Which releases run now, and where the proxy reaches them. Kept in memory: the runtime and the
//! ledger know it all after a restart.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use model::instance::InstanceId;
use model::{AppName, Failure, ReleaseKey};
use ports::runtime::Upstream;
use ports::traffic::Wakefulness;

/// What is known about one release that runs, or should.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its sandbox; `None` for a site, and between an exit and the next start.
    pub instance: Option<InstanceId>,
    /// Where the proxy reaches it; `None` for a site, and while it does not run.
    pub upstream: Option<Upstream>,
    /// Whether its processes are frozen.
    pub wakefulness: Wakefulness,
    /// How often it exited in a row.
    pub exits: u32,
    /// Why it does not run, when it should.
    pub trouble: Option<Failure>,
}

impl Member {
    /// A release that the proxy serves by itself.
    pub fn site() -> Self {
        Self {
            instance: None,
            upstream: None,
            wakefulness: Wakefulness::Awake,
            exits: 0,
            trouble: None,
        }
    }

    /// A release whose server answers.
    pub fn running(upstream: Upstream) -> Self {
        Self {
            instance: Some(upstream.instance.clone()),
            upstream: Some(upstream),
            ..Self::site()
        }
    }
}

/// Every release that runs, or should.
#[derive(Default)]
pub struct Fleet(Mutex<HashMap<ReleaseKey, Member>>);

impl Fleet {
    /// What is known about a release.
    pub fn get(&self, key: &ReleaseKey) -> Option<Member> {
        self.with(|members| members.get(key).cloned())
    }

    /// Replaces what is known.
    pub fn put(&self, key: ReleaseKey, member: Member) {
        self.with(|members| members.insert(key, member));
    }

    /// Forgets a release; returns what was known.
    pub fn take(&self, key: &ReleaseKey) -> Option<Member> {
        self.with(|members| members.remove(key))
    }

    /// Changes what is known, when anything is.
    pub fn change(&self, key: &ReleaseKey, change: impl FnOnce(&mut Member)) {
        self.with(|members| {
            if let Some(member) = members.get_mut(key) {
                change(member);
            }
        });
    }

    /// Every release of an app that runs, or should.
    pub fn of(&self, app: &AppName) -> Vec<ReleaseKey> {
        self.with(|members| {
            members
                .keys()
                .filter(|key| key.app == *app)
                .cloned()
                .collect()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<ReleaseKey, Member>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
