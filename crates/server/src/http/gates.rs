//! `/v1/apps/{app}/exemptions`, `/v1/advisories`, `/v1/policy`: what gates go by.

use api::gates::{Decided, ExemptRequest, Exempted, ImportRequest, PolicyNow};
use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use model::advisory::AdvisoryFacts;
use model::exemption::GrantedExemption;
use model::{Failure, FailureCode};
use serde::Deserialize;
use serde_json::Value;

use super::apps::name;
use super::peer::Peer;
use super::{Daemon, Refusal};

/// Everything that was ever let pass for an app.
pub(crate) async fn exemptions(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
) -> Result<Json<Vec<GrantedExemption>>, Refusal> {
    Ok(Json(daemon.delivery.exemptions(&name(&app)?).await?))
}

/// Something is let pass for a while.
pub(crate) async fn exempt(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(app): Path<String>,
    Json(request): Json<ExemptRequest>,
) -> Result<Json<Exempted>, Refusal> {
    let owner = peer.owner()?;
    let exempted = daemon.delivery.exempt(&name(&app)?, request, owner).await?;
    Ok(Json(exempted))
}

/// It no longer is.
pub(crate) async fn revoke(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path((app, id)): Path<(String, String)>,
) -> Result<Json<GrantedExemption>, Refusal> {
    let (app, owner) = (name(&app)?, peer.owner()?);
    Ok(Json(
        daemon.delivery.revoke_exemption(&app, &id, owner).await?,
    ))
}

/// What holds of an app's exemptions, as an OpenVEX document; null when none is about a
/// vulnerability.
pub(crate) async fn vex(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
) -> Result<Json<Option<Value>>, Refusal> {
    Ok(Json(daemon.delivery.vex(&name(&app)?).await?))
}

/// What is known about the vulnerability data; null without any.
pub(crate) async fn advisories(
    State(daemon): State<Daemon>,
) -> Result<Json<Option<AdvisoryFacts>>, Refusal> {
    Ok(Json(daemon.delivery.advisories().await?))
}

/// Newer data is taken in.
pub(crate) async fn import(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(request): Json<ImportRequest>,
) -> Result<Json<AdvisoryFacts>, Refusal> {
    let owner = peer.owner()?;
    let imported = daemon
        .delivery
        .import_advisories(request.archives, request.change, owner);
    Ok(Json(imported.await?))
}

/// The policy that decides now.
pub(crate) async fn policy(State(daemon): State<Daemon>) -> Json<PolicyNow> {
    Json(daemon.delivery.policy_now())
}

/// Which decisions.
#[derive(Debug, Deserialize)]
pub(crate) struct Which {
    run: Option<String>,
    limit: Option<usize>,
}

/// What policies decided about runs, newest first.
pub(crate) async fn decisions(
    State(daemon): State<Daemon>,
    Query(which): Query<Which>,
) -> Result<Json<Vec<Decided>>, Refusal> {
    let run = which.run.map(|run| run.parse()).transpose();
    let run = run.map_err(|_| {
        Failure::new(FailureCode::Usage, "that is no run")
            .hint("`mayfly up --json` and `mayfly audit` name runs")
    })?;
    let limit = which.limit.unwrap_or(100);
    Ok(Json(daemon.delivery.decisions(run, limit).await?))
}
