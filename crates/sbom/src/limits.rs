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
    /// Dependencies that packages may name, all together.
    pub needs: usize,
    /// Texts of licences and targets of links that are kept, all together.
    pub kept_bytes: usize,
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
            entries: 1_000_000,
            depth: 128,
            packages: 100_000,
            needs: 500_000,
            kept_bytes: 16 << 20,
            file_bytes: 2 << 20,
            list_bytes: 16 << 20,
            program_bytes: 4 << 20,
        }
    }
}
