//! Compresses and hashes a stream on several threads, always to the same bytes.
//!
//! The stream is cut into pieces of one size; each becomes a gzip member of its own, and members
//! in a row are one gzip file (RFC 1952, 2.2). Pieces, level and compressor are pinned: changing
//! any of them changes the digest of every image.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};
use libdeflater::{CompressionLvl, Compressor};
use model::Digest;
use sha2::{Digest as _, Sha256};

/// The size of a piece before compression.
const PIECE_BYTES: usize = 1024 * 1024;
/// The fastest level of libdeflate: a third of the time of level 6 for a tenth more bytes.
const LEVEL: i32 = 1;
/// Pieces that wait for each thread.
const QUEUE: usize = 4;

/// A compressed stream.
#[derive(Debug)]
pub(super) struct Compressed {
    /// Of the bytes before compression.
    pub(super) diff_id: Digest,
    /// Of the bytes after compression.
    pub(super) digest: Digest,
    /// After compression.
    pub(super) size_bytes: u64,
    /// The compressed bytes.
    pub(super) bytes: CompressedBytes,
}

/// Where compressed bytes are.
#[derive(Debug)]
pub(super) enum CompressedBytes {
    /// In memory: the stream was one piece.
    Memory(Vec<u8>),
    /// In the file that was named.
    File(PathBuf),
}

/// Takes a stream, piece by piece. A stream of one piece is never written to a file and needs no
/// thread.
pub(super) struct GzipStream {
    piece: Vec<u8>,
    file: PathBuf,
    line: Option<Line>,
}

impl GzipStream {
    /// `file` is made only when the stream has more than one piece.
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            piece: Vec::new(),
            file,
            line: None,
        }
    }

    /// Ends the stream.
    pub(super) fn finish(mut self) -> io::Result<Compressed> {
        let piece = std::mem::take(&mut self.piece);
        match self.line.take() {
            None => Ok(one_piece(&piece)),
            Some(mut line) => {
                if !piece.is_empty() {
                    line.send(piece)?;
                }
                line.finish(&self.file)
            }
        }
    }

    fn flush_piece(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE_BYTES));
        let line = match &mut self.line {
            Some(line) => line,
            None => self.line.insert(Line::start(&self.file)?),
        };
        line.send(piece)
    }
}

impl Write for GzipStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.piece.len() == PIECE_BYTES {
            self.flush_piece()?;
        }
        let taken = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn one_piece(piece: &[u8]) -> Compressed {
    let mut compressor = compressor();
    let bytes = member(&mut compressor, piece);
    Compressed {
        diff_id: Digest::of(piece),
        digest: Digest::of(&bytes),
        size_bytes: bytes.len() as u64,
        bytes: CompressedBytes::Memory(bytes),
    }
}

#[expect(
    clippy::expect_used,
    reason = "the level is a constant that a test uses"
)]
fn compressor() -> Compressor {
    Compressor::new(CompressionLvl::new(LEVEL).expect("libdeflate has this level"))
}

#[expect(clippy::expect_used, reason = "libdeflate's own bound always suffices")]
fn member(compressor: &mut Compressor, piece: &[u8]) -> Vec<u8> {
    let mut out = vec![0; compressor.gzip_compress_bound(piece.len())];
    let size = compressor
        .gzip_compress(piece, &mut out)
        .expect("the output has room");
    out.truncate(size);
    out
}

type Numbered = (u64, Arc<Vec<u8>>);

/// The threads behind a stream of more than one piece: one hashes, some compress, one writes.
struct Line {
    next: u64,
    to_hash: Sender<Arc<Vec<u8>>>,
    to_compress: Sender<Numbered>,
    hasher: JoinHandle<Digest>,
    writer: JoinHandle<io::Result<(Digest, u64)>>,
}

