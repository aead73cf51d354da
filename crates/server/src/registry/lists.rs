//! `/v2/<name>/tags/list` and `/v2/<name>/referrers/<digest>`: lists, page by page.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderName, LINK};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use store::registry::{ContentDigest, INDEX, Page, RepositoryName};

use super::Ask;
use super::answer::Refusal;

/// How many tags one answer has at most.
const MAX_TAGS: u32 = 10_000;
/// How many referrers are read at once.
const REFERRERS_AT_ONCE: u32 = 64;
/// How large a list of referrers gets before the next page begins: it must be a manifest that
/// every client takes.
const REFERRERS_BYTES: usize = 3 * 1024 * 1024;

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// Tags, in the order of their bytes.
pub(super) async fn tags(ask: &Ask<'_>, repository: &RepositoryName) -> Result<Response, Refusal> {
    let limit = limit(ask)?;
    let after = ask.parameter("last").unwrap_or_default();
    let page = Page {
        after: &after,
        // One more tells whether there are more.
        limit: limit + 1,
    };
    let mut tags = ask.registry().tags(repository, page).await?;
    let more = tags.len() > limit as usize;
    tags.truncate(limit as usize);
    let next = tags.last().filter(|_| more).map(|last| {
        let last = encoded(last);
        format!("</v2/{repository}/tags/list?n={limit}&last={last}>; rel=\"next\"")
    });
    let list = Json(json!({ "name": repository.as_str(), "tags": tags }));
    Ok(linked(list.into_response(), next))
}

fn limit(ask: &Ask<'_>) -> Result<u32, Refusal> {
    let Some(text) = ask.parameter("n") else {
        return Ok(MAX_TAGS);
    };
    let bad = |_| {
        let text = format!("`n={text}` is no number of tags");
        Refusal::new(StatusCode::BAD_REQUEST, "UNSUPPORTED", text)
    };
    text.parse::<u32>()
        .map(|limit| limit.min(MAX_TAGS))
        .map_err(bad)
}

/// What refers to a manifest, as an index. A manifest that is not there may have referrers too.
pub(super) async fn referrers(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    subject: &ContentDigest,
) -> Result<Response, Refusal> {
    let kind = ask.parameter("artifactType");
    let after = ask.parameter("last").unwrap_or_default();
    let (descriptors, last) = gather(ask, repository, subject, kind.as_deref(), after).await?;
    let next = last.map(|last| {
        let mut query = format!("last={}", encoded(&last));
        if let Some(kind) = &kind {
            query.push_str(&format!("&artifactType={}", encoded(kind)));
        }
        format!("</v2/{repository}/referrers/{subject}?{query}>; rel=\"next\"")
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": descriptors });
    let mut response = ([(CONTENT_TYPE, INDEX)], index.to_string()).into_response();
    if kind.is_some() {
        let filters = axum::http::HeaderValue::from_static("artifactType");
        response.headers_mut().insert(FILTERS_APPLIED, filters);
    }
    Ok(linked(response, next))
}

/// Descriptors until a page is full, and the last one's digest when there may be more.
async fn gather(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    subject: &ContentDigest,
    kind: Option<&str>,
    mut after: String,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let (mut descriptors, mut bytes) = (Vec::new(), 0);
    loop {
        let page = Page {
            after: &after,
            limit: REFERRERS_AT_ONCE,
        };
        let found = ask
            .registry()
            .referrers(repository, subject, kind, page)
            .await?;
        let at_end = found.len() < REFERRERS_AT_ONCE as usize;
        for referrer in found {
            let descriptor = referrer.descriptor();
            bytes += descriptor.to_string().len();
            if bytes > REFERRERS_BYTES && !descriptors.is_empty() {
                return Ok((descriptors, Some(after)));
            }
            after = referrer.manifest.link.digest.to_string();
            descriptors.push(descriptor);
        }
        if at_end {
            return Ok((descriptors, None));
        }
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn linked(mut response: Response, next: Option<String>) -> Response {
    if let Some(next) = next.and_then(|next| next.parse().ok()) {
        response.headers_mut().insert(LINK, next);
    }
    response
}
