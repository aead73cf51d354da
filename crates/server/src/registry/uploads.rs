//! `/v2/<name>/blobs/uploads/`: blobs come in one piece, in chunks, or from another repository.
//!
//! What writes runs in a task of its own: a client that goes away ends nothing halfway, and what it
//! sent until then stays.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use axum::response::Response;
use store::Registry;
use store::registry::{ContentDigest, Link, RegistryError, RepositoryName, UploadId, Writing};

use super::Ask;
use super::answer::{CONTENT_DIGEST, Refusal, bare, received};
use super::body::Incoming;
use super::range;

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Begins an upload, or ends it at once: with the whole content, or with what another repository
/// has.
pub(super) async fn begin(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    incoming: &mut Incoming,
) -> Result<Response, Refusal> {
    if let Some(mount) = ask.parameter("mount") {
        let digest = mount.parse()?;
        if let Some(link) = mounted(ask, repository, &digest).await? {
            return Ok(created(repository, &link));
        }
    }
    let id = ask.registry().begin_upload(repository).await?;
    let Some(digest) = ask.parameter("digest") else {
        return Ok(accepted(StatusCode::ACCEPTED, repository, id, 0));
    };
    let finished = match digest.parse() {
        Ok(digest) => finish_as(ask, repository, id, digest, incoming).await,
        Err(error) => Err(Refusal::from(error)),
    };
    if finished.is_err() {
        // Nobody knows its id. When it is gone already, so much the better.
        let _ = ask.registry().cancel_upload(repository, id).await;
    }
    finished
}

/// Links a blob that another repository has, when the caller may read that one.
async fn mounted(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Option<Link>, Refusal> {
    let candidates = match ask.parameter("from") {
        Some(from) => from.parse().ok().into_iter().collect(),
        None => ask.registry().repositories_of(digest).await?,
    };
    let readable = |from: &RepositoryName| ask.caller.may_read(ask.state, from);
    let Some(from) = candidates.into_iter().find(readable) else {
        return Ok(None);
    };
    match ask.registry().mount(&from, repository, digest).await {
        Ok(link) => Ok(Some(link)),
        // Then the client sends it.
        Err(RegistryError::BlobUnknown(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How far an upload came.
pub(super) async fn status(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    id: UploadId,
) -> Result<Response, Refusal> {
    let offset = ask.registry().upload_offset(repository, id).await?;
    Ok(accepted(StatusCode::NO_CONTENT, repository, id, offset))
}

/// Adds a chunk, or all that comes.
pub(super) async fn append(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    id: UploadId,
    incoming: &mut Incoming,
) -> Result<Response, Refusal> {
    let writing = ask.registry().take_upload(repository, id).await?;
    let length = announced(ask, &writing, repository, id, incoming)?;
    let body = incoming.take();
    let received = detached(async move { Ok(receive(writing, body, length).await?.offset()) });
    Ok(accepted(
        StatusCode::ACCEPTED,
        repository,
        id,
        received.await?,
    ))
}

/// Adds the last chunk, if there is one, and links the blob.
pub(super) async fn finish(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    id: UploadId,
    incoming: &mut Incoming,
) -> Result<Response, Refusal> {
    let digest = ask.parameter("digest").unwrap_or_default();
    finish_as(ask, repository, id, digest.parse()?, incoming).await
}

async fn finish_as(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    id: UploadId,
    digest: ContentDigest,
    incoming: &mut Incoming,
) -> Result<Response, Refusal> {
    let writing = ask.registry().take_upload(repository, id).await?;
    let length = announced(ask, &writing, repository, id, incoming)?;
    let (body, registry) = (incoming.take(), ask.registry().clone());
    let name = repository.clone();
    let link = detached(async move {
        let writing = receive(writing, body, length).await?;
        linked(&registry, &name, writing, &digest).await
    });
    Ok(created(repository, &link.await?))
}

async fn linked(
    registry: &Registry,
    repository: &RepositoryName,
    writing: Writing,
    digest: &ContentDigest,
) -> Result<Link, Refusal> {
    Ok(registry.finish_upload(repository, writing, digest).await?)
}

/// Ends an upload.
pub(super) async fn cancel(
    ask: &Ask<'_>,
    repository: &RepositoryName,
    id: UploadId,
) -> Result<Response, Refusal> {
    ask.registry().cancel_upload(repository, id).await?;
    Ok(bare(StatusCode::NO_CONTENT, []))
}

/// How long the chunk is, when it says so. It belongs right behind what is there.
fn announced(
    ask: &Ask<'_>,
    writing: &Writing,
    repository: &RepositoryName,
    id: UploadId,
    incoming: &Incoming,
) -> Result<Option<u64>, Refusal> {
    let Some(header) = ask.header(CONTENT_RANGE.as_str()) else {
        return Ok(incoming.length());
    };
    let chunk = range::chunk(header)
        .ok_or_else(|| Refusal::bad_upload(format!("`{header}` is no range of bytes")))?;
    let (offset, length) = (writing.offset(), chunk.end - chunk.start);
    if chunk.start != offset {
        let refusal = Refusal::from(RegistryError::OutOfOrder { offset });
        return Err(refusal.of_upload(location(repository, id)));
    }
    match incoming.length() {
        Some(sent) if sent != length => Err(RegistryError::SizeMismatch.into()),
        _ => Ok(Some(length)),
    }
}

/// Writes what comes. A chunk of another length than it says is taken back; one that breaks off
/// stays as far as it came.
async fn receive(
    mut writing: Writing,
    mut incoming: Incoming,
    announced: Option<u64>,
) -> Result<Writing, Refusal> {
    let begin = writing.offset();
    let end = loop {
        match incoming.next().await {
            Ok(None) => break writing.settle().await?,
            Ok(Some(bytes)) => {
                if let Err(error) = writing.append(bytes).await {
                    writing.undo(begin).await?;
                    incoming.drain().await;
                    return Err(error.into());
                }
            }
            Err(refusal) => {
                writing.settle().await?;
                return Err(refusal);
            }
        }
    };
    if announced.is_some_and(|length| end - begin != length) {
        writing.undo(begin).await?;
        return Err(RegistryError::SizeMismatch.into());
    }
    Ok(writing)
}

/// Runs `work` to its end whatever becomes of the request.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(RegistryError::from(std::io::Error::other(error)).into()),
    }
}

fn location(repository: &RepositoryName, id: UploadId) -> String {
    format!("/v2/{repository}/blobs/uploads/{id}")
}

fn accepted(
    status: StatusCode,
    repository: &RepositoryName,
    id: UploadId,
    offset: u64,
) -> Response {
    let headers = [
        (LOCATION, location(repository, id)),
        (RANGE, received(offset)),
        (UPLOAD_ID, id.to_string()),
    ];
    let mut response = bare(status, headers);
    if status == StatusCode::ACCEPTED {
        response.headers_mut().insert(CONTENT_LENGTH, 0.into());
    }
    response
}

fn created(repository: &RepositoryName, link: &Link) -> Response {
    let headers = [
        (LOCATION, format!("/v2/{repository}/blobs/{}", link.digest)),
        (CONTENT_DIGEST, link.digest.to_string()),
    ];
    bare(StatusCode::CREATED, headers)
}
