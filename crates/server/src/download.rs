//! Fetches vulnerability data for the command line.

use std::fs;
use std::path::{Path, PathBuf};

use build::fetch::Fetcher;
use model::Failure;
use model::failure::FailureCode;

/// Where OSV publishes an archive for each ecosystem, below the ecosystem's name.
///
/// Source: OSV's documentation, "Data sources", "Data dumps".
pub const OSV: &str = "https://osv-vulnerabilities.storage.googleapis.com";

/// The largest archive that is fetched. Whole exports have some hundred megabytes.
const ARCHIVE_BYTES: u64 = 1 << 30;

/// The archive of one ecosystem below `from`, kept as a file in `folder`.
pub fn archive(from: &str, ecosystem: &str, folder: &Path) -> Result<PathBuf, Failure> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"._- ".contains(&b);
    if ecosystem.is_empty() || !ecosystem.bytes().all(is_plain) {
        let text = format!("`{ecosystem}` is no ecosystem");
        return Err(Failure::new(FailureCode::Usage, text)
            .hint("name it as OSV does: PyPI, npm, Debian, Go, crates.io"));
    }
    let name = ecosystem.replace(' ', "%20");
    let url = format!("{}/{name}/all.zip", from.trim_end_matches('/'));
    let bytes = Fetcher::of_machine().get(&url, ARCHIVE_BYTES);
    let bytes = bytes.map_err(|error| Failure::of(&error))?;
    let file = folder.join(format!("{ecosystem}.zip"));
    fs::write(&file, bytes).map_err(|error| {
        Failure::new(
            FailureCode::Machine,
            format!("`{}` cannot be written", file.display()),
        )
        .because(error.to_string())
        .hint("free some disk space, then run the command again")
    })?;
    Ok(file)
}
