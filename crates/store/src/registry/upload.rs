//! Uploads under way. An upload is a file whose length is how far it came, and nothing else: it
//! goes on after a crash, and what lies still for too long is removed.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use model::Digest;
use sha2::{Digest as _, Sha256, Sha512};
use tokio::task::JoinHandle;

use super::Limits;
use super::failure::RegistryError;
use super::name::{ContentDigest, RepositoryName, UploadId};

/// How much is gathered before it is written: each writing costs a change of threads.
const BATCH_BYTES: usize = 1024 * 1024;
/// How much of a file is read at once.
const PART_BYTES: usize = 256 * 1024;

/// The folder of uploads.
#[derive(Debug)]
pub(super) struct Uploads {
    folder: PathBuf,
    limits: Limits,
    /// By file name, which tells the repository too.
    open: Mutex<HashMap<String, Desk>>,
}

/// Who writes to an upload.
#[derive(Debug)]
enum Desk {
    /// Nobody. The hash of what is there, unless it must be computed anew.
    Free(Option<Sha256>),
    /// A request.
    Taken,
}

impl Uploads {
    /// Opens the folder, which is made when it is not there. Uploads of an earlier process go on.
    pub(super) fn open(folder: &Path, limits: Limits) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let mut open = HashMap::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            open.insert(name, Desk::Free(None));
        }
        Ok(Self {
            folder: folder.to_owned(),
            limits,
            open: Mutex::new(open),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Desk>> {
        // Nothing in here panics halfway through a change.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an upload.
    pub(super) fn begin(&self, repository: &RepositoryName) -> Result<UploadId, RegistryError> {
        let id = UploadId::new();
        let name = file_name(repository, id);
        let mut open = self.lock();
        if open.len() >= self.limits.uploads {
            return Err(RegistryError::TooManyUploads(open.len()));
        }
        let mut create = OpenOptions::new();
        create.write(true).create_new(true).mode(0o600);
        create.open(self.folder.join(&name))?;
        open.insert(name, Desk::Free(Some(Sha256::new())));
        Ok(id)
    }

    /// How many bytes an upload has.
    pub(super) fn offset(
        &self,
        repository: &RepositoryName,
        id: UploadId,
    ) -> Result<u64, RegistryError> {
        let name = file_name(repository, id);
        match self.lock().get(&name) {
            None => Err(RegistryError::UploadUnknown),
            Some(Desk::Taken) => Err(RegistryError::UploadBusy),
            Some(Desk::Free(_)) => Ok(fs::metadata(self.folder.join(name))?.len()),
        }
    }

    /// Takes an upload, so that nobody else writes to it.
    pub(super) async fn take(
        self: &Arc<Self>,
        repository: &RepositoryName,
        id: UploadId,
    ) -> Result<Writing, RegistryError> {
        let name = file_name(repository, id);
        let known = match self.lock().get_mut(&name) {
            None => return Err(RegistryError::UploadUnknown),
            Some(Desk::Taken) => return Err(RegistryError::UploadBusy),
            Some(desk) => std::mem::replace(desk, Desk::Taken),
        };
        let mut writing = Writing {
            path: self.folder.join(&name),
            limit: self.limits.blob_bytes,
            seat: Some(Seat {
                uploads: Arc::clone(self),
                name,
                hash: None,
            }),
            hand: Hand::Away,
            gathered: Vec::new(),
            gathered_bytes: 0,
            offset: 0,
        };
        let path = writing.path.clone();
        let pen = on_disk(move || match known {
            Desk::Free(Some(hash)) => Pen::append(&path, hash),
            _ => Pen::read_again(&path),
        });
        let pen = pen.await?;
        writing.offset = pen.file.metadata()?.len();
        writing.hand = Hand::Here(pen);
        Ok(writing)
    }

    /// Ends an upload, and removes what came.
    pub(super) fn cancel(
        &self,
        repository: &RepositoryName,
        id: UploadId,
    ) -> Result<(), RegistryError> {
        let name = file_name(repository, id);
        let mut open = self.lock();
        match open.get(&name) {
            None => return Err(RegistryError::UploadUnknown),
            Some(Desk::Taken) => return Err(RegistryError::UploadBusy),
            Some(Desk::Free(_)) => {}
        }
        remove(&self.folder.join(&name))?;
        open.remove(&name);
        Ok(())
    }

    /// Removes uploads that nobody wrote to for too long. Returns how many.
    pub(super) fn sweep(&self, now: SystemTime) -> io::Result<usize> {
        let mut open = self.lock();
        let mut stale = Vec::new();
        for (name, desk) in open.iter() {
            let path = self.folder.join(name);
            if matches!(desk, Desk::Free(_)) && idle(&path, now)? >= self.limits.upload_idle {
                remove(&path)?;
                stale.push(name.clone());
            }
        }
        for name in &stale {
            open.remove(name);
        }
        Ok(stale.len())
    }
}

/// An upload that one request writes to. Dropped, it is free again, with all that was written.
#[derive(Debug)]
pub struct Writing {
    path: PathBuf,
    hand: Hand,
    gathered: Vec<Bytes>,
    gathered_bytes: usize,
    offset: u64,
    limit: u64,
    /// Given back once nothing writes any more.
    seat: Option<Seat>,
}

/// Where the pen is.
#[derive(Debug)]
enum Hand {
    Here(Pen),
    Writing(JoinHandle<io::Result<Pen>>),
    /// A writing failed; the next one reads the file again.
    Away,
}

/// The one place of an upload: given back when it is dropped.
#[derive(Debug)]
struct Seat {
    uploads: Arc<Uploads>,
    name: String,
    hash: Option<Sha256>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let desk = Desk::Free(self.hash.take());
        // One that is finished or cancelled is not put back.
        if let Some(taken) = self.uploads.lock().get_mut(&self.name) {
            *taken = desk;
        }
    }
}

impl Writing {
    /// How many bytes came so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Adds bytes. Some are still on their way to the file until [`Self::settle`].
    pub async fn append(&mut self, bytes: Bytes) -> Result<(), RegistryError> {
        if self.offset + bytes.len() as u64 > self.limit {
            return Err(RegistryError::BlobTooLarge(self.limit));
        }
        self.offset += bytes.len() as u64;
        self.gathered_bytes += bytes.len();
        self.gathered.push(bytes);
        if self.gathered_bytes >= BATCH_BYTES {
            self.write().await?;
        }
        Ok(())
    }

    /// Hands what was gathered to a thread that may wait for the disk, and goes on gathering.
    async fn write(&mut self) -> Result<(), RegistryError> {
        let mut pen = self.pen().await?;
        let batch = std::mem::take(&mut self.gathered);
        self.gathered_bytes = 0;
        let writing = tokio::task::spawn_blocking(move || {
            for bytes in batch {
                pen.write(&bytes)?;
            }
            Ok(pen)
        });
        self.hand = Hand::Writing(writing);
        Ok(())
    }

    async fn pen(&mut self) -> Result<Pen, RegistryError> {
        match std::mem::replace(&mut self.hand, Hand::Away) {
            Hand::Here(pen) => Ok(pen),
            Hand::Writing(writing) => Ok(writing.await.map_err(io::Error::other)??),
            Hand::Away => Err(io::Error::other("an earlier writing failed").into()),
        }
    }

    /// Waits until all that was added is in the file, and returns how many bytes that has.
    pub async fn settle(&mut self) -> Result<u64, RegistryError> {
        if !self.gathered.is_empty() {
            self.write().await?;
        }
        let pen = self.pen().await?;
        self.hand = Hand::Here(pen);
        Ok(self.offset)
    }

    /// Goes back to `offset`: what came after it does not count.
    pub async fn undo(mut self, offset: u64) -> Result<(), RegistryError> {
        self.settle().await?;
        let pen = self.pen().await?;
        Ok(on_disk(move || pen.file.set_len(offset)).await?)
    }

    /// Ends the upload when its content hashes to `expected`, and removes it when it does not.
    /// Returns the file, which is the caller's to move away, with its digest and size.
    pub(super) async fn finish(
        mut self,
        expected: &ContentDigest,
    ) -> Result<Finished, RegistryError> {
        let size_bytes = self.settle().await?;
        let pen = self.pen().await?;
        let blob = Digest::from_bytes(pen.hash.finalize().into());
        let path = self.path.clone();
        let matches = match *expected {
            ContentDigest::Sha256(digest) => digest == blob,
            ContentDigest::Sha512(hash) => on_disk(move || sha512(&path)).await? == hash,
        };
        let finished = Finished {
            path: self.path.clone(),
            blob,
            size_bytes,
        };
        if let Some(seat) = &self.seat {
            seat.uploads.lock().remove(&seat.name);
        }
        if matches {
            // As a new blob it is kept for a while whether something links it or not.
            pen.file.set_modified(SystemTime::now())?;
            return Ok(finished);
        }
        remove(&finished.path)?;
        Err(RegistryError::DigestMismatch(*expected))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let Some(mut seat) = self.seat.take() else {
            return;
        };
        match std::mem::replace(&mut self.hand, Hand::Away) {
            Hand::Here(pen) if self.gathered.is_empty() => seat.hash = Some(pen.hash),
            // The hash and the file may tell of different lengths: the next one reads it again.
            Hand::Here(_) | Hand::Away => {}
            Hand::Writing(writing) => {
                let Ok(runtime) = tokio::runtime::Handle::try_current() else {
                    return;
                };
                runtime.spawn(async move {
                    // Whatever came of it, nothing is written any more.
                    let _ = writing.await;
                    drop(seat);
                });
            }
        }
    }
}

/// A file with the digest and size of its content.
pub(super) struct Finished {
    pub(super) path: PathBuf,
    pub(super) blob: Digest,
    pub(super) size_bytes: u64,
}

/// A file that is written at its end, and the hash of what is in it.
#[derive(Debug)]
struct Pen {
    file: File,
    hash: Sha256,
}

impl Pen {
    fn append(path: &Path, hash: Sha256) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        Ok(Self { file, hash })
    }

    fn read_again(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).open(path)?;
        file.seek(SeekFrom::Start(0))?;
        let mut hash = Sha256::new();
        each_part(&mut file, |part| hash.update(part))?;
        Ok(Self { file, hash })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(())
    }
}

fn sha512(path: &Path) -> io::Result<[u8; 64]> {
    let mut hash = Sha512::new();
    each_part(&mut File::open(path)?, |part| hash.update(part))?;
    Ok(hash.finalize().into())
}

fn each_part(file: &mut File, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut part = vec![0; PART_BYTES];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(()),
            count => take(&part[..count]),
        }
    }
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?
}

/// An upload belongs to one repository: in another one there is no such file.
fn file_name(repository: &RepositoryName, id: UploadId) -> String {
    let repository = Digest::of(repository.as_str().as_bytes()).hex();
    format!("{id}.{}", &repository[..16])
}

fn idle(path: &Path, now: SystemTime) -> io::Result<Duration> {
    let written = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Duration::MAX),
        metadata => metadata?.modified()?,
    };
    Ok(now.duration_since(written).unwrap_or_default())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
