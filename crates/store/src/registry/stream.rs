//! A blob's content piece by piece, from a local file or a remote store.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use model::Digest;
use ports::BlobStore;

use super::failure::RegistryError;
use super::record::Link;

/// How much of a blob is in memory at once, for each who reads.
const PART_BYTES: u64 = 256 * 1024;

/// A blob's content, or a part of it.
pub type Content = BoxStream<'static, io::Result<Bytes>>;

/// The bytes `range` of a blob, which is not checked again: its reader knows its digest.
pub(super) async fn content(
    blobs: &Arc<dyn BlobStore>,
    link: &Link,
    range: Range<u64>,
) -> Result<Content, RegistryError> {
    match blobs.local_path(&link.blob).await? {
        // Once it is open, it can be read to its end whatever is deleted meanwhile.
        Some(path) => Ok(of_file(File::open(path)?, range).boxed()),
        None => Ok(of_store(Arc::clone(blobs), link.blob, range).boxed()),
    }
}

fn of_file(file: File, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    let file = Arc::new(file);
    stream::unfold(range, move |range| {
        let file = Arc::clone(&file);
        async move {
            let (part, rest) = split(range)?;
            let read = tokio::task::spawn_blocking(move || read_part(&file, &part)).await;
            Some((read.map_err(io::Error::other).flatten(), rest))
        }
    })
}

fn read_part(file: &File, part: &Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(part.end - part.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, part.start)?;
    Ok(bytes.into())
}

fn of_store(
    blobs: Arc<dyn BlobStore>,
    blob: Digest,
    range: Range<u64>,
) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold(range, move |range| {
        let blobs = Arc::clone(&blobs);
        async move {
            let (part, rest) = split(range)?;
            let length = usize::try_from(part.end - part.start).unwrap_or(usize::MAX);
            let read = blobs.read_part(&blob, part.start, length).await;
            Some((read.map_err(io::Error::other), rest))
        }
    })
}

/// The next part of a range and the rest; `None` at its end.
fn split(range: Range<u64>) -> Option<(Range<u64>, Range<u64>)> {
    let end = range.end.min(range.start + PART_BYTES);
    (!range.is_empty()).then_some((range.start..end, end..range.end))
}
