//! How much of an image is looked at.

/// What a cataloguer may read. Each limit that is met becomes a problem of the inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files, folders and links that are listed.
    pub entries: usize,
    /// Folders within folders.
    pub depth: usize,
    /// Packages that are listed.
    pub packages: usize,
    /// The size of a file about one package: METADATA, package.json, copyright.
    pub file_bytes: usize,
    /// The size of a file about many packages: dpkg's status, lock files.
    pub list_bytes: usize,
    /// What is read of one program: its section table and build information.
    pub program_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            depth: 128,
            packages: 200_000,
            file_bytes: 2 << 20,
            list_bytes: 32 << 20,
            program_bytes: 4 << 20,
        }
    }
}
