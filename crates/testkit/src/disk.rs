//! A small disk of a test's own.

use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

/// A file system in memory whose size can be changed; unmounted with its value.
pub struct Disk(TempDir);

impl Disk {
    /// A disk of this size.
    pub fn of(bytes: u64) -> Self {
        let place = TempDir::with_prefix("mayfly-disk-").expect("a temporary folder");
        let disk = Self(place);
        disk.mount(MsFlags::empty(), bytes);
        disk
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Changes its size, so that this much is free.
    pub fn leave_free(&self, bytes: u64) {
        let used = statvfs(self.path()).expect("a mounted disk");
        let used = (used.blocks() - used.blocks_free()) * used.fragment_size();
        // A tmpfs whose size is 0 has no limit.
        self.mount(MsFlags::MS_REMOUNT, (used + bytes).max(1));
    }

    fn mount(&self, flags: MsFlags, bytes: u64) {
        let size = format!("size={bytes},mode=755");
        mount(
            Some("tmpfs"),
            self.path(),
            Some("tmpfs"),
            flags,
            Some(size.as_str()),
        )
        .expect("a file system in memory");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What still uses it keeps it until it ends.
        if let Err(error) = umount2(self.path(), MntFlags::MNT_DETACH) {
            eprintln!("`{}` stays mounted: {error}", self.path().display());
        }
    }
}
