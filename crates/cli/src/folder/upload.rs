//! Sending the daemon what it lacks of a snapshot.

use std::collections::{HashMap, HashSet};

use api::client::BATCH_BYTES;
use api::{Client, ClientError};
use bytes::Bytes;
use model::Digest;
use model::failure::Failure;
use model::snapshot::{Entry, Snapshot};

use super::root::Root;
use super::{FolderError, read};

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The snapshot's identity, as the daemon has it.
    pub(crate) snapshot: Digest,
    /// How many files.
    pub(crate) files: usize,
}

/// Why a snapshot could not be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// A file is no longer what it was when the snapshot was taken.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The daemon did not take it.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl From<UploadError> for Failure {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Folder(error) => error.into(),
            UploadError::Client(error) => error.into(),
        }
    }
}

/// Announces `snapshot` and sends the files that the daemon lacks, a few megabytes at a time. Each
/// is hashed once more: one that changed since is [`FolderError::Changes`].
pub(crate) async fn send(
    client: &mut Client,
    root: &Root,
    snapshot: &Snapshot,
) -> Result<Sent, UploadError> {
    let answer = client.announce(snapshot).await?;
    let places = places(snapshot);
    let missing: HashSet<Digest> = answer.missing.into_iter().collect();
    let mut batch = Batch::default();
    for digest in &missing {
        let Some((path, size_bytes)) = places.get(digest) else {
            continue; // The daemon asked for what was never announced.
        };
        if batch.bytes + size_bytes > BATCH_BYTES as u64 {
            batch.send(client).await?;
        }
        batch.add(*digest, reread(root, path, digest, *size_bytes)?);
    }
    batch.send(client).await?;
    Ok(Sent {
        snapshot: answer.snapshot,
        files: missing.len(),
    })
}

#[derive(Default)]
struct Batch {
    blobs: Vec<(Digest, Bytes)>,
    bytes: u64,
}

impl Batch {
    fn add(&mut self, digest: Digest, content: Bytes) {
        self.bytes += content.len() as u64;
        self.blobs.push((digest, content));
    }

    async fn send(&mut self, client: &mut Client) -> Result<(), ClientError> {
        let batch = std::mem::take(self);
        match batch.blobs.is_empty() {
            true => Ok(()),
            false => client.send_blobs(&batch.blobs).await,
        }
    }
}

/// One place and the size of each content.
fn places(snapshot: &Snapshot) -> HashMap<Digest, (&str, u64)> {
    let place = |entry| match entry {
        &Entry::File {
            ref path,
            digest,
            size_bytes,
            ..
        } => Some((digest, (path.as_str(), size_bytes))),
        Entry::Link { .. } => None,
    };
    snapshot.entries.iter().filter_map(place).collect()
}

fn reread(root: &Root, path: &str, digest: &Digest, size_bytes: u64) -> Result<Bytes, FolderError> {
    let content = read::content(root, path, size_bytes)?;
    match Digest::of(&content) == *digest {
        true => Ok(content),
        false => Err(FolderError::Changes {
            path: path.to_owned(),
        }),
    }
}
