//! `/v1/events`: the log of what happened.

use axum::Json;
use axum::extract::{Query, State};
use model::event::Event;
use serde::Deserialize;

use super::{Daemon, Refusal};

/// Which events.
#[derive(Debug, Deserialize)]
pub(crate) struct After {
    /// Those after this number.
    #[serde(default)]
    after: u64,
}

/// How many events one answer has at most.
const LIMIT: u32 = 1000;

/// Events after a number, oldest first.
pub(crate) async fn after(
    State(daemon): State<Daemon>,
    Query(query): Query<After>,
) -> Result<Json<Vec<Event>>, Refusal> {
    Ok(Json(daemon.delivery.events(query.after, LIMIT).await?))
}
