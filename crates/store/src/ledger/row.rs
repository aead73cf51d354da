//! How values stand in columns.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::str::FromStr;

use model::Timestamp;
use model::app::{App, Owner};
use model::exemption::GrantedExemption;
use model::release::{Release, ReleaseKey, ReleaseNumber};
use model::run::Run;
use ports::ledger::LedgerError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::failure::{broken, broken_by};

/// A moment as a column holds it: nanoseconds since 1970, good until the year 2262.
pub(crate) fn nanos(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

/// The moment in a column.
pub(crate) fn moment(nanos: i64) -> Result<Timestamp, LedgerError> {
    Timestamp::from_nanosecond(nanos.into()).map_err(broken_by)
}

/// A nested value as a column holds it.
pub(crate) fn json(value: &impl Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(broken_by)
}

/// The nested value in a column.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, LedgerError> {
    serde_json::from_str(text).map_err(broken_by)
}

/// The value in a column of text.
pub(crate) fn parsed<T>(text: &str) -> Result<T, LedgerError>
where
    T: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    text.parse().map_err(broken_by)
}

/// The text in a column.
pub(crate) fn text(row: &SqliteRow, column: &str) -> Result<String, LedgerError> {
    row.try_get(column).map_err(broken)
}

/// The number in a column.
pub(crate) fn number(row: &SqliteRow, column: &str) -> Result<i64, LedgerError> {
    row.try_get(column).map_err(broken)
}

/// The number in a column, as another type holds it.
pub(crate) fn small<T: TryFrom<i64, Error: std::error::Error + Send + Sync + 'static>>(
    row: &SqliteRow,
    column: &str,
) -> Result<T, LedgerError> {
    number(row, column)?.try_into().map_err(broken_by)
}

fn owner(row: &SqliteRow) -> Result<Owner, LedgerError> {
    let uid = small(row, "owner_uid")?;
    Ok(Owner { uid })
}

/// A number that counts releases.
pub(super) fn release_number(number: i64) -> Result<ReleaseNumber, LedgerError> {
    let number = u32::try_from(number).map_err(broken_by)?;
    Ok(ReleaseNumber::new(number))
}

/// An app of the table `apps`.
pub(super) fn app(row: &SqliteRow) -> Result<App, LedgerError> {
    let stable: Option<i64> = row.try_get("stable").map_err(broken)?;
    let destroyed: Option<i64> = row.try_get("destroyed_at").map_err(broken)?;
    let folder: Vec<u8> = row.try_get("folder").map_err(broken)?;
    Ok(App {
        name: parsed(&text(row, "name")?)?,
        owner: owner(row)?,
        folder: PathBuf::from(OsString::from_vec(folder)),
        local_port: small(row, "local_port")?,
        uid_slot: small(row, "uid_slot")?,
        created_at: moment(number(row, "created_at")?)?,
        stable: stable.map(release_number).transpose()?,
        destroyed_at: destroyed.map(moment).transpose()?,
    })
}

/// A run of the table `runs`.
pub(super) fn run(row: &SqliteRow) -> Result<Run, LedgerError> {
    let settled: Option<String> = row.try_get("settled").map_err(broken)?;
    Ok(Run {
        id: parsed(&text(row, "id")?)?,
        app: parsed(&text(row, "app")?)?,
        owner: owner(row)?,
        snapshot: parsed(&text(row, "snapshot")?)?,
        started_at: moment(number(row, "started_at")?)?,
        settled: settled.map(|settled| from_json(&settled)).transpose()?,
    })
}

/// A release of the table `releases`.
pub(super) fn release(row: &SqliteRow) -> Result<Release, LedgerError> {
    let expires: Option<i64> = row.try_get("expires_at").map_err(broken)?;
    let verification: Option<String> = row.try_get("verification").map_err(broken)?;
    Ok(Release {
        key: ReleaseKey {
            app: parsed(&text(row, "app")?)?,
            number: release_number(number(row, "number")?)?,
        },
        run: parsed(&text(row, "run")?)?,
        image: from_json(&text(row, "image_record")?)?,
        config: from_json(&text(row, "config")?)?,
        env_version: small(row, "env_version")?,
        verification: verification.map(|digest| parsed(&digest)).transpose()?,
        owner: owner(row)?,
        created_at: moment(number(row, "created_at")?)?,
        expires_at: expires.map(moment).transpose()?,
        phase: from_json(&text(row, "phase")?)?,
    })
}

/// An exemption of the table `exemptions`.
pub(super) fn exemption(row: &SqliteRow) -> Result<GrantedExemption, LedgerError> {
    let revoked: Option<i64> = row.try_get("revoked_at").map_err(broken)?;
    Ok(GrantedExemption {
        revoked_at: revoked.map(moment).transpose()?,
        ..from_json(&text(row, "record")?)?
    })
}

/// One entry of the table `blob_releases`.
pub(super) fn blob_release(row: &SqliteRow) -> Result<ports::ledger::BlobRelease, LedgerError> {
    Ok(ports::ledger::BlobRelease {
        holder: text(row, "holder")?,
        rule: text(row, "rule")?,
        at: moment(number(row, "released_at")?)?,
    })
}
