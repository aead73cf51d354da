//! The ledger in SQLite passes the ledger's contract.

use store::SqliteLedger;
use tempfile::TempDir;

async fn new_ledger() -> (SqliteLedger, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.db");
    let ledger = SqliteLedger::open(&path).await.expect("a ledger");
    (ledger, folder)
}

ports::ledger_contract!(new_ledger);
