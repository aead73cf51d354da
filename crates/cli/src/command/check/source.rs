//! The files that a check reads: those of the folder as it is, or as it is about to be committed.

use std::collections::HashMap;
use std::io::{self, Read};

use model::Digest;
use model::snapshot::Entry;
use server::checks::{Listed, Sources};

use crate::folder::{self, FolderError, Reading, Root, repository};

/// More of one file is not asked for.
const LARGEST: u64 = 64 << 20;

/// A folder as it is.
pub(super) struct WorkingTree<'a> {
    root: &'a Root,
    listed: Vec<Listed>,
    digests: HashMap<String, Digest>,
}

impl<'a> WorkingTree<'a> {
    /// What the folder holds: all that `up` would take, and each `.env` that is part of the history.
    pub(super) fn of(root: &'a Root) -> Result<Self, FolderError> {
        let taken = folder::take(root, &Reading::within(Default::default()))?;
        let files = taken
            .snapshot
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::File {
                    path,
                    digest,
                    size_bytes,
                    ..
                } => Some((path.clone(), *digest, *size_bytes)),
                _ => None,
            });
        let mut listed = Vec::new();
        let mut digests = HashMap::new();
        for (path, digest, size_bytes) in files {
            digests.insert(path.clone(), digest);
            listed.push(Listed {
                path,
                size_bytes,
                digest: Some(digest),
                is_tracked: None,
            });
        }
        listed.extend(committed_env_files(root, &taken.env_files));
        Ok(Self {
            root,
            listed,
            digests,
        })
    }
}

fn committed_env_files(root: &Root, env_files: &[String]) -> Vec<Listed> {
    let tracked = match env_files {
        [] => None,
        some => repository::tracked(root.path(), some),
    };
    let tracked = tracked.into_iter().flatten();
    let listed = tracked.filter_map(|path| {
        let metadata = root
            .open_file(&path)
            .and_then(|file| file.metadata())
            .ok()?;
        Some(Listed {
            size_bytes: metadata.len(),
            path,
            digest: None,
            is_tracked: Some(true),
        })
    });
    listed.collect()
}

impl Sources for WorkingTree<'_> {
    fn list(&self) -> Vec<Listed> {
        self.listed.clone()
    }

    /// A file that is no longer what its digest says is not read: it would be known by the wrong one.
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let file = self.root.open_file(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        file.take(LARGEST).read_to_end(&mut bytes)?;
        match self.digests.get(path) {
            Some(digest) if Digest::of(&bytes) != *digest => {
                Err(io::Error::other("it changed while it was looked at"))
            }
            _ => Ok(bytes),
        }
    }
}
