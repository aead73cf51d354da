//! What folders hold on disk.

use std::collections::HashSet;
use std::os::fd::OwnedFd;

use rustix::fs::FileType;

use crate::copy::{kind, names, open_child, status};

/// How deep folders are measured.
const DEPTH: usize = 256;
/// The unit of a file's block count, whatever the file system's own. Source: stat(2).
const BLOCK_BYTES: u64 = 512;

/// A sum over folders. A file with several names counts once, holes do not count.
#[derive(Debug, Default)]
pub(crate) struct Measure {
    pub(crate) bytes: u64,
    linked: HashSet<(u64, u64)>,
}

impl Measure {
    /// Adds what is in `folder`. What goes away meanwhile or cannot be read counts nothing.
    pub(crate) fn add(&mut self, folder: &OwnedFd) {
        self.add_entries(folder, 0);
    }

    fn add_entries(&mut self, folder: &OwnedFd, depth: usize) {
        for name in names(folder).unwrap_or_default() {
            let Ok(Some(stat)) = status(folder, &name) else {
                continue;
            };
            let is_folder = kind(&stat) == FileType::Directory;
            let identity = (stat.st_dev, stat.st_ino);
            if is_folder || stat.st_nlink == 1 || self.linked.insert(identity) {
                self.bytes += stat.st_blocks as u64 * BLOCK_BYTES;
            }
            if is_folder
                && depth < DEPTH
                && let Ok(child) = open_child(folder, &name)
            {
                self.add_entries(&child, depth + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beneath::open_folder;

    #[test]
    fn a_file_with_two_names_counts_once() {
        let room = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(room.path().join("sub")).expect("a folder");
        std::fs::write(room.path().join("a"), vec![1; 100_000]).expect("a file");
        let size = || {
            let mut measure = Measure::default();
            measure.add(&open_folder(room.path()).expect("the folder"));
            measure.bytes
        };
        let before = size();
        assert!((100_000..200_000).contains(&before), "{before}");
        std::fs::hard_link(room.path().join("a"), room.path().join("sub/b")).expect("a link");
        assert_eq!(size(), before);
    }
}
