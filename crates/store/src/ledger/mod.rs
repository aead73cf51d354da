//! The ledger in SQLite.
//!
//! One connection writes, so that writers queue here and not in SQLite's busy handler; a few
//! others read what was committed. Only this module, `schema` and `failure` know that it is SQLite.

mod change;
mod event_log;
pub(crate) mod failure;
mod read;
pub(crate) mod row;
mod schema;

use std::path::Path;

use async_trait::async_trait;
use model::app::{App, Owner};
use model::env::SecretEnv;
use model::event::Event;
use model::evidence::Evidence;
use model::exemption::GrantedExemption;
use model::release::Release;
use model::run::Run;
use model::transparency::Inclusion;
use model::{AppName, Digest, ReleaseKey, ReleaseNumber, RunId, Timestamp};
use ports::ledger::{BlobRelease, Change, Entry, Ledger, LedgerError};
use sqlx::{Sqlite, SqlitePool, Transaction};

use failure::broken;

/// The ledger in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteLedger {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteLedger {
    /// Opens the ledger in the file `path`, which is made when it is not there, for its owner's
    /// eyes only.
    ///
    /// One of an older mayfly is brought up to date, after a copy of it was kept beside it as
    /// `<name>.before-<version>`. Fails with [`LedgerError::Newer`] when a newer mayfly wrote it.
    pub async fn open(path: &Path) -> Result<Self, LedgerError> {
        schema::open(path, &schema::MIGRATIONS).await
    }

    /// Lets the file go, in an orderly way. Dropping the ledger loses nothing either.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Begins to write, with nobody beside.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, LedgerError> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(broken)
    }

    /// Connections that only read.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }
}

#[async_trait]
impl Ledger for SqliteLedger {
    async fn record(&self, at: Timestamp, changes: Vec<Change>) -> Result<Vec<Event>, LedgerError> {
        let mut writing = change::Writing::new(self.write().await?, at).await?;
        for change in changes {
            writing.apply(change).await?;
        }
        writing.commit().await
    }

    async fn apps(&self) -> Result<Vec<App>, LedgerError> {
        read::apps(&self.readers).await
    }

    async fn app(&self, name: &AppName) -> Result<Option<App>, LedgerError> {
        read::app(&self.readers, name).await
    }

    async fn releases(&self, app: &AppName) -> Result<Vec<Release>, LedgerError> {
        read::releases(&self.readers, app).await
    }

    async fn release(&self, key: &ReleaseKey) -> Result<Option<Release>, LedgerError> {
        read::release(&self.readers, key).await
    }

    async fn next_release(&self, app: &AppName) -> Result<ReleaseNumber, LedgerError> {
        read::next_release(&self.readers, app).await
    }

    async fn runs(&self, app: &AppName, limit: u32) -> Result<Vec<Run>, LedgerError> {
        read::runs(&self.readers, app, limit).await
    }

    async fn unsettled_runs(&self) -> Result<Vec<Run>, LedgerError> {
        read::unsettled_runs(&self.readers).await
    }

    async fn evidence(&self, run: RunId) -> Result<Vec<Evidence>, LedgerError> {
        read::evidence(&self.readers, run).await
    }

    async fn env(&self, app: &AppName, version: u32) -> Result<SecretEnv, LedgerError> {
        read::env(&self.readers, app, version).await
    }

    async fn env_version(&self, app: &AppName) -> Result<u32, LedgerError> {
        read::env_version(&self.readers, app).await
    }

    async fn exemptions(&self, app: &AppName) -> Result<Vec<GrantedExemption>, LedgerError> {
        read::exemptions(&self.readers, app).await
    }

    async fn rescan(&self, release: &ReleaseKey) -> Result<Option<Digest>, LedgerError> {
        read::rescan(&self.readers, release).await
    }

    async fn pins(&self, app: &AppName) -> Result<Vec<(String, Digest)>, LedgerError> {
        read::pins(&self.readers, app).await
    }

    async fn held_blobs(&self) -> Result<Vec<Digest>, LedgerError> {
        read::held_blobs(&self.readers).await
    }

    async fn blob_releases(&self, digest: &Digest) -> Result<Vec<BlobRelease>, LedgerError> {
        read::blob_releases(&self.readers, digest).await
    }

    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, LedgerError> {
        event_log::after(&self.readers, after, limit).await
    }

    async fn events_of(
        &self,
        app: Option<&AppName>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError> {
        event_log::of(&self.readers, app, after, limit).await
    }

    async fn entries(&self, after: u64, limit: u32) -> Result<Vec<Entry>, LedgerError> {
        event_log::entries(&self.readers, after, limit).await
    }

    async fn proof(&self, release: &ReleaseKey) -> Result<Option<Inclusion>, LedgerError> {
        read::proof(&self.readers, release).await
    }

    async fn unproven(&self) -> Result<Vec<(ReleaseKey, u64)>, LedgerError> {
        read::unproven(&self.readers).await
    }

    async fn stand_ins(&self) -> Result<Vec<(Owner, Digest)>, LedgerError> {
        read::stand_ins(&self.readers).await
    }
}

#[cfg(test)]
mod tests;
