//! The API on the daemon's socket: one file a resource. HTTP codes live here only.

mod apps;
mod audit;
mod blobs;
mod events;
mod gates;
mod keys;
mod log;
mod logs;
mod peer;
mod runs;
mod stop;
mod stream;
mod supply;
mod tokens;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use api::paths;
use api::supply::KeylessTrust;
use api::types::Health;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use delivery::Delivery;
use model::{Failure, FailureCode};
use store::registry::TokenStore;
use tokio::net::UnixListener;
use tokio::sync::watch;

use peer::Peer;

/// What one request's body may hold beside one file of the largest size: its frame, or the list of
/// a snapshot's files.
const BESIDE_BYTES: u64 = 56 * 1024 * 1024;

/// What every handler has.
#[derive(Clone)]
pub(crate) struct Daemon {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) home: PathBuf,
    pub(crate) api_address: SocketAddr,
    pub(crate) tokens: TokenStore,
    pub(crate) keyless: Option<KeylessTrust>,
    pub(crate) stop: watch::Sender<bool>,
}

/// Serves the API until `stopped` turns true.
pub(crate) async fn serve(
    listener: UnixListener,
    daemon: Daemon,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let largest = daemon.delivery.source_limits().total_bytes;
    let body = usize::try_from(largest.saturating_add(BESIDE_BYTES)).unwrap_or(usize::MAX);
    let app = router()
        .layer(DefaultBodyLimit::max(body))
        .with_state(daemon)
        .into_make_service_with_connect_info::<Peer>();
    let server = axum::serve(listener, app);
    tokio::select! {
        served = server => served,
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
    }
}

/// What anybody on this machine may read.
pub(crate) fn open_router(daemon: Daemon) -> Router {
    log_router().with_state(daemon)
}

fn log_router() -> Router<Daemon> {
    Router::new()
        .route(paths::CHECKPOINT, get(log::checkpoint))
        .route(paths::LOG_KEY, get(log::key))
        .route("/v1/log/tile/{*path}", get(log::tile))
        .route("/v1/log/inclusion/{index}", get(log::inclusion))
        .route("/v1/log/consistency/{from}", get(log::consistency))
}

fn router() -> Router<Daemon> {
    log_router()
        .route(paths::HEALTH, get(health))
        .route(paths::SNAPSHOTS, post(blobs::announce))
        .route(paths::BLOBS, post(blobs::receive))
        .route(paths::RUNS, post(runs::up))
        .route(paths::APPS, get(apps::list))
        .route("/v1/apps/{app}", get(apps::status).delete(apps::destroy))
        .route("/v1/apps/{app}/dossier", get(supply::dossier))
        .route("/v1/apps/{app}/inventory", get(supply::inventory))
        .route("/v1/apps/{app}/sbom", get(supply::bill))
        .route("/v1/apps/{app}/sbom/diff", get(supply::diff))
        .route("/v1/apps/{app}/push", post(supply::push))
        .route(
            "/v1/apps/{app}/exemptions",
            get(gates::exemptions).post(gates::exempt),
        )
        .route("/v1/apps/{app}/exemptions/{id}", delete(gates::revoke))
        .route("/v1/apps/{app}/vex", get(gates::vex))
        .route(
            paths::ADVISORIES,
            get(gates::advisories).post(gates::import),
        )
        .route(paths::POLICY, get(gates::policy))
        .route(paths::DECISIONS, get(gates::decisions))
        .route(paths::KEYS, get(keys::list).post(keys::rotate))
        .route("/v1/keys/revoke", post(keys::revoke))
        .route("/v1/keys/export", get(keys::export))
        .route(paths::TOKENS, get(tokens::list).post(tokens::issue))
        .route("/v1/tokens/{id}", delete(tokens::revoke))
        .route(paths::AUDIT, get(audit::history))
        .route("/v1/audit/verify", post(audit::verify))
        .route("/v1/audit/people", get(audit::people))
        .route("/v1/audit/people/{uid}", delete(audit::forget))
        .route("/v1/apps/{app}/rollback", post(apps::rollback))
        .route("/v1/apps/{app}/restore", post(apps::restore))
        .route("/v1/apps/{app}/logs", get(logs::lines))
        .route(paths::EVENTS, get(events::after))
        .route(paths::STOP, post(stop::stop))
}

async fn health(State(daemon): State<Daemon>) -> Json<Health> {
    Json(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        home: daemon.home,
        port: daemon.delivery.edge().port(),
        api: daemon.api_address.to_string(),
        source: daemon.delivery.source_limits(),
    })
}

/// A failure as an answer.
pub(crate) struct Refusal(Failure);

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (status(self.0.code), Json(self.0)).into_response()
    }
}

fn status(code: FailureCode) -> StatusCode {
    match code {
        FailureCode::NotFound => StatusCode::NOT_FOUND,
        FailureCode::Forbidden => StatusCode::FORBIDDEN,
        FailureCode::NameTaken | FailureCode::InUse | FailureCode::Superseded => {
            StatusCode::CONFLICT
        }
        FailureCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FailureCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        FailureCode::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        FailureCode::Internal | FailureCode::Machine | FailureCode::LedgerVersion => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
