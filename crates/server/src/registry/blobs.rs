//! `/v2/<name>/blobs/<digest>`.

use std::ops::Range;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use store::registry::{ContentDigest, Link, RepositoryName};

use super::Ask;
use super::answer::{CONTENT_DIGEST, Refusal, bare};
use super::range::{Wanted, wanted};

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
        let content = ask.registry().content(&link, range).await?;
        *response.body_mut() = Body::from_stream(content);
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

/// Unlinks a blob.
pub(super) async fn delete(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Response, Refusal> {
    ask.registry().unlink_blob(repository, digest).await?;
    Ok(bare(StatusCode::ACCEPTED, []))
}
