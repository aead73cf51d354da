//! What holds now.

use model::app::{App, Owner};
use model::env::SecretEnv;
use model::event::stand_in;
use model::evidence::Evidence;
use model::exemption::GrantedExemption;
use model::release::{Release, ReleaseKey, ReleaseNumber};
use model::run::Run;
use model::transparency::Inclusion;
use model::{AppName, Digest, RunId};
use ports::ledger::{BlobRelease, LedgerError};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::failure::{broken, broken_by};
use super::row;

/// What a query found, each row read by `read`.
fn each<T>(
    rows: Result<Vec<SqliteRow>, sqlx::Error>,
    read: impl Fn(&SqliteRow) -> Result<T, LedgerError>,
) -> Result<Vec<T>, LedgerError> {
    rows.map_err(broken)?.iter().map(read).collect()
}

/// Every app, by name.
pub(super) async fn apps(pool: &SqlitePool) -> Result<Vec<App>, LedgerError> {
    let rows = sqlx::query("SELECT * FROM apps ORDER BY name");
    each(rows.fetch_all(pool).await, row::app)
}

/// One app.
pub(super) async fn app(pool: &SqlitePool, name: &AppName) -> Result<Option<App>, LedgerError> {
    let found = sqlx::query("SELECT * FROM apps WHERE name = $1")
        .bind(name.as_str())
        .fetch_optional(pool)
        .await;
    found.map_err(broken)?.as_ref().map(row::app).transpose()
}

/// An app's releases, newest first.
pub(super) async fn releases(
    pool: &SqlitePool,
    app: &AppName,
) -> Result<Vec<Release>, LedgerError> {
    let rows = sqlx::query("SELECT * FROM releases WHERE app = $1 ORDER BY number DESC");
    each(rows.bind(app.as_str()).fetch_all(pool).await, row::release)
}

/// One release.
pub(super) async fn release(
    pool: &SqlitePool,
    key: &ReleaseKey,
) -> Result<Option<Release>, LedgerError> {
    let found = sqlx::query("SELECT * FROM releases WHERE app = $1 AND number = $2")
        .bind(key.app.as_str())
        .bind(i64::from(key.number.get()))
        .fetch_optional(pool)
        .await;
    let found = found.map_err(broken)?;
    found.as_ref().map(row::release).transpose()
}

/// The number after the newest release's.
pub(super) async fn next_release(
    pool: &SqlitePool,
    app: &AppName,
) -> Result<ReleaseNumber, LedgerError> {
    let newest = sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) FROM releases WHERE app = $1")
        .bind(app.as_str())
        .fetch_one(pool)
        .await;
    let newest: i64 = newest.map_err(broken)?;
    row::release_number(newest + 1)
}

/// An app's newest runs, newest first.
pub(super) async fn runs(
    pool: &SqlitePool,
    app: &AppName,
    limit: u32,
) -> Result<Vec<Run>, LedgerError> {
    let newest = "SELECT * FROM runs WHERE app = $1 ORDER BY started_at DESC, id DESC LIMIT $2";
    let rows = sqlx::query(newest)
        .bind(app.as_str())
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await;
    each(rows, row::run)
}

/// Runs that never ended, oldest first.
pub(super) async fn unsettled_runs(pool: &SqlitePool) -> Result<Vec<Run>, LedgerError> {
    let rows = sqlx::query("SELECT * FROM runs WHERE settled IS NULL ORDER BY started_at, id");
    each(rows.fetch_all(pool).await, row::run)
}

/// What a run's stages recorded.
pub(super) async fn evidence(pool: &SqlitePool, run: RunId) -> Result<Vec<Evidence>, LedgerError> {
    let records = sqlx::query_scalar("SELECT record FROM evidence WHERE run = $1 ORDER BY seq")
        .bind(run.to_string())
        .fetch_all(pool)
        .await;
    let records: Vec<String> = records.map_err(broken)?;
    records.iter().map(|text| row::from_json(text)).collect()
}

/// What was ever let pass for an app, oldest first.
pub(super) async fn exemptions(
    pool: &SqlitePool,
    app: &AppName,
) -> Result<Vec<GrantedExemption>, LedgerError> {
    let rows =
        sqlx::query("SELECT record, revoked_at FROM exemptions WHERE app = $1 ORDER BY rowid")
            .bind(app.as_str())
            .fetch_all(pool)
            .await;
    each(rows, row::exemption)
}

/// The last rescan of a release.
pub(super) async fn rescan(
    pool: &SqlitePool,
    key: &ReleaseKey,
) -> Result<Option<Digest>, LedgerError> {
    let found = sqlx::query_scalar("SELECT evidence FROM rescans WHERE app = $1 AND number = $2")
        .bind(key.app.as_str())
        .bind(i64::from(key.number.get()))
        .fetch_optional(pool)
        .await;
    let found: Option<String> = found.map_err(broken)?;
    found.map(|text| row::parsed(&text)).transpose()
}

