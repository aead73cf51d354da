//! Apps: created, taken over, destroyed, restored, removed; and their `.env` values.

use std::os::unix::ffi::OsStrExt;

use model::app::App;
use model::env::SecretEnv;
use model::event::Happening;
use model::{AppName, Timestamp};
use ports::ledger::LedgerError;

use super::super::failure::{broken, refused};
use super::super::row;
use super::{Writing, app_words};

/// The rule by which a removed app lets go of its blobs.
const REMOVED: &str = "the app was removed";

impl Writing {
    pub(super) async fn app_created(&mut self, app: App) -> Result<(), LedgerError> {
        let insert = "INSERT INTO apps
            (name, owner_uid, folder, local_port, uid_slot, created_at, stable, destroyed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let inserted = sqlx::query(insert)
            .bind(app.name.as_str())
            .bind(i64::from(app.owner.uid))
            .bind(app.folder.as_os_str().as_bytes())
            .bind(i64::from(app.local_port))
            .bind(i64::from(app.uid_slot))
            .bind(row::nanos(app.created_at))
            .bind(app.stable.map(|number| i64::from(number.get())))
            .bind(app.destroyed_at.map(row::nanos))
            .execute(self.connection())
            .await;
        inserted.map_err(|error| refused(error, &app_words(&app.name), taken(&app)))?;
        self.tell(app.name, Happening::AppCreated).await
    }

    /// What serves stays: which release is stable is the rollout's to say.
    pub(super) async fn app_taken_over(&mut self, app: App) -> Result<(), LedgerError> {
        let update = "UPDATE apps SET owner_uid = $2, folder = $3, local_port = $4,
            uid_slot = $5, destroyed_at = $6 WHERE name = $1";
        let updated = sqlx::query(update)
            .bind(app.name.as_str())
            .bind(i64::from(app.owner.uid))
            .bind(app.folder.as_os_str().as_bytes())
            .bind(i64::from(app.local_port))
            .bind(i64::from(app.uid_slot))
            .bind(app.destroyed_at.map(row::nanos))
            .execute(self.connection())
            .await;
        let missing = app_words(&app.name);
        let updated = updated.map_err(|error| refused(error, &missing, taken(&app)))?;
        if updated.rows_affected() == 0 {
            return Err(LedgerError::Missing(missing));
        }
        self.tell(app.name, Happening::AppTakenOver).await
    }

    /// Twice has the effect of once; the first moment stays.
    pub(super) async fn app_destroyed(
        &mut self,
        app: AppName,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let update = "UPDATE apps SET destroyed_at = $2 WHERE name = $1 AND destroyed_at IS NULL";
        let updated = sqlx::query(update)
            .bind(app.as_str())
            .bind(row::nanos(at))
            .execute(self.connection())
            .await
            .map_err(broken)?;
        match updated.rows_affected() {
            0 => self.require_app(&app).await,
            _ => self.tell(app, Happening::Destroyed).await,
        }
    }

    /// Twice has the effect of once.
    pub(super) async fn app_restored(&mut self, app: AppName) -> Result<(), LedgerError> {
        let update =
            "UPDATE apps SET destroyed_at = NULL WHERE name = $1 AND destroyed_at IS NOT NULL";
        let updated = sqlx::query(update)
            .bind(app.as_str())
            .execute(self.connection())
            .await
            .map_err(broken)?;
        match updated.rows_affected() {
            0 => self.require_app(&app).await,
            _ => self.tell(app, Happening::Restored).await,
        }
    }

    /// Its runs, releases, values and pins go with its row.
    pub(super) async fn app_removed(&mut self, app: AppName) -> Result<(), LedgerError> {
        self.require_app(&app).await?;
        self.let_go_of_all(&app, REMOVED).await?;
        sqlx::query("DELETE FROM apps WHERE name = $1")
            .bind(app.as_str())
            .execute(self.connection())
            .await
            .map_err(broken)?;
        self.tell(app, Happening::Removed).await
    }

    pub(super) async fn env_set(
        &mut self,
        app: AppName,
        version: u32,
        values: &SecretEnv,
    ) -> Result<(), LedgerError> {
        let conflict =
            || format!("version {version} of `{app}`'s .env values does not follow the last");
        // No row when the version is not the next.
        let insert = "INSERT INTO env_sets (app, version, secrets)
            SELECT $1, $2, $3 WHERE $2 =
            (SELECT COALESCE(MAX(version), 0) + 1 FROM env_sets WHERE app = $1)";
        let inserted = sqlx::query(insert)
            .bind(app.as_str())
            .bind(i64::from(version))
            .bind(row::json(values)?)
            .execute(self.connection())
            .await
            .map_err(|error| refused(error, &app_words(&app), conflict()))?;
        if inserted.rows_affected() == 0 {
            return Err(LedgerError::Conflict(conflict()));
        }
        self.tell(app, Happening::EnvSet { version }).await
    }

    /// Fails when there is no such app.
    pub(super) async fn require_app(&mut self, app: &AppName) -> Result<(), LedgerError> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM apps WHERE name = $1")
            .bind(app.as_str())
            .fetch_optional(self.connection())
            .await
            .map_err(broken)?;
        let missing = || LedgerError::Missing(app_words(app));
        found.map(drop).ok_or_else(missing)
    }
}

fn taken(app: &App) -> String {
    let (name, slot) = (&app.name, app.uid_slot);
    format!("there is an app `{name}` already, or another one has the range of user ids {slot}")
}
