//! Blobs in an object store: a bucket, or a folder that is treated as one.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use model::{Digest, Timestamp};
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt};
use ports::blob_store::{BlobError, BlobInfo, BlobStore};
use tokio::io::AsyncReadExt;

use super::disk::digest_of;

/// How many objects are sent or asked for at the same time.
const AT_ONCE: usize = 8;
/// The size of one part of a large file, in bytes; S3 takes no smaller ones than 5 MiB.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Blobs in any object store, by the same names as on disk.
///
/// They are as durable as the store makes them; for a local folder that is
/// [`ObjectBlobs::in_folder`].
#[derive(Debug, Clone)]
pub struct ObjectBlobs {
    store: Arc<dyn ObjectStore>,
}

impl ObjectBlobs {
    /// Keeps blobs in `store`.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Keeps blobs in a folder that is there, and flushes each before it is acknowledged.
    pub fn in_folder(folder: &Path) -> Result<Self, BlobError> {
        let store = object_store::local::LocalFileSystem::new_with_prefix(folder);
        let store = store.map_err(failed)?.with_fsync(true);
        Ok(Self::new(Arc::new(store)))
    }

    async fn send(&self, digest: Digest, bytes: Bytes) -> Result<Digest, BlobError> {
        let sent = self.store.put(&key(&digest), bytes.into()).await;
        sent.map(|_| digest).map_err(failed)
    }

    async fn send_parts(&self, file: &Path, digest: &Digest) -> Result<(), BlobError> {
        let mut file = tokio::fs::File::open(file).await.map_err(BlobError::Io)?;
        let upload = self.store.put_multipart(&key(digest)).await;
        let mut upload = upload.map_err(failed)?;
        match copy_parts(&mut file, &mut *upload).await {
            Ok(()) => upload.complete().await.map(drop).map_err(failed),
            Err(error) => {
                // The reason counts; parts that stay are the bucket's life-cycle rule to remove.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    async fn is_there(&self, digest: &Digest) -> Result<bool, BlobError> {
        match self.store.head(&key(digest)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

#[async_trait]
impl BlobStore for ObjectBlobs {
    async fn put(&self, bytes: Bytes) -> Result<Digest, BlobError> {
        self.send(Digest::of(&bytes), bytes).await
    }

    async fn put_all(&self, blobs: Vec<(Option<Digest>, Bytes)>) -> Result<Vec<Digest>, BlobError> {
        let checked = blobs
            .into_iter()
            .map(|(promised, bytes)| Ok((digest_of(promised.as_ref(), &bytes)?, bytes)))
            .collect::<Result<Vec<_>, BlobError>>()?;
        let sent = checked
            .into_iter()
            .map(|(digest, bytes)| self.send(digest, bytes));
        stream::iter(sent).buffered(AT_ONCE).try_collect().await
    }

    async fn put_file(&self, file: &Path, digest: Digest) -> Result<(), BlobError> {
        self.send_parts(file, &digest).await?;
        tokio::fs::remove_file(file).await.map_err(BlobError::Io)
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes, BlobError> {
        let found = match self.store.get(&key(digest)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::Missing(*digest)),
            found => found.map_err(failed)?,
        };
        let bytes = found.bytes().await.map_err(failed)?;
        match Digest::of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(BlobError::Damaged(*digest)),
        }
    }

    async fn read_part(
        &self,
        digest: &Digest,
        offset: u64,
        length: usize,
    ) -> Result<Bytes, BlobError> {
        let size = match self.store.head(&key(digest)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(BlobError::Missing(*digest)),
            meta => meta.map_err(failed)?.size,
        };
        let end = offset.saturating_add(length as u64).min(size);
        if offset >= end {
            return Ok(Bytes::new());
        }
        let part = self.store.get_range(&key(digest), offset..end).await;
        part.map_err(failed)
    }

    async fn local_path(&self, _digest: &Digest) -> Result<Option<PathBuf>, BlobError> {
        Ok(None)
    }

    async fn missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, BlobError> {
        let asked = digests.iter().copied().map(|digest| async move {
            let there = self.is_there(&digest).await?;
            Ok((!there).then_some(digest))
        });
        let answers: Vec<Option<Digest>> =
            stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        Ok(answers.into_iter().flatten().collect())
    }

    async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        match self.store.delete(&key(digest)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    async fn list(&self) -> Result<Vec<BlobInfo>, BlobError> {
        let folder = Key::from("sha256");
        let found: Vec<ObjectMeta> = self
            .store
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(failed)?;
        let mut infos: Vec<_> = found.iter().filter_map(info).collect();
        infos.sort_by_key(|info| info.digest);
        Ok(infos)
    }
}

async fn copy_parts(
    file: &mut tokio::fs::File,
    upload: &mut dyn MultipartUpload,
) -> Result<(), BlobError> {
    loop {
        let mut part = BytesMut::with_capacity(PART_BYTES);
        while part.len() < PART_BYTES {
            let mut room = (&mut *file).take((PART_BYTES - part.len()) as u64);
            if room.read_buf(&mut part).await.map_err(BlobError::Io)? == 0 {
                break;
            }
        }
        let full = part.len() == PART_BYTES;
        if !part.is_empty() {
            let part = part.freeze().into();
            upload.put_part(part).await.map_err(failed)?;
        }
        if !full {
            return Ok(());
        }
    }
}

fn key(digest: &Digest) -> Key {
    let hex = digest.hex();
    Key::from(format!("sha256/{}/{hex}", &hex[..2]))
}

/// What an object's entry says; `None` when it is no blob.
fn info(meta: &ObjectMeta) -> Option<BlobInfo> {
    let name = meta.location.filename()?;
    let seconds = meta.last_modified.timestamp();
    let nanos = meta.last_modified.timestamp_subsec_nanos();
    Some(BlobInfo {
        digest: format!("sha256:{name}").parse().ok()?,
        size_bytes: meta.size,
        modified_at: Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?,
    })
}

/// Keeps the kind of the I/O error below, so that a full disk is told as one.
fn failed(error: object_store::Error) -> BlobError {
    let mut below: Option<&(dyn Error + 'static)> = Some(&error);
    let mut kind = io::ErrorKind::Other;
    while let Some(cause) = below {
        if let Some(found) = cause.downcast_ref::<io::Error>() {
            kind = found.kind();
        }
        below = cause.source();
    }
    BlobError::Io(io::Error::new(kind, error))
}
