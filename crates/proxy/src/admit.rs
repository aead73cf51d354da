//! Lets a request onto a release's lane.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, Response};

use crate::address::{Addressed, address};
use crate::body::Body;
use crate::connection::Client;
use crate::lane::Flight;
use crate::pages::{Form, Page};
use crate::table::{AppRoute, Backend};

/// A request on its lane.
pub(crate) struct Admitted {
    /// The route that led there.
    pub(crate) route: Arc<AppRoute>,
    /// Who answers.
    pub(crate) backend: Arc<Backend>,
    /// The request, counted.
    pub(crate) flight: Flight,
}

/// Chooses a release and enters its lane; waits while the app is held. When the route was replaced
/// meanwhile, it begins again: nobody enters the lane of a release that was found idle.
pub(crate) async fn admit<B>(
    client: &Client,
    request: &Request<B>,
    started: Instant,
) -> Result<Admitted, Response<Body>> {
    let form = || Form::wanted(request.headers());
    loop {
        let to = address(client, request).map_err(|page| page.response(form()))?;
        let backend = match to.release {
            Some(number) => to.route.release(number),
            None => to.route.draw(&client.worker.chance),
        };
        let flight = backend.map(|backend| backend.lane.enter(started));
        let held = to.route.gatehouse.is_held();
        if !held && to.route.is_current() {
            let found = backend.cloned().zip(flight);
            let (backend, flight) = found.ok_or_else(|| nobody(&to, form()))?;
            let route = to.route;
            return Ok(Admitted {
                route,
                backend,
                flight,
            });
        }
        if let Some(flight) = flight {
            flight.withdraw();
        }
        match held {
            true => wait(client, &to.route, started, form()).await?,
            false => tokio::task::yield_now().await,
        }
    }
}

fn nobody(to: &Addressed, form: Form) -> Response<Body> {
    match to.release {
        Some(_) => Page::NoSuchRelease.response(form),
        None => Page::Down(&to.route.down).response(form),
    }
}

async fn wait(
    client: &Client,
    route: &AppRoute,
    started: Instant,
    form: Form,
) -> Result<(), Response<Body>> {
    let limit = client.worker.shared.config.limits.hold;
    let left = limit.saturating_sub(started.elapsed());
    let waited = tokio::time::timeout(left, route.gatehouse.resumed()).await;
    waited.map_err(|_| Page::TakingOver.response(form))
}
