//! `/v1/apps/{app}/…`: what is in an image, what vouches for it, and copies of it elsewhere.

use api::supply::{Dossier, PushRequest, Pushed};
use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use delivery::dossier::Which;
use model::inventory::{BillFormat, Diff, Inventory};
use model::{Digest, Failure, FailureCode, ReleaseNumber};
use serde::Deserialize;

use super::apps::name;
use super::peer::Peer;
use super::{Daemon, Refusal};

/// Which release, and in which form.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    release: Option<ReleaseNumber>,
    image: Option<Digest>,
    format: Option<BillFormat>,
    /// The release that another one is compared with.
    before: Option<ReleaseNumber>,
}

impl Asked {
    fn which(&self) -> Which {
        match (self.release, self.image) {
            (Some(number), _) => Which::Number(number),
            (None, Some(image)) => Which::Image(image),
            (None, None) => Which::Stable,
        }
    }
}

/// All that vouches for a release.
pub(crate) async fn dossier(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Dossier>, Refusal> {
    let dossier = daemon.delivery.dossier(&name(&app)?, asked.which()).await?;
    Ok(Json(Dossier {
        keyless: daemon.keyless,
        ..dossier
    }))
}

/// What is in an image, as others read it.
pub(crate) async fn bill(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Refusal> {
    let format = asked.format.unwrap_or(BillFormat::Spdx);
    let app = name(&app)?;
    let bill = daemon.delivery.bill(&app, asked.which(), format);
    Ok(([(CONTENT_TYPE, "application/json")], bill.await?).into_response())
}

/// What is in an image, as mayfly sees it.
pub(crate) async fn inventory(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Inventory>, Refusal> {
    let app = name(&app)?;
    let inventory = daemon.delivery.inventory(&app, asked.which());
    Ok(Json(inventory.await?))
}

/// What changed in an image since another release.
pub(crate) async fn diff(
    State(daemon): State<Daemon>,
    Path(app): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<Diff>, Refusal> {
    let before = asked
        .before
        .ok_or_else(|| Failure::new(FailureCode::Usage, "name the release to compare with"))?;
    let (app, before) = (name(&app)?, Which::Number(before));
    let diff = daemon.delivery.bill_diff(&app, before, asked.which());
    Ok(Json(diff.await?))
}

/// Copies an image with all that vouches for it to a registry elsewhere.
pub(crate) async fn push(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(app): Path<String>,
    Json(request): Json<PushRequest>,
) -> Result<Json<Pushed>, Refusal> {
    let (app, owner) = (name(&app)?, peer.owner()?);
    Ok(Json(daemon.delivery.push(&app, request, owner).await?))
}
