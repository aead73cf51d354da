//! Tells the ledger's failures apart.

use std::error::Error;

use ports::ledger::LedgerError;

/// SQLite's result code for a full disk, or a full quota (sqlite3.h, SQLITE_FULL).
const SQLITE_FULL: &str = "13";

/// A failure that no caller caused.
pub(crate) fn broken(error: sqlx::Error) -> LedgerError {
    let full = |code: &str| code == SQLITE_FULL;
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref().is_some_and(full) {
        true => LedgerError::DiskFull,
        false => broken_by(error),
    }
}

/// A record that cannot be read back, or a file that cannot be touched.
pub(crate) fn broken_by(error: impl Error + Send + Sync + 'static) -> LedgerError {
    LedgerError::Broken(Box::new(error))
}

/// A row that could not be written: what it refers to is missing, or it contradicts another.
pub(super) fn refused(error: sqlx::Error, missing: &str, conflict: String) -> LedgerError {
    match error.as_database_error() {
        Some(e) if e.is_foreign_key_violation() => LedgerError::Missing(missing.to_owned()),
        Some(e) if e.is_unique_violation() => LedgerError::Conflict(conflict),
        _ => broken(error),
    }
}
