//! `/v1/keys`: the server's signing keys.

use api::supply::{Export, KnownKey, RevokeRequest};
use axum::Json;
use axum::extract::{ConnectInfo, Query, State};
use serde::Deserialize;

use super::apps::name;
use super::peer::Peer;
use super::{Daemon, Refusal};

/// Every key, oldest first.
pub(crate) async fn list(State(daemon): State<Daemon>) -> Json<Vec<KnownKey>> {
    Json(daemon.delivery.known_keys().await)
}

/// A new key takes over.
pub(crate) async fn rotate(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<KnownKey>, Refusal> {
    Ok(Json(daemon.delivery.rotate_key(peer.owner()?).await?))
}

/// A key counts no more from a moment on.
pub(crate) async fn revoke(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(request): Json<RevokeRequest>,
) -> Result<Json<KnownKey>, Refusal> {
    let owner = peer.owner()?;
    Ok(Json(daemon.delivery.revoke_key(&request, owner).await?))
}

/// Which app's image the commands are for.
#[derive(Debug, Deserialize)]
pub(crate) struct For {
    app: Option<String>,
}

/// What others need to verify.
pub(crate) async fn export(
    State(daemon): State<Daemon>,
    Query(asked): Query<For>,
) -> Result<Json<Export>, Refusal> {
    let app = asked.app.as_deref().map(name).transpose()?;
    Ok(Json(daemon.delivery.export_keys(app.as_ref()).await?))
}
