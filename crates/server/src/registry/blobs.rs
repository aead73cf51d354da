//! `/v2/<name>/blobs/<digest>`.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, stream};
use model::Digest;
use ports::BlobStore;
use store::registry::{ContentDigest, Link, RegistryError, RepositoryName};

use super::Ask;
use super::answer::{CONTENT_DIGEST, Refusal, bare};
use super::range::{Wanted, wanted};

/// How much of a blob is in memory at once, for each who pulls.
const PART_BYTES: u64 = 256 * 1024;

/// Content by its digest never changes.
const FOR_EVER: &str = "max-age=31536000, immutable";

/// A blob, or a part of it.
pub(super) async fn get(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Response, Refusal> {
    let link = ask.registry().blob(repository, digest).await?;
    let size = link.size_bytes;
    let (status, range) = match wanted(ask.header(RANGE.as_str()), size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Nothing => {
            let headers = [(CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok(bare(StatusCode::RANGE_NOT_SATISFIABLE, headers));
        }
    };
    let mut response = (status, headers(&link, &range)).into_response();
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        let part = part.parse().map_err(|_| Refusal::method_not_allowed())?;
        response.headers_mut().insert(CONTENT_RANGE, part);
    }
    if ask.parts.method == Method::GET {
        *response.body_mut() = content(ask, &link, range).await?;
    }
    Ok(response)
}

fn headers(link: &Link, range: &Range<u64>) -> [(axum::http::HeaderName, String); 6] {
    [
        (CONTENT_LENGTH, (range.end - range.start).to_string()),
        (CONTENT_TYPE, "application/octet-stream".to_owned()),
        (CONTENT_DIGEST, link.digest.to_string()),
        (ETAG, format!("\"{}\"", link.digest)),
        (ACCEPT_RANGES, "bytes".to_owned()),
        (CACHE_CONTROL, FOR_EVER.to_owned()),
    ]
}

async fn content(ask: &Ask<'_>, link: &Link, range: Range<u64>) -> Result<Body, Refusal> {
    let blobs = ask.registry().blobs();
    let path = blobs.local_path(&link.blob).await;
    let Some(path) = path.map_err(RegistryError::from)? else {
        return Ok(Body::from_stream(of_store(
            Arc::clone(blobs),
            link.blob,
            range,
        )));
    };
    // Once it is open, it can be read to its end whatever is deleted meanwhile.
    let file = File::open(path).map_err(RegistryError::from)?;
    Ok(Body::from_stream(of_file(file, range)))
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

/// Unlinks a blob.
pub(super) async fn delete(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Response, Refusal> {
    ask.registry().unlink_blob(repository, digest).await?;
    Ok(bare(StatusCode::ACCEPTED, []))
}
