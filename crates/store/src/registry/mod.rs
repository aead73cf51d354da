//! An OCI registry: repositories that link blobs and manifests, tags that move, uploads, referrers.
//!
//! Its record is in the ledger's database, so that a link and the hold on its blob are one row of
//! one transaction; its bytes are in the blob store. Nothing here knows HTTP.
//!
//! Source: OCI distribution-spec 1.1.

mod copy;
mod credentials;
mod failure;
mod manifest;
mod name;
mod outside;
mod record;
mod releases;
mod stream;
mod tokens;
mod upload;

use std::collections::BTreeSet;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use model::attestation::{Artifact, Part};
use model::{Digest, Timestamp};
use ports::{BlobError, BlobStore};
use sqlx::{Sqlite, Transaction};

use crate::SqliteLedger;
use crate::ledger::failure::broken;

pub use copy::{Copied, CopyError, Destination};
pub use credentials::{CredentialsError, Login, of_docker};
pub use failure::RegistryError;
pub use manifest::{IMAGE, INDEX, Outline, outline};
pub use name::{ContentDigest, NameError, Reference, RepositoryName, Tag, UploadId};
pub use outside::{Attached, Outside, OutsideError, find, host};
pub use record::{Link, ManifestLink, Page, Referrer};
pub use releases::{RELEASES, ReleaseRegistry};
pub use stream::Content;
pub use tokens::{IssuedToken, NewToken, TokenRecord, TokenStore};
pub use upload::Writing;

use upload::Uploads;

/// How much the registry takes from clients.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest manifest.
    pub manifest_bytes: usize,
    /// The largest blob.
    pub blob_bytes: u64,
    /// How many uploads may be open at once.
    pub uploads: usize,
    /// How long an upload may lie still before it is removed.
    pub upload_idle: Duration,
    /// How many tags one push may set.
    pub tags_at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 * 1024 * 1024,
            blob_bytes: 16 * 1024 * 1024 * 1024,
            uploads: 256,
            upload_idle: Duration::from_secs(6 * 3600),
            tags_at_once: 32,
        }
    }
}

/// A registry over the ledger and a blob store.
#[derive(Clone)]
pub struct Registry {
    ledger: SqliteLedger,
    blobs: Arc<dyn BlobStore>,
    uploads: Arc<Uploads>,
    limits: Limits,
}

/// A manifest that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its digest.
    pub digest: ContentDigest,
    /// What it refers to.
    pub subject: Option<ContentDigest>,
}

/// A manifest that a client sends.
#[derive(Debug, Clone)]
pub struct NewManifest {
    /// How it is asked for afterwards.
    pub reference: Reference,
    /// Tags besides.
    pub tags: Vec<Tag>,
    /// What the client says it is.
    pub content_type: Option<String>,
    /// Kept as they are.
    pub bytes: Bytes,
}

impl Registry {
    /// Opens a registry whose uploads are in the folder `uploads`, on the blob store's file system
    /// when that is a folder too.
    pub fn open(
        ledger: &SqliteLedger,
        blobs: Arc<dyn BlobStore>,
        uploads: &Path,
        limits: Limits,
    ) -> io::Result<Self> {
        Ok(Self {
            ledger: ledger.clone(),
            blobs,
            uploads: Arc::new(Uploads::open(uploads, limits)?),
            limits,
        })
    }

    /// How much it takes.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Where the bytes are.
    pub fn blobs(&self) -> &Arc<dyn BlobStore> {
        &self.blobs
    }

    /// Begins an upload.
    pub async fn begin_upload(
        &self,
        repository: &RepositoryName,
    ) -> Result<UploadId, RegistryError> {
        self.uploads.begin(repository)
    }

    /// How many bytes an upload has.
    pub async fn upload_offset(
        &self,
        repository: &RepositoryName,
        id: UploadId,
    ) -> Result<u64, RegistryError> {
        self.uploads.offset(repository, id)
    }

    /// Takes an upload, to write to it; others are refused meanwhile.
    pub async fn take_upload(
        &self,
        repository: &RepositoryName,
        id: UploadId,
    ) -> Result<Writing, RegistryError> {
        self.uploads.take(repository, id).await
    }

    /// Ends an upload whose content must hash to `expected`, and links the blob. One that hashes
    /// to something else is removed.
    pub async fn finish_upload(
        &self,
        repository: &RepositoryName,
        writing: Writing,
        expected: &ContentDigest,
    ) -> Result<Link, RegistryError> {
        let finished = writing.finish(expected).await?;
        self.blobs.put_file(&finished.path, finished.blob).await?;
        let link = Link {
            digest: *expected,
            blob: finished.blob,
            size_bytes: finished.size_bytes,
        };
        self.link(repository, &link).await?;
        Ok(link)
    }

    /// Ends an upload, and removes what came.
    pub async fn cancel_upload(
        &self,
        repository: &RepositoryName,
        id: UploadId,
    ) -> Result<(), RegistryError> {
        self.uploads.cancel(repository, id)
    }

