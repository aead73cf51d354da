//! Records changes: all those of one call in one transaction, each with its event.

mod apps;
mod gates;
mod holds;
mod people;
mod releases;
mod runs;

use model::event::{Event, Happening};
use model::{AppName, Timestamp};
use ports::ledger::{Change, LedgerError};
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::event_log;
use super::failure::broken;

/// A transaction that is being written. Dropped without a commit, it leaves nothing.
pub(super) struct Writing {
    transaction: Transaction<'static, Sqlite>,
    at: Timestamp,
    next_seq: u64,
    events: Vec<Event>,
}

impl Writing {
    /// Begins to write in a transaction that nobody else writes beside.
    pub(super) async fn new(
        mut transaction: Transaction<'static, Sqlite>,
        at: Timestamp,
    ) -> Result<Self, LedgerError> {
        let next_seq = event_log::newest(&mut transaction).await? + 1;
        Ok(Self {
            transaction,
            at,
            next_seq,
            events: Vec::new(),
        })
    }

    /// Writes one change and its event.
    pub(super) async fn apply(&mut self, change: Change) -> Result<(), LedgerError> {
        match change {
            Change::AppCreated(app) => self.app_created(app).await,
            Change::AppTakenOver(app) => self.app_taken_over(app).await,
            Change::AppDestroyed { app, at } => self.app_destroyed(app, at).await,
            Change::AppRestored { app } => self.app_restored(app).await,
            Change::AppRemoved { app } => self.app_removed(app).await,
            Change::EnvSet {
                app,
                version,
                values,
            } => self.env_set(app, version, &values).await,
            Change::RunStarted(run) => self.run_started(run).await,
            Change::StageRecorded { app, evidence } => self.stage_recorded(app, &evidence).await,
            Change::RunSettled { app, run, settled } => self.run_settled(app, run, &settled).await,
            Change::ReleaseCreated(release) => self.release_created(*release).await,
            Change::ProofKept { release, proof } => self.proof_kept(&release, &proof).await,
            Change::PhaseMoved { release, phase } => self.phase_moved(release, phase).await,
            Change::KeyBegun { key, previous } => {
                self.tell_of(None, Happening::KeyBegun { key, previous })
                    .await
            }
            Change::KeyRevoked { key, from } => {
                self.tell_of(None, Happening::KeyRevoked { key, from })
                    .await
            }
            Change::ExemptionGranted { exemption, by } => {
                self.exemption_granted(*exemption, by).await
            }
            Change::ExemptionRevoked { id, by } => self.exemption_revoked(&id, by).await,
            Change::PolicyLoaded(load) => self.policy_loaded(load).await,
            Change::AdvisoriesImported { data, modified } => {
                self.tell_of(None, Happening::AdvisoriesImported { data, modified })
                    .await
            }
            Change::Rescanned {
                release,
                evidence,
                verdict,
            } => self.rescanned(release, evidence, verdict).await,
            Change::PersonForgotten { owner } => self.person_forgotten(owner).await,
            Change::Pinned { app, name, blob } => self.pinned(&app, &name, blob).await,
            Change::BlobsHeld {
                holder,
                digests,
                rule,
            } => self.blobs_held(&holder, &digests, &rule).await,
        }
    }

    /// Makes the changes last, and returns their events.
    pub(super) async fn commit(self) -> Result<Vec<Event>, LedgerError> {
        self.transaction.commit().await.map_err(broken)?;
        Ok(self.events)
    }

    fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    async fn tell(&mut self, app: AppName, what: Happening) -> Result<(), LedgerError> {
        self.tell_of(Some(app), what).await
    }

    async fn tell_of(&mut self, app: Option<AppName>, what: Happening) -> Result<(), LedgerError> {
        let event = Event {
            seq: self.next_seq,
            at: self.at,
            app,
            what,
        };
        event_log::append(&mut self.transaction, &event).await?;
        self.next_seq += 1;
        self.events.push(event);
        Ok(())
    }
}

/// What an error calls an app that is not there.
fn app_words(app: &AppName) -> String {
    format!("app `{app}`")
}
