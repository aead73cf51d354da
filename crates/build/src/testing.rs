//! Parts that this room's tests stand on: blobs in memory, and a web server on loopback.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use bytes::Bytes;
use model::progress::Stream;
use model::{Digest, Timestamp};
use ports::blob_store::BlobInfo;
use ports::workshop::LineSink;
use ports::{BlobError, BlobStore, Job, JobReport, ProgressSink, Workshop, WorkshopError};

/// Blobs in memory.
#[derive(Debug, Default)]
pub(crate) struct MemoryBlobs(Mutex<HashMap<Digest, Bytes>>);

impl MemoryBlobs {
    fn blobs(&self) -> MutexGuard<'_, HashMap<Digest, Bytes>> {
        self.0.lock().expect("no test panics with the lock")
    }
}

#[async_trait]
impl BlobStore for MemoryBlobs {
    async fn put(&self, bytes: Bytes) -> Result<Digest, BlobError> {
        let digest = Digest::of(&bytes);
        self.blobs().insert(digest, bytes);
        Ok(digest)
    }

    async fn put_all(&self, blobs: Vec<(Option<Digest>, Bytes)>) -> Result<Vec<Digest>, BlobError> {
        let mut digests = Vec::new();
        for (expected, bytes) in blobs {
            let actual = Digest::of(&bytes);
            match expected {
                Some(expected) if expected != actual => {
                    return Err(BlobError::Mismatch { expected, actual });
                }
                _ => digests.push(self.put(bytes).await?),
            }
        }
        Ok(digests)
    }

    async fn put_file(&self, file: &Path, digest: Digest) -> Result<(), BlobError> {
        let bytes = std::fs::read(file).map_err(BlobError::Io)?;
        self.blobs().insert(digest, bytes.into());
        Ok(())
    }

    async fn get(&self, digest: &Digest) -> Result<Bytes, BlobError> {
        let found = self.blobs().get(digest).cloned();
        found.ok_or(BlobError::Missing(*digest))
    }

    async fn local_path(&self, _digest: &Digest) -> Result<Option<PathBuf>, BlobError> {
        Ok(None)
    }

    async fn missing(&self, digests: &[Digest]) -> Result<Vec<Digest>, BlobError> {
        let blobs = self.blobs();
        let missing = digests.iter().filter(|digest| !blobs.contains_key(digest));
        Ok(missing.copied().collect())
    }

    async fn remove(&self, digest: &Digest) -> Result<(), BlobError> {
        self.blobs().remove(digest);
        Ok(())
    }

    async fn list(&self) -> Result<Vec<BlobInfo>, BlobError> {
        let blobs = self.blobs();
        let infos = blobs.iter().map(|(digest, bytes)| BlobInfo {
            digest: *digest,
            size_bytes: bytes.len() as u64,
            modified_at: Timestamp::UNIX_EPOCH,
        });
        Ok(infos.collect())
    }
}

/// For work that runs no command: one that does is a defect.
pub(crate) struct ClosedWorkshop;

#[async_trait]
impl Workshop for ClosedWorkshop {
    async fn run(&self, job: Job, _lines: LineSink<'_>) -> Result<JobReport, WorkshopError> {
        Err(WorkshopError::Start(format!(
            "nobody asked for {:?}",
            job.command
        )))
    }
}

/// Remembers the notices of a build.
#[derive(Debug, Default)]
pub(crate) struct Notices(Mutex<Vec<String>>);

impl Notices {
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panics with the lock"))
    }
}

impl ProgressSink for Notices {
    fn step_started(&self, _step: &str) {}
    fn step_done(&self, _step: &str, _seconds: f64, _cached: bool) {}
    fn line(&self, _stream: Stream, _line: &str) {}

    fn notice(&self, text: &str) {
        self.0
            .lock()
            .expect("no test panics with the lock")
            .push(text.to_owned());
    }
}

/// A web server on a loopback port of its own, for files that a test may change. It ends with the
/// test's process.
pub(crate) struct Website {
    pub(crate) url: String,
    files: Arc<Mutex<Files>>,
}

#[derive(Default)]
struct Files {
    by_path: HashMap<String, Vec<u8>>,
    asked: Vec<String>,
}

impl Website {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let files = Arc::<Mutex<Files>>::default();
        let served = files.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || serve(stream, &served));
            }
        });
        Self {
            url: format!("http://{address}"),
            files,
        }
    }

    pub(crate) fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.files().by_path.insert(path.to_owned(), bytes.into());
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        self.files().by_path[path].clone()
    }

    pub(crate) fn remove(&self, path: &str) {
        self.files().by_path.remove(path);
    }

    /// The paths that were asked for since the last call.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.files().asked)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().expect("no test panics with the lock")
    }
}

fn serve(stream: TcpStream, files: &Mutex<Files>) {
    let mut reader = BufReader::new(&stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).unwrap_or(0) > 2 {
            header.clear();
        }
        let path = request.split(' ').nth(1).unwrap_or("/").to_owned();
        let found = {
            let mut files = files.lock().expect("no test panics with the lock");
            files.asked.push(path.clone());
            files.by_path.get(&path).cloned()
        };
        let (status, body) = match found {
            Some(body) => ("200 OK", body),
            None => ("404 Not Found", Vec::new()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let sent = (&stream).write_all(&[head.into_bytes(), body].concat());
        if sent.is_err() {
            return;
        }
    }
}