/// One set of `.env` values.
pub(super) async fn env(
    pool: &SqlitePool,
    app: &AppName,
    version: u32,
) -> Result<SecretEnv, LedgerError> {
    if version == 0 {
        return Ok(SecretEnv::default());
    }
    let found = sqlx::query_scalar("SELECT secrets FROM env_sets WHERE app = $1 AND version = $2")
        .bind(app.as_str())
        .bind(i64::from(version))
        .fetch_optional(pool)
        .await;
    let found: Option<String> = found.map_err(broken)?;
    let missing = || LedgerError::Missing(format!("version {version} of `{app}`'s .env values"));
    row::from_json(&found.ok_or_else(missing)?)
}

/// The newest version of an app's `.env` values.
pub(super) async fn env_version(pool: &SqlitePool, app: &AppName) -> Result<u32, LedgerError> {
    let newest =
        sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM env_sets WHERE app = $1")
            .bind(app.as_str())
            .fetch_one(pool)
            .await;
    let newest: i64 = newest.map_err(broken)?;
    newest.try_into().map_err(broken_by)
}

/// An app's pinned inputs, by name.
pub(super) async fn pins(
    pool: &SqlitePool,
    app: &AppName,
) -> Result<Vec<(String, Digest)>, LedgerError> {
    let rows = sqlx::query_as("SELECT name, blob FROM pins WHERE app = $1 ORDER BY name")
        .bind(app.as_str())
        .fetch_all(pool)
        .await;
    let rows: Vec<(String, String)> = rows.map_err(broken)?;
    let pin = |(name, blob): (String, String)| Ok((name, row::parsed(&blob)?));
    rows.into_iter().map(pin).collect()
}

/// Every blob that is held, pinned, or linked by a repository.
pub(super) async fn held_blobs(pool: &SqlitePool) -> Result<Vec<Digest>, LedgerError> {
    let held = "SELECT digest FROM blob_holds UNION SELECT blob FROM pins
        UNION SELECT blob FROM registry_blobs UNION SELECT blob FROM registry_manifests
        ORDER BY 1";
    let held: Result<Vec<String>, _> = sqlx::query_scalar(held).fetch_all(pool).await;
    let held = held.map_err(broken)?;
    held.iter().map(|text| row::parsed(text)).collect()
}

/// Who let go of a blob, oldest first.
pub(super) async fn blob_releases(
    pool: &SqlitePool,
    digest: &Digest,
) -> Result<Vec<BlobRelease>, LedgerError> {
    let all = "SELECT holder, rule, released_at FROM blob_releases
        WHERE digest = $1 ORDER BY released_at, holder";
    let rows = sqlx::query(all).bind(digest.to_string()).fetch_all(pool);
    each(rows.await, row::blob_release)
}

/// What proves that the log has a release.
pub(super) async fn proof(
    pool: &SqlitePool,
    key: &ReleaseKey,
) -> Result<Option<Inclusion>, LedgerError> {
    let find = "SELECT inclusion FROM release_proofs WHERE app = $1 AND number = $2";
    let found = sqlx::query_scalar(find)
        .bind(key.app.as_str())
        .bind(i64::from(key.number.get()))
        .fetch_optional(pool)
        .await;
    let found: Option<String> = found.map_err(broken)?;
    found.map(|text| row::from_json(&text)).transpose()
}

/// Verified releases without a proof, with the number of their event.
pub(super) async fn unproven(pool: &SqlitePool) -> Result<Vec<(ReleaseKey, u64)>, LedgerError> {
    let find = "SELECT releases.app, releases.number, releases.seq FROM releases
        LEFT JOIN release_proofs AS proofs
            ON proofs.app = releases.app AND proofs.number = releases.number
        WHERE proofs.app IS NULL AND releases.verification IS NOT NULL ORDER BY releases.seq";
    each(sqlx::query(find).fetch_all(pool).await, |row| {
        let key = ReleaseKey {
            app: row::parsed(&row::text(row, "app")?)?,
            number: row::release_number(row::number(row, "number")?)?,
        };
        Ok((key, row::small(row, "seq")?))
    })
}

/// Who stands behind the hashes in events, as far as anybody still knows.
pub(super) async fn stand_ins(pool: &SqlitePool) -> Result<Vec<(Owner, Digest)>, LedgerError> {
    let rows = sqlx::query("SELECT uid, salt FROM stand_ins ORDER BY uid");
    each(rows.fetch_all(pool).await, |row| {
        let uid = row::small(row, "uid")?;
        let salt = row::parsed(&row::text(row, "salt")?)?;
        Ok((Owner { uid }, stand_in(&salt, Owner { uid })))
    })
}
