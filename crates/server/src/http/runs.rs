//! `/v1/runs`: bring a folder up.

use std::sync::Arc;

use api::types::UpRequest;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::response::Response;

use super::peer::Peer;
use super::{Daemon, Refusal, stream};

/// Starts a run and streams it.
pub(crate) async fn up(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(request): Json<UpRequest>,
) -> Result<Response, Refusal> {
    let owner = peer.owner()?;
    let delivery = Arc::clone(&daemon.delivery);
    stream::progress(move |sender| async move { delivery.up(request, owner, sender).await }).await
}