    /// Removes uploads that lay still for too long. Returns how many.
    pub async fn sweep_uploads(&self, now: SystemTime) -> Result<usize, RegistryError> {
        Ok(self.uploads.sweep(now)?)
    }

    /// Keeps a small blob and links it: for mayfly's own attestations.
    pub async fn put_blob(
        &self,
        repository: &RepositoryName,
        bytes: Bytes,
    ) -> Result<Link, RegistryError> {
        let size_bytes = bytes.len() as u64;
        let blob = self.blobs.put(bytes).await?;
        let link = Link {
            digest: blob.into(),
            blob,
            size_bytes,
        };
        self.link(repository, &link).await?;
        Ok(link)
    }

    async fn link(&self, repository: &RepositoryName, link: &Link) -> Result<(), RegistryError> {
        let mut writing = self.write().await?;
        record::link_blob(&mut writing, repository, link).await?;
        self.commit(writing).await
    }

    /// A blob that the repository links.
    pub async fn blob(
        &self,
        repository: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<Link, RegistryError> {
        let found = record::blob(self.ledger.readers(), repository, digest).await?;
        found.ok_or(RegistryError::BlobUnknown(*digest))
    }

    /// The bytes `range` of a blob, piece by piece.
    pub async fn content(&self, link: &Link, range: Range<u64>) -> Result<Content, RegistryError> {
        stream::content(&self.blobs, link, range).await
    }

    /// The repositories that link a blob, by name.
    pub async fn repositories_of(
        &self,
        digest: &ContentDigest,
    ) -> Result<Vec<RepositoryName>, RegistryError> {
        Ok(record::repositories_of(self.ledger.readers(), digest).await?)
    }

    /// Links in the repository `to` what `from` links.
    pub async fn mount(
        &self,
        from: &RepositoryName,
        to: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<Link, RegistryError> {
        let mut writing = self.write().await?;
        record::mount(&mut writing, from, to, digest).await?;
        self.commit(writing).await?;
        self.blob(to, digest).await
    }

    /// Unlinks a blob from a repository. Its bytes go when nothing else holds them.
    pub async fn unlink_blob(
        &self,
        repository: &RepositoryName,
        digest: &ContentDigest,
    ) -> Result<(), RegistryError> {
        let mut writing = self.write().await?;
        let now = Timestamp::now();
        if !record::unlink_blob(&mut writing, repository, digest, now).await? {
            return Err(RegistryError::BlobUnknown(*digest));
        }
        self.commit(writing).await
    }

    /// Keeps a manifest and moves its tags to it, all or nothing. What it names need not be there.
    pub async fn put_manifest(
        &self,
        repository: &RepositoryName,
        new: NewManifest,
    ) -> Result<Kept, RegistryError> {
        let limit = self.limits.manifest_bytes;
        if new.bytes.len() > limit {
            return Err(RegistryError::ManifestTooLarge(limit));
        }
        let outline = outline(&new.bytes, new.content_type.as_deref())?;
        let blob = Digest::of(&new.bytes);
        let (digest, first) = match new.reference {
            Reference::Tag(tag) => (ContentDigest::from(blob), Some(tag)),
            Reference::Digest(digest) => (digest, None),
        };
        if digest.of_same_kind(&new.bytes) != digest {
            return Err(RegistryError::DigestMismatch(digest));
        }
        let link = Link {
            digest,
            blob,
            size_bytes: new.bytes.len() as u64,
        };
        self.blobs.put(new.bytes).await?;
        let mut writing = self.write().await?;
        record::put_manifest(&mut writing, repository, &link, &outline).await?;
        for tag in first.iter().chain(&new.tags) {
            record::tag(&mut writing, repository, tag, &digest).await?;
        }
        self.commit(writing).await?;
        Ok(Kept {
            digest,
            subject: outline.subject,
        })
    }

    /// Shows an image that is in the blob store in a repository: its manifest, its config and
    /// layers, under these tags, with what is attached to it. Twice has the effect of once.
    ///
    /// Fails with [`BlobError::Missing`] when a blob of it is not in the store.
    pub async fn publish(
        &self,
        repository: &RepositoryName,
        image: &Digest,
        attached: &[Artifact],
        tags: &[Tag],
    ) -> Result<(), RegistryError> {
        self.blobs.put_all(contents(attached)).await?;
        let bytes = self.blobs.get(image).await?;
        let outline = outline(&bytes, None)?;
        let sizes = manifest::sizes(&bytes)?;
        self.require(sizes.iter().map(|(digest, _)| *digest))
            .await?;
        let mut writing = self.write().await?;
        for (blob, size_bytes) in sizes {
            let link = Link {
                digest: blob.into(),
                blob,
                size_bytes,
            };
            record::link_blob(&mut writing, repository, &link).await?;
        }
        let link = Link {
            digest: (*image).into(),
            blob: *image,
            size_bytes: bytes.len() as u64,
        };
        record::put_manifest(&mut writing, repository, &link, &outline).await?;
        for artifact in attached {
            attach(&mut writing, repository, artifact).await?;
        }
        for tag in tags {
            record::tag(&mut writing, repository, tag, &link.digest).await?;
        }
        self.commit(writing).await
    }

    /// Repositories whose names begin with `prefix`, by name.
    pub async fn repositories(&self, prefix: &str) -> Result<Vec<RepositoryName>, RegistryError> {
        Ok(record::repositories(self.ledger.readers(), prefix).await?)
    }

    async fn require(&self, blobs: impl Iterator<Item = Digest>) -> Result<(), RegistryError> {
        let blobs: BTreeSet<Digest> = blobs.collect();
        let blobs: Vec<Digest> = blobs.into_iter().collect();
        match self.blobs.missing(&blobs).await?.first() {
            Some(missing) => Err(BlobError::Missing(*missing).into()),
            None => Ok(()),
        }
    }

    /// A manifest, without its bytes.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<ManifestLink, RegistryError> {
        let readers = self.ledger.readers();
        let found = match reference {
            Reference::Tag(tag) => record::tagged(readers, repository, tag).await?,
            Reference::Digest(digest) => record::manifest(readers, repository, digest).await?,
        };
        found.ok_or_else(|| RegistryError::ManifestUnknown(reference.to_string()))
    }

    /// A manifest's bytes.
    pub async fn manifest_bytes(&self, manifest: &ManifestLink) -> Result<Bytes, RegistryError> {
        Ok(self.blobs.get(&manifest.link.blob).await?)
    }

    /// Removes a tag, or a manifest with all its tags.
    pub async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<(), RegistryError> {
        let mut writing = self.write().await?;
        let deleted = match reference {
            Reference::Tag(tag) => record::untag(&mut writing, repository, tag).await?,
            Reference::Digest(digest) => {
                let now = Timestamp::now();
                record::remove_manifest(&mut writing, repository, digest, now).await?
            }
        };
        if !deleted {
            return Err(RegistryError::ManifestUnknown(reference.to_string()));
        }
        self.commit(writing).await
    }

    /// Lets go of all that a repository links, by `rule`: its app was removed, its time is over.
    /// Returns how many links there were.
    pub async fn remove_repository(
        &self,
        repository: &RepositoryName,
        rule: &str,
    ) -> Result<u64, RegistryError> {
        let mut writing = self.write().await?;
        let now = Timestamp::now();
        let links = record::remove_repository(&mut writing, repository, rule, now).await?;
        self.commit(writing).await?;
        Ok(links)
    }

    /// Tags, in the order of their bytes.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        page: Page<'_>,
    ) -> Result<Vec<String>, RegistryError> {
        let tags = record::tags(self.ledger.readers(), repository, page).await?;
        if tags.is_empty() && !record::is_known(self.ledger.readers(), repository).await? {
            return Err(RegistryError::RepositoryUnknown(repository.to_string()));
        }
        Ok(tags)
    }

