//! `/v1/stop`: ends the daemon, with its apps or without.

use api::types::StopRequest;
use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use model::{Failure, FailureCode};

use super::peer::Peer;
use super::{Daemon, Refusal};

/// Ends the daemon after this answer. Only root may: it ends everybody's apps.
pub(crate) async fn stop(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(request): Json<StopRequest>,
) -> Result<StatusCode, Refusal> {
    if peer.owner()?.uid != 0 {
        let failure = Failure::new(FailureCode::Forbidden, "only root may end the daemon");
        return Err(failure.hint("run `sudo mayfly stop`").into());
    }
    if request == StopRequest::WithApps {
        daemon.delivery.stop_all().await?;
    }
    tokio::spawn(async move {
        // The answer is a few bytes on a local socket: it is out before the listener closes.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        daemon.stop.send_replace(true);
    });
    Ok(StatusCode::ACCEPTED)
}
