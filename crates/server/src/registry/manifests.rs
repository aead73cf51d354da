//! `/v2/<name>/manifests/<reference>`.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use store::registry::{Kept, NewManifest, Reference, RegistryError, RepositoryName, Tag};

use super::Ask;
use super::answer::{CONTENT_DIGEST, Refusal, bare};
use super::body::Incoming;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAG: HeaderName = HeaderName::from_static("oci-tag");

/// A manifest, as it was sent.
pub(super) async fn get(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Refusal> {
    let manifest = ask.registry().manifest(repository, reference).await?;
    let link = &manifest.link;
    let headers = [
        (CONTENT_LENGTH, link.size_bytes.to_string()),
        (CONTENT_TYPE, manifest.media_type.clone()),
        (CONTENT_DIGEST, link.digest.to_string()),
        (ETAG, format!("\"{}\"", link.digest)),
    ];
    let mut response = (StatusCode::OK, headers).into_response();
    if ask.parts.method == Method::GET {
        let bytes = ask.registry().manifest_bytes(&manifest).await?;
        *response.body_mut() = Body::from(bytes);
    }
    Ok(response)
}

/// Keeps a manifest, under its digest or a tag, and under the tags of the parameter `tag`.
pub(super) async fn put(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    reference: &Reference,
    incoming: &mut Incoming,
) -> Result<Response, Refusal> {
    let tags = tags(ask)?;
    let limits = ask.registry().limits();
    let bytes = incoming.whole(limits.manifest_bytes).await?;
    let bytes = bytes.ok_or(RegistryError::ManifestTooLarge(limits.manifest_bytes))?;
    let new = NewManifest {
        reference: reference.clone(),
        tags: tags.clone(),
        content_type: ask.header(CONTENT_TYPE.as_str()).map(ToOwned::to_owned),
        bytes,
    };
    let kept = ask.registry().put_manifest(repository, new).await?;
    Ok(created(repository, &kept, &tags))
}

fn tags(ask: &Ask<'_>) -> Result<Vec<Tag>, Refusal> {
    let tags = ask.parameters("tag");
    let limit = ask.registry().limits().tags_at_once;
    if tags.len() > limit {
        let text = format!("one push sets at most {limit} tags");
        return Err(Refusal::new(StatusCode::URI_TOO_LONG, "UNSUPPORTED", text));
    }
    tags.iter()
        .map(|tag| tag.parse().map_err(Refusal::from))
        .collect()
}

fn created(repository: &RepositoryName, kept: &Kept, tags: &[Tag]) -> Response {
    let location = format!("/v2/{repository}/manifests/{}", kept.digest);
    let headers = [
        (LOCATION, location),
        (CONTENT_DIGEST, kept.digest.to_string()),
    ];
    let mut response = bare(StatusCode::CREATED, headers);
    let subject = kept.subject.map(|subject| (SUBJECT, subject.to_string()));
    let tags = tags.iter().map(|tag| (TAG, tag.to_string()));
    for (name, value) in subject.into_iter().chain(tags) {
        // Digests and tags are plain letters.
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Removes a tag, or a manifest with its tags.
pub(super) async fn delete(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    reference: &Reference,
) -> Result<Response, Refusal> {
    ask.registry()
        .delete_manifest(repository, reference)
        .await?;
    Ok(bare(StatusCode::ACCEPTED, []))
}