    /// Manifests that refer to `subject`, in the order of their digests.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &ContentDigest,
        artifact_type: Option<&str>,
        page: Page<'_>,
    ) -> Result<Vec<Referrer>, RegistryError> {
        let readers = self.ledger.readers();
        Ok(record::referrers(readers, repository, subject, artifact_type, page).await?)
    }

    async fn write(&self) -> Result<Transaction<'static, Sqlite>, RegistryError> {
        Ok(self.ledger.write().await?)
    }

    async fn commit(&self, writing: Transaction<'static, Sqlite>) -> Result<(), RegistryError> {
        Ok(writing.commit().await.map_err(broken)?)
    }
}

/// The blobs of artifacts, manifests included.
fn contents(artifacts: &[Artifact]) -> Vec<(Option<Digest>, Bytes)> {
    let parts = artifacts
        .iter()
        .flat_map(|artifact| artifact.parts.iter().chain([&artifact.manifest]));
    parts
        .map(|part| (Some(part.digest), part.bytes.clone().into()))
        .collect()
}

/// Links an artifact whose bytes are in the store.
async fn attach(
    writing: &mut Transaction<'static, Sqlite>,
    repository: &RepositoryName,
    artifact: &Artifact,
) -> Result<(), RegistryError> {
    for part in &artifact.parts {
        record::link_blob(&mut *writing, repository, &link_of(part)).await?;
    }
    let manifest = &artifact.manifest;
    let outline = outline(&manifest.bytes, Some(&manifest.media_type))?;
    let link = link_of(manifest);
    record::put_manifest(&mut *writing, repository, &link, &outline).await?;
    if let Some(tag) = &artifact.tag {
        record::tag(&mut *writing, repository, &tag.parse()?, &link.digest).await?;
    }
    Ok(())
}

fn link_of(part: &Part) -> Link {
    Link {
        digest: part.digest.into(),
        blob: part.digest,
        size_bytes: part.bytes.len() as u64,
    }
}
