//! Unpacks a hostile archive and looks at what it did.

use std::fs;
use std::io::Read;
use std::path::Path;

use build::layer::{Place, UnpackLimits, unpack_tar};

const LIMITS: UnpackLimits = UnpackLimits {
    bytes: 1 << 16,
    entries: 64,
};

/// Unpacks `archive` into a folder of its own.
///
/// # Panics
/// When something lies outside of it afterwards, or more than is allowed within.
pub(crate) fn unpacked(archive: impl Read) {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().join("root");
    fs::create_dir(&root).expect("a folder");
    let _ = unpack_tar(archive, &Place::new(&root), LIMITS, |path| {
        Some(path.to_owned())
    });
    assert_eq!(fs::read_dir(home.path()).expect("a folder").count(), 1);
    assert!(bytes(&root) <= LIMITS.bytes);
}

fn bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let size = |entry: fs::DirEntry| {
        let found = fs::symlink_metadata(entry.path()).expect("an entry");
        match (found.is_dir(), found.is_file()) {
            (true, _) => bytes(&entry.path()),
            (_, true) => found.len(),
            _ => 0,
        }
    };
    entries.map(size).sum()
}
