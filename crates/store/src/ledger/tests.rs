//! What only the ledger in SQLite does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::app::{App, Owner};
use model::failure::{FailureCode, Remedy};
use ports::ledger::{Change, Ledger, LedgerError};
use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;

use super::{SqliteLedger, schema};

struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn open(&self) -> Result<SqliteLedger, LedgerError> {
        SqliteLedger::open(&self.file("ledger.db")).await
    }
}

fn created(name: &str, uid_slot: u32) -> Vec<Change> {
    vec![Change::AppCreated(App {
        name: name.parse().expect("a good name"),
        owner: Owner { uid: 1000 },
        folder: "/home/someone/shop".into(),
        local_port: 4000,
        uid_slot,
        created_at: Timestamp::UNIX_EPOCH,
        stable: None,
        destroyed_at: None,
    })]
}

async fn create(ledger: &SqliteLedger, name: &str, uid_slot: u32) -> Result<(), LedgerError> {
    let now = Timestamp::UNIX_EPOCH;
    ledger.record(now, created(name, uid_slot)).await.map(drop)
}

async fn run_sql(ledger: &SqliteLedger, sql: &str) -> Result<(), sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(sql)).execute(&ledger.writer);
    done.await.map(drop)
}

async fn pragma(pool: &sqlx::SqlitePool, name: &str) -> String {
    let sql = AssertSqlSafe(format!("PRAGMA {name}"));
    let row = sqlx::query(sql).fetch_one(pool).await.expect("a row");
    row.try_get::<String, _>(0)
        .or_else(|_| row.try_get::<i64, _>(0).map(|number| number.to_string()))
        .expect("a value")
}

#[tokio::test]
async fn what_is_acknowledged_reaches_the_disk_and_references_are_checked() {
    let home = Home::new();
    let ledger = home.open().await.expect("a ledger");
    for (name, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "2"),
        ("foreign_keys", "1"),
        ("secure_delete", "1"),
    ] {
        assert_eq!(pragma(&ledger.writer, name).await, value, "{name}");
    }
    assert_eq!(pragma(&ledger.readers, "query_only").await, "1");
}

