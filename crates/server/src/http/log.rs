//! `/v1/log`: the transparency log, for whoever asks. Entries hold no secrets and no personal data.
//!
//! Source of the paths below `tile`: C2SP tlog-tiles.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use model::transparency::{Consistency, Inclusion};
use model::{Failure, FailureCode};

use super::{Daemon, Refusal};

/// The newest promise.
pub(crate) async fn checkpoint(State(daemon): State<Daemon>) -> Result<Response, Refusal> {
    let checkpoint = daemon.delivery.transcribe().await?;
    Ok((
        [(CONTENT_TYPE, "text/plain; charset=utf-8")],
        checkpoint.note,
    )
        .into_response())
}

/// What clients verify checkpoints with.
pub(crate) async fn key(State(daemon): State<Daemon>) -> String {
    daemon.delivery.log().verifier_key().await
}

/// A tile, or a bundle of entries.
pub(crate) async fn tile(
    State(daemon): State<Daemon>,
    Path(path): Path<String>,
) -> Result<Response, Refusal> {
    let log = Arc::clone(daemon.delivery.log());
    let found = log.file(&format!("tile/{path}")).await;
    let found = found.map_err(|error| Failure::of(&error))?;
    let bytes = found.ok_or_else(|| {
        Failure::new(
            FailureCode::NotFound,
            format!("the log has no tile `{path}`"),
        )
    })?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        // What a tile of this name holds never changes.
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// That an entry, counted from 0, is in the log.
pub(crate) async fn inclusion(
    State(daemon): State<Daemon>,
    Path(index): Path<u64>,
) -> Result<Json<Inclusion>, Refusal> {
    let proof = daemon.delivery.log().prove_inclusion(index).await;
    Ok(Json(proof.map_err(|error| Failure::of(&error))?))
}

/// That the log has only grown since it had so many entries.
pub(crate) async fn consistency(
    State(daemon): State<Daemon>,
    Path(from): Path<u64>,
) -> Result<Json<Consistency>, Refusal> {
    let proof = daemon.delivery.log().prove_consistency(from).await;
    Ok(Json(proof.map_err(|error| Failure::of(&error))?))
}
