//! `/v1/apps`: what there is, and changes to it.

use std::sync::Arc;

use api::types::{AppStatus, AppSummary, Destroyed, RollbackRequest};
use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::response::Response;
use model::{AppName, Failure, FailureCode};

use super::peer::Peer;
use super::{Daemon, Refusal, stream};

/// Every app.
pub(crate) async fn list(State(daemon): State<Daemon>) -> Result<Json<Vec<AppSummary>>, Refusal> {
    Ok(Json(daemon.delivery.list().await?))
}

/// One app, whole.
pub(crate) async fn status(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
) -> Result<Json<AppStatus>, Refusal> {
    Ok(Json(daemon.delivery.status(&name(&app)?).await?))
}

/// Ends an app, restorable for a while. Goes on when the caller goes away.
pub(crate) async fn destroy(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(app): Path<String>,
) -> Result<Json<Destroyed>, Refusal> {
    let (app, owner) = (name(&app)?, peer.owner()?);
    let destroyed = tokio::spawn(async move { daemon.delivery.destroy(&app, owner).await }).await;
    let destroyed =
        destroyed.map_err(|error| Failure::new(FailureCode::Internal, error.to_string()))?;
    Ok(Json(destroyed?))
}

/// Goes back to an earlier release, and streams how.
pub(crate) async fn rollback(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(app): Path<String>,
    Json(request): Json<RollbackRequest>,
) -> Result<Response, Refusal> {
    let (app, owner) = (name(&app)?, peer.owner()?);
    let delivery = Arc::clone(&daemon.delivery);
    stream::progress(
        move |sender| async move { delivery.rollback(&app, &request, owner, sender).await },
    )
    .await
}

/// Brings a destroyed app back, and streams how.
pub(crate) async fn restore(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(app): Path<String>,
) -> Result<Response, Refusal> {
    let (app, owner) = (name(&app)?, peer.owner()?);
    let delivery = Arc::clone(&daemon.delivery);
    stream::progress(move |sender| async move { delivery.restore(&app, owner, sender).await }).await
}

/// An app's name from a path.
pub(crate) fn name(text: &str) -> Result<AppName, Failure> {
    text.parse().map_err(|error: model::app::AppNameError| {
        Failure::new(FailureCode::NotFound, error.to_string())
    })
}