#[tokio::test]
async fn the_ledger_and_its_journal_are_for_their_owners_eyes_only() {
    let home = Home::new();
    fs::write(home.file("ledger.db"), b"").expect("written");
    let loose = fs::Permissions::from_mode(0o644);
    fs::set_permissions(home.file("ledger.db"), loose).expect("set");
    let ledger = home.open().await.expect("a ledger");
    create(&ledger, "shop", 1).await.expect("recorded");
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let mode = fs::metadata(home.file(name)).expect(name).permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn what_was_recorded_is_there_after_the_ledger_was_opened_again() {
    let home = Home::new();
    let ledger = home.open().await.expect("a ledger");
    create(&ledger, "shop", 1).await.expect("recorded");
    let before = ledger.events(0, 9).await.expect("events");
    ledger.close().await;
    let ledger = home.open().await.expect("opened again");
    assert_eq!(ledger.events(0, 9).await.expect("events"), before);
    assert_eq!(ledger.apps().await.expect("apps").len(), 1);
    assert!(!home.file(&copy_name()).exists());
}

#[tokio::test]
async fn a_ledger_of_a_newer_mayfly_is_left_alone() {
    let home = Home::new();
    let ledger = home.open().await.expect("a ledger");
    let bump = "INSERT INTO _sqlx_migrations
        (version, description, success, checksum, execution_time)
        VALUES (99, 'of the future', TRUE, X'00', 1)";
    run_sql(&ledger, bump).await.expect("bumped");
    ledger.close().await;
    let error = home.open().await.expect_err("too new");
    let known = schema::MIGRATIONS.iter().map(|step| step.version).max();
    match &error {
        LedgerError::Newer {
            found: 99,
            known: k,
        } => assert_eq!(Some(*k), known),
        other => panic!("a newer ledger was expected, not {other:?}"),
    }
    assert_eq!(error.code(), FailureCode::LedgerVersion);
}

/// What the copy of a ledger is called that is brought up to date.
fn copy_name() -> String {
    let newest = schema::MIGRATIONS.iter().map(|step| step.version).max();
    format!("ledger.db.before-{}", newest.expect("a schema"))
}

/// A ledger as a mayfly opens it that knows the first step of the schema only.
async fn open_old(path: &Path) -> SqliteLedger {
    let steps = schema::MIGRATIONS.iter().take(1).cloned().collect();
    let first = sqlx::migrate::Migrator::with_migrations(steps);
    schema::open(path, &first).await.expect("an old ledger")
}

#[tokio::test]
async fn an_older_ledger_is_brought_up_to_date_and_a_copy_is_kept() {
    let home = Home::new();
    let path = home.file("ledger.db");
    let old = open_old(&path).await;
    create(&old, "shop", 1).await.expect("recorded");
    old.close().await;
    let copy = home.file(&copy_name());
    // What an attempt that was killed left behind.
    fs::write(&copy, b"half a copy").expect("written");

    let ledger = home.open().await.expect("brought up to date");
    assert_eq!(ledger.apps().await.expect("apps").len(), 1);
    run_sql(&ledger, "DELETE FROM events")
        .await
        .expect_err("the new schema's trigger");
    let mode = fs::metadata(&copy).expect("a copy").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let old = open_old(&copy).await;
    assert_eq!(old.events(0, 9).await.expect("events").len(), 1);
    run_sql(&old, "DELETE FROM events")
        .await
        .expect("the old schema has no trigger");
}

#[tokio::test]
async fn nothing_changes_an_event() {
    let home = Home::new();
    let ledger = home.open().await.expect("a ledger");
    create(&ledger, "shop", 1).await.expect("recorded");
    for sql in [
        "UPDATE events SET app = 'other'",
        "DELETE FROM events",
        "INSERT INTO events VALUES (7, 0, 'shop', 'removed', X'7B7D')",
        "INSERT OR REPLACE INTO events VALUES (1, 0, 'shop', 'removed', X'7B7D')",
    ] {
        assert!(run_sql(&ledger, sql).await.is_err(), "{sql}");
    }
    assert_eq!(ledger.events(0, 9).await.expect("events").len(), 1);
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_ledger_goes_on_when_there_is_room() {
    let home = Home::new();
    let ledger = home.open().await.expect("a ledger");
    create(&ledger, "shop", 1).await.expect("recorded");
    let pages = pragma(&ledger.writer, "page_count").await;
    let limit = format!("PRAGMA max_page_count = {pages}");
    run_sql(&ledger, &limit).await.expect("limited");
    let mut refused = None;
    for slot in 2..2000 {
        if let Err(error) = create(&ledger, &format!("app-{slot}"), slot).await {
            refused = Some(error);
            break;
        }
    }
    let refused = refused.expect("the limit is reached");
    assert!(matches!(refused, LedgerError::DiskFull), "{refused:?}");
    assert!(refused.hint().is_some());

    let before = ledger.events(0, 5000).await.expect("events").len();
    run_sql(&ledger, "PRAGMA max_page_count = 100000")
        .await
        .expect("room");
    create(&ledger, "late", 9000).await.expect("recorded");
    let after = ledger.events(0, 5000).await.expect("events");
    assert_eq!(after.len(), before + 1);
}

#[tokio::test]
async fn a_call_that_is_given_up_half_way_leaves_nothing() {
    let home = Home::new();
    let ledger = home.open().await.expect("a ledger");
    for slot in 1..40u32 {
        let name = format!("app-{slot}");
        let call = create(&ledger, &name, slot);
        let patience = std::time::Duration::from_micros(u64::from(slot) * 40);
        let _ = tokio::time::timeout(patience, call).await;
    }
    let apps = ledger.apps().await.expect("apps").len();
    let events = ledger.events(0, 100).await.expect("events");
    assert_eq!(apps, events.len());
    create(&ledger, "last", 99).await.expect("recorded");
}

#[tokio::test]
async fn a_file_that_is_no_ledger_is_told_as_such() {
    let home = Home::new();
    fs::write(home.file("ledger.db"), [b'x'; 4096]).expect("written");
    let error = home.open().await.expect_err("no ledger");
    assert!(matches!(error, LedgerError::Broken(_)), "{error:?}");
}
