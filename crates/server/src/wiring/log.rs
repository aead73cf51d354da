//! The transparency log, opened; written again from the ledger when its files are damaged.

use std::path::Path;

use attest::log::Log;
use attest::{LogKey, TileLog};
use model::Failure;
use ports::{Ledger, LogError};

/// How many entries are read at once.
const AT_ONCE: u32 = 1000;

/// Opens the log in `folder`. Files that are damaged are written again from the ledger's events,
/// when these are what the log's last checkpoint promised; else nothing is written, and it fails.
pub(super) async fn open(
    folder: &Path,
    key: LogKey,
    ledger: &dyn Ledger,
) -> Result<TileLog, Failure> {
    let opened = Log::open(folder, key.clone());
    let log = match opened {
        Err(error @ LogError::Damaged { .. }) => {
            tracing::warn!(%error, "the log is written again from the ledger");
            let entries = entries(ledger).await?;
            Log::rebuild(folder, key, &entries).map_err(|error| Failure::of(&error))?
        }
        opened => opened.map_err(|error| Failure::of(&error))?,
    };
    Ok(TileLog::new(log))
}

async fn entries(ledger: &dyn Ledger) -> Result<Vec<String>, Failure> {
    let mut all = Vec::new();
    loop {
        let next = ledger.entries(all.len() as u64, AT_ONCE).await;
        let next = next.map_err(|error| Failure::of(&error))?;
        if next.is_empty() {
            return Ok(all);
        }
        all.extend(next.into_iter().map(|entry| entry.text));
    }
}
