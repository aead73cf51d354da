//! The log of events: appended to in the transaction of the changes that made them.

use model::AppName;
use model::event::Event;
use ports::ledger::{Entry, LedgerError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::failure::{broken, broken_by};
use super::row;

/// The number of the newest event; 0 when there is none.
pub(super) async fn newest(connection: &mut SqliteConnection) -> Result<u64, LedgerError> {
    let newest: i64 = sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM events")
        .fetch_one(connection)
        .await
        .map_err(broken)?;
    newest.try_into().map_err(broken_by)
}

/// Appends one event, whose number is the next.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    event: &Event,
) -> Result<(), LedgerError> {
    let insert = "INSERT INTO events (seq, recorded_at, app, event, canonical)
        VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(insert)
        .bind(i64::try_from(event.seq).map_err(broken_by)?)
        .bind(row::nanos(event.at))
        .bind(event.app.as_ref().map_or("", AppName::as_str))
        .bind(kind(event)?)
        .bind(event.canonical_bytes())
        .execute(connection)
        .await
        .map_err(broken)?;
    Ok(())
}

/// What the event's JSON calls itself.
fn kind(event: &Event) -> Result<String, LedgerError> {
    let value = serde_json::to_value(&event.what).map_err(broken_by)?;
    let kind = value.get("event").and_then(|kind| kind.as_str());
    Ok(kind.unwrap_or_default().to_owned())
}

/// Events after `seq`, oldest first, as their canonical bytes tell them.
pub(super) async fn after(
    pool: &SqlitePool,
    seq: u64,
    limit: u32,
) -> Result<Vec<Event>, LedgerError> {
    let next = "SELECT canonical FROM events WHERE seq > $1 ORDER BY seq LIMIT $2";
    let found: Vec<Vec<u8>> = sqlx::query_scalar(next)
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(broken)?;
    let read = |bytes: &Vec<u8>| serde_json::from_slice(bytes).map_err(broken_by);
    found.iter().map(read).collect()
}

/// Events about one app, or about the server, after `seq`, oldest first.
pub(super) async fn of(
    pool: &SqlitePool,
    app: Option<&AppName>,
    seq: u64,
    limit: u32,
) -> Result<Vec<Event>, LedgerError> {
    let next = "SELECT canonical FROM events WHERE app = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    let found: Vec<Vec<u8>> = sqlx::query_scalar(next)
        .bind(app.map_or("", AppName::as_str))
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(broken)?;
    let read = |bytes: &Vec<u8>| serde_json::from_slice(bytes).map_err(broken_by);
    found.iter().map(read).collect()
}

/// The bytes of events after `seq`, as they were written.
pub(super) async fn entries(
    pool: &SqlitePool,
    seq: u64,
    limit: u32,
) -> Result<Vec<Entry>, LedgerError> {
    let next = "SELECT seq, recorded_at, app, event, canonical FROM events
        WHERE seq > $1 ORDER BY seq LIMIT $2";
    let found = sqlx::query(next)
        .bind(i64::try_from(seq).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .map_err(broken)?;
    found.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<Entry, LedgerError> {
    let canonical: Vec<u8> = row.try_get("canonical").map_err(broken)?;
    Ok(Entry {
        seq: row::small(row, "seq")?,
        at: row::moment(row::number(row, "recorded_at")?)?,
        app: row::text(row, "app")?,
        kind: row::text(row, "event")?,
        text: String::from_utf8_lossy(&canonical).into_owned(),
    })
}
