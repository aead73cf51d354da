//! Snapshots on disk: every file of one, in a folder that goes when it is dropped.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use model::snapshot::{Entry, Mode, Snapshot};
use ports::blob_store::{BlobError, BlobStore};
use ports::builder::Source;
use ports::checkout::{CheckedOut, Checkout};
use tempfile::TempDir;

/// Checks snapshots out below one folder.
pub struct DiskCheckout {
    root: PathBuf,
    blobs: Arc<dyn BlobStore>,
}

/// A snapshot's files.
struct Folder {
    source: Source,
    /// Removes the files when it is dropped.
    _files: TempDir,
}

impl CheckedOut for Folder {
    fn source(&self) -> &Source {
        &self.source
    }
}

impl DiskCheckout {
    /// Checks out below `root`, which is made when it is not there, for its owner's eyes only. What
    /// an earlier daemon left there is removed.
    pub fn open(root: &Path, blobs: Arc<dyn BlobStore>) -> io::Result<Self> {
        match fs::remove_dir_all(root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(root)?;
        fs::set_permissions(root, Permissions::from_mode(0o700))?;
        Ok(Self {
            root: root.to_owned(),
            blobs,
        })
    }

    async fn content(&self, entry: Entry) -> Result<(Entry, Bytes), BlobError> {
        let bytes = match &entry {
            Entry::File { digest, .. } => self.blobs.get(digest).await?,
            Entry::Link { .. } => Bytes::new(),
        };
        Ok((entry, bytes))
    }
}

#[async_trait]
impl Checkout for DiskCheckout {
    async fn check_out(&self, snapshot: Snapshot) -> Result<Box<dyn CheckedOut>, BlobError> {
        let files = TempDir::new_in(&self.root).map_err(BlobError::Io)?;
        for entry in &snapshot.entries {
            let (entry, bytes) = self.content(entry.clone()).await?;
            write(files.path(), &entry, &bytes).map_err(BlobError::Io)?;
        }
        let source = Source {
            snapshot,
            root: files.path().to_owned(),
        };
        Ok(Box::new(Folder {
            source,
            _files: files,
        }))
    }
}

/// Writes one entry. The paths of a snapshot are clean and none lies below a link, so nothing is
/// written outside of `root`.
fn write(root: &Path, entry: &Entry, content: &[u8]) -> io::Result<()> {
    let path = root.join(entry.path());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match entry {
        Entry::Link { target, .. } => symlink(target, path),
        Entry::File { mode, .. } => {
            let mode = match mode {
                Mode::Plain => 0o644,
                Mode::Executable => 0o755,
            };
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(path)?;
            file.write_all(content)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DiskBlobs;
    use model::Digest;
    use model::limits::SourceLimits;

    async fn snapshot(blobs: &DiskBlobs) -> Snapshot {
        let digest = blobs
            .put(Bytes::from_static(b"print(1)\n"))
            .await
            .expect("a blob");
        let file = |path: &str, mode| Entry::File {
            path: path.into(),
            digest,
            size_bytes: 9,
            mode,
        };
        let link = Entry::Link {
            path: "latest".into(),
            target: "src/a.py".into(),
        };
        let entries = vec![
            file("src/a.py", Mode::Plain),
            file("run", Mode::Executable),
            link,
        ];
        Snapshot::new(entries, vec![], &SourceLimits::default()).expect("a good snapshot")
    }

    #[tokio::test]
    async fn a_snapshot_is_on_disk_as_long_as_it_is_held() {
        let home = TempDir::new().expect("a folder");
        let blobs = DiskBlobs::open(&home.path().join("blobs")).expect("a store");
        let checkout = DiskCheckout::open(&home.path().join("sources"), Arc::new(blobs.clone()))
            .expect("a checkout");
        let held = checkout
            .check_out(snapshot(&blobs).await)
            .await
            .expect("the files");
        let root = held.source().root.clone();
        assert_eq!(
            fs::read(root.join("latest")).expect("the link's target"),
            b"print(1)\n"
        );
        let mode = fs::metadata(root.join("run"))
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
        drop(held);
        assert!(!root.exists());
    }

    #[tokio::test]
    async fn a_file_that_was_never_uploaded_is_named() {
        let home = TempDir::new().expect("a folder");
        let blobs = DiskBlobs::open(&home.path().join("blobs")).expect("a store");
        let checkout =
            DiskCheckout::open(&home.path().join("sources"), Arc::new(blobs)).expect("a checkout");
        let digest = Digest::of(b"never sent");
        let file = Entry::File {
            path: "a".into(),
            digest,
            size_bytes: 1,
            mode: Mode::Plain,
        };
        let snapshot =
            Snapshot::new(vec![file], vec![], &SourceLimits::default()).expect("a good snapshot");
        let missing = checkout.check_out(snapshot).await.err();
        assert!(
            matches!(missing, Some(BlobError::Missing(digest_missing)) if digest_missing == digest)
        );
    }
}
