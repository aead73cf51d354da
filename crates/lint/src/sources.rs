//! The files that are looked at, wherever they lie.

use std::io;
use std::path::PathBuf;

use model::digest::Digest;

/// One file of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Relative to the app's folder, `/`-separated.
    pub path: String,
    /// Of its content.
    pub size_bytes: u64,
    /// Of its content, where it is known already.
    pub digest: Option<Digest>,
    /// Whether it is part of the app's history; `None` where there is none. An `.env` that is not
    /// is where secrets belong.
    pub is_tracked: Option<bool>,
}

/// Where files come from.
pub trait Sources: Sync {
    /// Every file.
    fn list(&self) -> Vec<Listed>;
    /// The content of one.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// Files in memory.
#[derive(Debug, Clone, Default)]
pub struct InMemory(pub Vec<(String, Vec<u8>)>);

impl Sources for InMemory {
    fn list(&self) -> Vec<Listed> {
        let listed = self.0.iter().map(|(path, bytes)| Listed {
            path: path.clone(),
            size_bytes: bytes.len() as u64,
            digest: None,
            is_tracked: None,
        });
        listed.collect()
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(name, _)| name == path);
        found
            .map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// A list of files below a folder. Who made the list has decided what is part of the app.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The folder.
    pub root: PathBuf,
    /// Its files.
    pub files: Vec<Listed>,
}

impl Sources for Folder {
    fn list(&self) -> Vec<Listed> {
        self.files.clone()
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.root.join(path))
    }
}
