//! Which app a run is for, and who may change it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use api::types::Claim;
use model::app::{App, Owner};
use model::{AppName, Failure, FailureCode};
use ports::Change;
use tokio::sync::watch;

use crate::Delivery;

/// The user that may change every app.
pub(crate) const ROOT: u32 = 0;

/// What the daemon remembers about apps while it runs: which run is the newest, and whose turn it
/// is to change where requests go.
#[derive(Default)]
pub struct Apps {
    rooms: Mutex<HashMap<AppName, Arc<AppRoom>>>,
    /// Held while an app is created, so that no two get one name or one range of users.
    creation: tokio::sync::Mutex<()>,
}

/// One app's turn-taking.
pub struct AppRoom {
    /// Held while traffic moves: takeovers, rollbacks, restarts, destruction.
    pub(crate) turn: tokio::sync::Mutex<()>,
    newest: watch::Sender<u64>,
}

/// A run's place among the runs of its app.
pub struct Turn {
    number: u64,
    newest: watch::Receiver<u64>,
}

impl Turn {
    /// Whether a newer run of the app has begun.
    pub fn is_superseded(&self) -> bool {
        *self.newest.borrow() > self.number
    }

    /// Waits until a newer run of the app begins.
    pub async fn superseded(&mut self) {
        let number = self.number;
        if self
            .newest
            .wait_for(|newest| *newest > number)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}

impl Apps {
    /// The room of one app.
    pub(crate) fn room(&self, app: &AppName) -> Arc<AppRoom> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(AppRoom {
                turn: tokio::sync::Mutex::default(),
                newest: watch::Sender::new(0),
            })
        };
        Arc::clone(rooms.entry(app.clone()).or_insert_with(new))
    }

    /// Begins a run: every earlier one of the app is superseded from now on.
    pub(crate) fn begin(&self, app: &AppName) -> Turn {
        let room = self.room(app);
        let mut number = 0;
        room.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        Turn {
            number,
            newest: room.newest.subscribe(),
        }
    }
}

/// Who asks for an app, and from where.
#[derive(Debug, Clone)]
pub struct Claimant<'a> {
    /// The caller, as the kernel named it.
    pub owner: Owner,
    /// The caller's folder.
    pub folder: &'a Path,
    /// What to do when another folder has the name.
    pub claim: Claim,
}

impl Delivery {
    /// The app called `name`, for this claimant: a new one, or the one there is when it is theirs.
    pub(crate) async fn claim(&self, name: &AppName, by: &Claimant<'_>) -> Result<App, Failure> {
        let _creation = self.apps.creation.lock().await;
        let apps = self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?;
        let Some(app) = apps.iter().find(|app| app.name == *name) else {
            return self.create(name, by, &apps).await;
        };
        if !may_change(app, by.owner) {
            return Err(not_yours(app));
        }
        if app.folder != by.folder {
            return self.take_name(app, by).await;
        }
        if app.destroyed_at.is_some() {
            self.record(vec![Change::AppRestored { app: name.clone() }])
                .await?;
        }
        self.known_app(name).await
    }

    async fn create(
        &self,
        name: &AppName,
        by: &Claimant<'_>,
        others: &[App],
    ) -> Result<App, Failure> {
        let app = App {
            name: name.clone(),
            owner: by.owner,
            folder: by.folder.to_owned(),
            local_port: self.ports.traffic.free_port().await?,
            uid_slot: free_slot(others),
            created_at: self.ports.clock.now(),
            stable: None,
            destroyed_at: None,
        };
        self.record(vec![Change::AppCreated(app.clone())]).await?;
        Ok(app)
    }

    async fn take_name(&self, app: &App, by: &Claimant<'_>) -> Result<App, Failure> {
        if by.claim == Claim::Respect {
            return Err(name_taken(app));
        }
        let taken = App {
            folder: by.folder.to_owned(),
            destroyed_at: None,
            ..app.clone()
        };
        let mut changes = vec![Change::AppTakenOver(taken)];
        if app.destroyed_at.is_some() {
            changes.push(Change::AppRestored {
                app: app.name.clone(),
            });
        }
        self.record(changes).await?;
        self.known_app(&app.name).await
    }

    /// An app that must be there, destroyed or not.
    pub(crate) async fn known_app(&self, name: &AppName) -> Result<App, Failure> {
        let app = self
            .ports
            .ledger
            .app(name)
            .await
            .map_err(|error| Failure::of(&error))?;
        app.ok_or_else(|| {
            Failure::new(FailureCode::NotFound, format!("there is no app `{name}`"))
                .hint("run `mayfly list` to see the apps there are")
        })
    }

    /// An app that `owner` may change.
    pub(crate) async fn own_app(&self, name: &AppName, owner: Owner) -> Result<App, Failure> {
        let app = self.known_app(name).await?;
        may_change(&app, owner)
            .then_some(app.clone())
            .ok_or_else(|| not_yours(&app))
    }

    /// Records changes now.
    pub(crate) async fn record(&self, changes: Vec<Change>) -> Result<(), Failure> {
        let now = self.ports.clock.now();
        self.ports
            .ledger
            .record(now, changes)
            .await
            .map(|events| {
                if !events.is_empty() {
                    self.recorded.notify_one();
                }
            })
            .map_err(|error| Failure::of(&error))
    }
}

fn may_change(app: &App, owner: Owner) -> bool {
    owner.uid == ROOT || owner == app.owner
}

/// The lowest range of user ids that no other app has.
fn free_slot(others: &[App]) -> u32 {
    (0..)
        .find(|slot| others.iter().all(|app| app.uid_slot != *slot))
        .unwrap_or(u32::MAX)
}

fn not_yours(app: &App) -> Failure {
    let text = format!("the app `{}` belongs to another user", app.name);
    Failure::new(FailureCode::Forbidden, text).hint("choose another name with `--app NAME`")
}

fn name_taken(app: &App) -> Failure {
    let text = format!(
        "the name `{}` belongs to the folder `{}`",
        app.name,
        app.folder.display()
    );
    Failure::new(FailureCode::NameTaken, text)
        .hint("choose another name with `--app NAME`, or take this one over with `--takeover`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_newer_run_supersedes_every_older_one_of_its_app() {
        let apps = Apps::default();
        let shop: AppName = "shop".parse().expect("a good name");
        let blog: AppName = "blog".parse().expect("a good name");
        let (mut first, other) = (apps.begin(&shop), apps.begin(&blog));
        assert!(!first.is_superseded());
        let second = apps.begin(&shop);
        first.superseded().await;
        assert!(first.is_superseded() && !second.is_superseded() && !other.is_superseded());
    }
}
