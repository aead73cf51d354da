//! `/v1/audit`: what happened, and whether ledger and log agree on it.

use std::collections::BTreeMap;

use api::supply::AuditReport;
use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use model::app::Owner;
use model::event::Event;
use serde::Deserialize;

use super::apps::name;
use super::peer::Peer;
use super::{Daemon, Refusal};

/// Which events.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    app: Option<String>,
    #[serde(default)]
    after: u64,
}

/// Events, oldest first.
pub(crate) async fn history(
    State(daemon): State<Daemon>,
    Query(asked): Query<Asked>,
) -> Result<Json<Vec<Event>>, Refusal> {
    let app = asked.app.as_deref().map(name).transpose()?;
    let events = daemon.delivery.history(app.as_ref(), asked.after).await?;
    Ok(Json(events))
}

/// Compares the whole log with the ledger.
pub(crate) async fn verify(State(daemon): State<Daemon>) -> Result<Json<AuditReport>, Refusal> {
    Ok(Json(daemon.delivery.audit().await?))
}

/// Whom the hashes in events stand for.
pub(crate) async fn people(
    State(daemon): State<Daemon>,
) -> Result<Json<BTreeMap<String, u32>>, Refusal> {
    Ok(Json(daemon.delivery.people().await?))
}

/// Lets nobody tell any more who stands behind a person's hashes.
pub(crate) async fn forget(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(uid): Path<u32>,
) -> Result<Json<()>, Refusal> {
    let caller = peer.owner()?;
    daemon.delivery.forget_person(Owner { uid }, caller).await?;
    Ok(Json(()))
}
