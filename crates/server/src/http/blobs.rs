//! `/v1/snapshots` and `/v1/blobs`: a folder's content, each file sent once.

use std::collections::BTreeSet;

use api::client::unframe;
use api::types::Missing;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bytes::Bytes;
use model::Digest;
use model::snapshot::Snapshot;

use super::{Daemon, Refusal};

/// Keeps a snapshot; answers which of its files are missing.
pub(crate) async fn announce(
    State(daemon): State<Daemon>,
    Json(snapshot): Json<Snapshot>,
) -> Result<Json<Missing>, Refusal> {
    let digest = daemon
        .delivery
        .keep_snapshot(snapshot.entries.clone())
        .await?;
    let wanted: BTreeSet<Digest> = snapshot.digests().collect();
    let missing = daemon
        .delivery
        .missing_blobs(wanted.into_iter().collect())
        .await?;
    Ok(Json(Missing {
        snapshot: digest,
        missing,
    }))
}

/// Keeps files; each must hash to the digest that it was sent with.
pub(crate) async fn receive(
    State(daemon): State<Daemon>,
    mut body: Bytes,
) -> Result<StatusCode, Refusal> {
    let mut blobs = Vec::new();
    while let Some((digest, content)) = unframe(&mut body)? {
        blobs.push((Some(digest), content));
    }
    daemon.delivery.keep_blobs(blobs).await?;
    Ok(StatusCode::NO_CONTENT)
}
