//! Opens the file, and brings it to the schema that this mayfly knows.

use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ports::ledger::LedgerError;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::SqliteLedger;
use super::failure::{broken, broken_by};

/// Every step of the schema, in order; a step that was released never changes.
pub(super) static MIGRATIONS: Migrator = sqlx::migrate!();

/// How many readers may read at once; each is a thread and a page cache.
const MAX_READERS: u32 = 3;
/// The page cache of a connection, in KiB; SQLite takes negative numbers for these.
const CACHE_KIB: &str = "-1024";

/// Opens the ledger at `path` with the schema that `migrations` leads to.
pub(super) async fn open(path: &Path, migrations: &Migrator) -> Result<SqliteLedger, LedgerError> {
    make_private(path).map_err(broken_by)?;
    let options = options(path);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await
        .map_err(broken)?;
    if let Err(error) = migrate(path, &writer, migrations).await {
        writer.close().await;
        return Err(error);
    }
    flush_folder(path).map_err(broken_by)?;
    let readers = SqlitePoolOptions::new()
        .max_connections(MAX_READERS)
        .idle_timeout(Duration::from_secs(60))
        .test_before_acquire(false)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(SqliteLedger { writer, readers })
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // Each commit reaches the disk before it is acknowledged.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("cache_size", CACHE_KIB)
        // Secrets that were removed are overwritten.
        .pragma("secure_delete", "ON")
}

/// Makes the file before SQLite does, so that nobody else can open it in between. Its journals
/// take over its mode.
fn make_private(path: &Path) -> io::Result<()> {
    let mut create = OpenOptions::new();
    create.append(true).create(true).mode(0o600).open(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))
}

fn flush_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| folder != &Path::new(""));
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

async fn migrate(
    path: &Path,
    writer: &SqlitePool,
    migrations: &Migrator,
) -> Result<(), LedgerError> {
    let found = version(writer).await?;
    let known = migrations.iter().map(|step| step.version).max();
    let known = known.unwrap_or(0);
    if found > known {
        return Err(LedgerError::Newer { found, known });
    }
    if found == known {
        return Ok(());
    }
    if found > 0 {
        keep_copy(path, writer, known).await?;
    }
    migrations.run(writer).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => broken(error),
        other => broken_by(other),
    })
}

/// The schema's version; 0 when the file is new.
async fn version(writer: &SqlitePool) -> Result<i64, LedgerError> {
    let table = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(table)
        .fetch_one(writer)
        .await
        .map_err(broken)?;
    if tables == 0 {
        return Ok(0);
    }
    let newest = "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations";
    sqlx::query_scalar(newest)
        .fetch_one(writer)
        .await
        .map_err(broken)
}

/// Writes the whole ledger, its journal included, to `<name>.before-<version>`. A copy that an
/// interrupted attempt left is written anew.
async fn keep_copy(path: &Path, writer: &SqlitePool, version: i64) -> Result<(), LedgerError> {
    let copy = copy_path(path, version);
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(broken_by(error)),
        _ => {}
    }
    make_private(&copy).map_err(broken_by)?;
    sqlx::query("VACUUM INTO $1")
        .bind(copy.to_string_lossy())
        .execute(writer)
        .await
        .map_err(broken)?;
    let copied = fs::File::open(&copy).and_then(|file| file.sync_all());
    copied.and_then(|()| flush_folder(path)).map_err(broken_by)
}

fn copy_path(path: &Path, version: i64) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".before-{version}"));
    path.with_file_name(name)
}
