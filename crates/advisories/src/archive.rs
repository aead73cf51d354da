//! Reads OSV's archives: one JSON file a record, all in one folder.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use crate::import::ImportError;

/// The largest archive.
const ARCHIVE_BYTES: u64 = 2 << 30;
/// The largest record.
const RECORD_BYTES: u64 = 16 << 20;
/// The most records of one archive.
const RECORDS: usize = 3_000_000;
/// Records compress well, but not better than this: what grows more was made to.
const GROWTH: u64 = 100;
/// What any archive may grow to.
const SMALL_BYTES: u64 = 64 << 20;

/// Calls `visit` with the name and content of each file.
pub(crate) fn visit(
    path: &Path,
    mut visit: impl FnMut(&str, &[u8]) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let unreadable = |cause| ImportError::Open {
        path: path.to_owned(),
        cause,
    };
    let damaged = |cause: String| ImportError::Damaged {
        path: path.to_owned(),
        cause,
    };
    let file = File::open(path).map_err(unreadable)?;
    let bytes = file.metadata().map_err(unreadable)?.len();
    let too_large = |what| ImportError::TooLarge {
        path: path.to_owned(),
        what,
    };
    if bytes > ARCHIVE_BYTES {
        return Err(too_large("the archive"));
    }
    let archive = ZipArchive::new(BufReader::new(file));
    let mut archive = archive.map_err(|error| damaged(error.to_string()))?;
    if archive.len() > RECORDS {
        return Err(too_large("its list of files"));
    }
    let mut left = SMALL_BYTES.max(bytes.saturating_mul(GROWTH));
    let mut content = Vec::new();
    for index in 0..archive.len() {
        let file = archive.by_index(index);
        let file = file.map_err(|error| damaged(error.to_string()))?;
        let name = file.name().to_owned();
        content.clear();
        let read = file.take(RECORD_BYTES + 1).read_to_end(&mut content);
        read.map_err(|error| damaged(format!("`{}`: {error}", name.escape_debug())))?;
        let length = content.len() as u64;
        if length > RECORD_BYTES {
            return Err(too_large("one of its records"));
        }
        left = left
            .checked_sub(length)
            .ok_or_else(|| too_large("what it unpacks to"))?;
        visit(&name, &content)?;
    }
    Ok(())
}
