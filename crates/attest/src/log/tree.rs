//! The tree's hashes: those of a batch that is being added, and those that tiles hold.

use tlog_tiles::{Error, Hash, HashReader, stored_hash_count, stored_hashes};

/// A tree that grows in memory, over one that is stored.
pub(super) struct Growing<'a, R> {
    below: &'a R,
    /// The first hash that is not stored.
    base: u64,
    size: u64,
    fresh: Vec<Hash>,
}

impl<'a, R: HashReader> Growing<'a, R> {
    /// Over a stored tree of `size` entries.
    pub(super) fn over(below: &'a R, size: u64) -> Self {
        Self {
            below,
            base: stored_hash_count(size),
            size,
            fresh: Vec::new(),
        }
    }

    /// Adds an entry.
    pub(super) fn push(&mut self, entry: &str) -> Result<(), Error> {
        let hashes = stored_hashes(self.size, entry.as_bytes(), self)?;
        self.fresh.extend(hashes);
        self.size += 1;
        Ok(())
    }
}

impl<R: HashReader> HashReader for Growing<'_, R> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let one = |index: &u64| match index.checked_sub(self.base) {
            Some(at) => (usize::try_from(at).ok())
                .and_then(|at| self.fresh.get(at).copied())
                .ok_or(Error::IndexesNotInTree),
            None => (self.below.read_hashes(&[*index])?)
                .pop()
                .ok_or(Error::IndexesNotInTree),
        };
        indexes.iter().map(one).collect()
    }
}

/// A tree without entries.
pub(super) struct Empty;

impl HashReader for Empty {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        match indexes {
            [] => Ok(Vec::new()),
            _ => Err(Error::IndexesNotInTree),
        }
    }
}
