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

/// How much of a blob is read at once.
const PART_BYTES: u64 = 256 * 1024;
/// How many parts are read at once: the next one while this one is sent.
const AHEAD: usize = 2;

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
    let read = move |part| {
        let file = Arc::clone(&file);
        async move {
            let read = tokio::task::spawn_blocking(move || read_part(&file, &part)).await;
            read.map_err(io::Error::other).flatten()
        }
    };
    stream::iter(parts(range)).map(read).buffered(AHEAD)
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
    let read = move |part: Range<u64>| {
        let blobs = Arc::clone(&blobs);
        async move {
            let length = usize::try_from(part.end - part.start).map_err(io::Error::other)?;
            let read = blobs.read_part(&blob, part.start, length).await;
            read.map_err(io::Error::other)
        }
    };
    stream::iter(parts(range)).map(read).buffered(AHEAD)
}

/// A range, cut into parts.
fn parts(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    let next = move |part: &Range<u64>| Some(part.end..end.min(part.end + PART_BYTES));
    let first = range.start..end.min(range.start + PART_BYTES);
    std::iter::successors(Some(first), next).take_while(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_range_once() {
        for range in [0..0, 5..5, 0..1, 7..PART_BYTES + 7, 3..3 * PART_BYTES] {
            let mut at = range.start;
            for part in parts(range.clone()) {
                assert!(part.start == at && part.end - part.start <= PART_BYTES);
                at = part.end;
            }
            assert_eq!(at, range.end);
        }
    }
}