impl Line {
    fn start(file: &Path) -> io::Result<Self> {
        let file = File::create_new(file)?;
        let (to_hash, hash_queue) = bounded::<Arc<Vec<u8>>>(QUEUE);
        let (to_compress, compress_queue) = bounded::<Numbered>(QUEUE);
        let (to_write, write_queue) = bounded(QUEUE);
        let workers = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
        for _ in 0..workers {
            let (queue, out) = (compress_queue.clone(), to_write.clone());
            std::thread::spawn(move || compress_all(&queue, &out));
        }
        Ok(Self {
            next: 0,
            to_hash,
            to_compress,
            hasher: std::thread::spawn(move || hash_all(&hash_queue)),
            writer: std::thread::spawn(move || write_all(file, &write_queue)),
        })
    }

    fn send(&mut self, piece: Vec<u8>) -> io::Result<()> {
        let piece = Arc::new(piece);
        let number = self.next;
        self.next += 1;
        let stopped = || io::Error::other("the layer's compressor stopped");
        self.to_hash.send(piece.clone()).map_err(|_| stopped())?;
        // A writer whose disk is full takes no more: its own error is told by `finish`.
        let _ = self.to_compress.send((number, piece));
        Ok(())
    }

    fn finish(self, file: &Path) -> io::Result<Compressed> {
        drop((self.to_hash, self.to_compress));
        let died = |_| io::Error::other("the layer's compressor stopped");
        let diff_id = self.hasher.join().map_err(died)?;
        let (digest, size_bytes) = self.writer.join().map_err(died)??;
        Ok(Compressed {
            diff_id,
            digest,
            size_bytes,
            bytes: CompressedBytes::File(file.to_owned()),
        })
    }
}

fn hash_all(queue: &Receiver<Arc<Vec<u8>>>) -> Digest {
    let mut hash = Sha256::new();
    for piece in queue {
        hash.update(&piece[..]);
    }
    Digest::from_bytes(hash.finalize().into())
}

fn compress_all(queue: &Receiver<Numbered>, out: &Sender<(u64, Vec<u8>)>) {
    let mut compressor = compressor();
    for (number, piece) in queue {
        if out.send((number, member(&mut compressor, &piece))).is_err() {
            return;
        }
    }
}

/// Writes members in the order of their numbers, whatever order they come in.
fn write_all(mut file: File, queue: &Receiver<(u64, Vec<u8>)>) -> io::Result<(Digest, u64)> {
    let (mut hash, mut size_bytes, mut next) = (Sha256::new(), 0, 0);
    let mut early = BTreeMap::new();
    for (number, bytes) in queue {
        early.insert(number, bytes);
        while let Some(bytes) = early.remove(&next) {
            hash.update(&bytes);
            file.write_all(&bytes)?;
            size_bytes += bytes.len() as u64;
            next += 1;
        }
    }
    Ok((Digest::from_bytes(hash.finalize().into()), size_bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn compress(bytes: &[u8]) -> (Compressed, Vec<u8>) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut stream = GzipStream::new(folder.path().join("blob"));
        stream.write_all(bytes).expect("written");
        let compressed = stream.finish().expect("compressed");
        let blob = match &compressed.bytes {
            CompressedBytes::Memory(blob) => blob.clone(),
            CompressedBytes::File(file) => std::fs::read(file).expect("a file"),
        };
        (compressed, blob)
    }

    #[test]
    fn a_stream_of_any_size_reads_back_and_hashes_as_said() {
        for size in [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 7] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let (compressed, blob) = compress(&bytes);
            let mut back = Vec::new();
            let mut reader = flate2::read::MultiGzDecoder::new(&blob[..]);
            reader.read_to_end(&mut back).expect("gzip");
            assert!(back == bytes, "{size} bytes");
            assert_eq!(compressed.diff_id, Digest::of(&bytes));
            assert_eq!(compressed.digest, Digest::of(&blob));
            assert_eq!(compressed.size_bytes, blob.len() as u64);
        }
    }

    #[test]
    fn the_same_bytes_give_the_same_blob_however_threads_run() {
        let bytes: Vec<u8> = (0..8 * PIECE_BYTES)
            .map(|at| ((at * at) >> 7) as u8)
            .collect();
        let first = compress(&bytes).0.digest;
        for _ in 0..5 {
            assert_eq!(compress(&bytes).0.digest, first);
        }
    }
}
