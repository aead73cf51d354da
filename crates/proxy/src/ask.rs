//! Asks a release's server, in words that fit it, and brings its answer in words that fit clients.

use std::time::Duration;

use http::header::{CONTENT_TYPE, UPGRADE};
use http::response::Parts;
use http::uri::Uri;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use model::ReleaseNumber;
use ports::traffic::Wakefulness;

use crate::body::{Body, Upload};
use crate::connection::Client;
use crate::forward::{Hop, Lease, Reuse, Trouble};
use crate::lane::Flight;
use crate::relay::Relay;
use crate::table::Backend;
use crate::tunnel::{Ends, Protocol};
use crate::{headers, validators};

/// A client's wish to leave HTTP.
pub(crate) struct Switch {
    protocol: HeaderValue,
    client: OnUpgrade,
}

impl Switch {
    /// Takes the wish out of a request.
    pub(crate) fn wanted(request: &mut Request<Incoming>) -> Option<Self> {
        let protocol = headers::wanted_upgrade(request.headers())?;
        let client = hyper::upgrade::on(request);
        Some(Self { protocol, client })
    }
}

/// What a server answered.
pub(crate) struct Reply {
    /// For the client.
    pub(crate) response: Response<Body>,
    /// What follows the response, when the server agreed to switch.
    pub(crate) tunnel: Option<Ends>,
}

/// Sends a request to a backend's server, woken when it sleeps.
pub(crate) async fn ask(
    client: &Client,
    backend: &Backend,
    flight: &Flight,
    mut request: Request<Upload>,
    switch: Option<Switch>,
    limit: Duration,
) -> Result<Reply, Trouble> {
    let instance = backend.instance.as_ref().ok_or(Trouble::Unreachable)?;
    if backend.wakefulness == Wakefulness::Asleep {
        wake(client, flight, limit).await?;
    }
    outgoing(client, &mut request, flight.release().number);
    let reuse = match &switch {
        Some(switch) => {
            headers::upgrade(request.headers_mut(), switch.protocol.clone());
            Reuse::Never
        }
        None => Reuse::Allowed,
    };
    let hop = Hop {
        worker: &client.worker,
        instance,
        flight,
        limit,
    };
    let (response, lease) = hop.send(request, reuse).await?;
    match (response.status(), switch) {
        (StatusCode::SWITCHING_PROTOCOLS, Some(switch)) => Ok(switched(response, switch)),
        (StatusCode::SWITCHING_PROTOCOLS, None) => Err(Trouble::Broke),
        _ => Ok(Reply {
            response: incoming(client, flight, response, lease),
            tunnel: None,
        }),
    }
}

async fn wake(client: &Client, flight: &Flight, limit: Duration) -> Result<(), Trouble> {
    let woken = client.worker.shared.config.waker.wake(flight.release());
    match tokio::time::timeout(limit, woken).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(cause)) => {
            tracing::warn!(%cause, release = %flight.release(), "a release cannot be woken");
            Err(Trouble::Unreachable)
        }
        Err(_) => Err(Trouble::TooSlow),
    }
}

/// The server agreed to leave HTTP.
fn switched(mut response: Response<Incoming>, switch: Switch) -> Reply {
    let server = hyper::upgrade::on(&mut response);
    let (mut parts, _) = response.into_parts();
    let protocol = parts
        .headers
        .get(UPGRADE)
        .cloned()
        .unwrap_or(switch.protocol);
    headers::strip_hop_by_hop(&mut parts.headers);
    headers::upgrade(&mut parts.headers, protocol.clone());
    parts.version = Version::HTTP_11;
    Reply {
        response: Response::from_parts(parts, Body::empty()),
        tunnel: Some(Ends {
            client: switch.client,
            server,
            protocol: Protocol::named(protocol.as_bytes()),
        }),
    }
}

/// The request as the app gets it.
fn outgoing(client: &Client, request: &mut Request<Upload>, release: ReleaseNumber) {
    request.extensions_mut().clear();
    let headers = request.headers_mut();
    headers::strip_hop_by_hop(headers);
    headers::forwarded(headers, &client.address);
    headers::identify(headers, &client.worker.chance);
    validators::unmark(headers, release);
    *request.version_mut() = Version::HTTP_11;
    if request.uri().authority().is_some() {
        *request.uri_mut() = origin_form(request.uri());
    }
}

fn origin_form(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    path.map_or_else(|| Uri::from_static("/"), Uri::from)
}

/// The response as the client gets it.
fn incoming(
    client: &Client,
    flight: &Flight,
    response: Response<Incoming>,
    lease: Lease,
) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    headers::strip_hop_by_hop(&mut parts.headers);
    validators::mark(&mut parts.headers, flight.release().number);
    parts.version = Version::HTTP_11;
    let idle = client.worker.shared.config.limits.idle_body;
    let relay = Relay::new(body, lease, (!is_event_stream(&parts)).then_some(idle));
    Response::from_parts(parts, Body::Relay(Box::new(relay)))
}

/// Event streams are silent until something happens.
fn is_event_stream(parts: &Parts) -> bool {
    let kind = parts.headers.get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}
