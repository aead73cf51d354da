//! Which app, and which of its releases, a request means.

use std::sync::Arc;

use http::header::HOST;
use http::{Method, Request, Version};
use model::ReleaseNumber;

use crate::connection::Client;
use crate::host::{self, Wanted};
use crate::pages::Page;
use crate::table::AppRoute;
use crate::worker::Door;

/// The route that a request names, and the release when it names one.
pub(crate) struct Addressed {
    /// The route as it is now.
    pub(crate) route: Arc<AppRoute>,
    /// The release; `None` for whoever serves.
    pub(crate) release: Option<ReleaseNumber>,
}

/// Reads a request's target and Host against the door that it came through.
pub(crate) fn address<B>(
    client: &Client,
    request: &Request<B>,
) -> Result<Addressed, Page<'static>> {
    let shared = &client.worker.shared;
    let host = host_of(request)?;
    let mut room = [0; 63];
    let wanted = host::wanted(host, &shared.config.domain, &mut room);
    let (app, release) = match (&*client.door, wanted) {
        (Door::Edge, Some(Wanted::App(app))) => (app, None),
        (Door::Edge, Some(Wanted::Release(app, number))) => (app, Some(number)),
        (Door::Edge, None) => return Err(Page::NoSuchApp),
        (Door::Own(own), Some(Wanted::App(app))) if app == own.as_str() => (app, None),
        (Door::Own(own), Some(Wanted::Release(app, number))) if app == own.as_str() => {
            (app, Some(number))
        }
        // Any other name leads here only when its owner points it at this machine: a web page
        // that wants to read what runs here (DNS rebinding).
        (Door::Own(own), _) if host.is_empty() || host::is_local(host) => (own.as_str(), None),
        (Door::Own(_), _) => return Err(Page::WrongHost),
    };
    let table = shared.table.load();
    let route = table.get(app).ok_or(Page::NoSuchApp)?;
    Ok(Addressed {
        route: Arc::clone(route),
        release,
    })
}

/// The name that the client asked for; empty when an HTTP/1.0 client gave none.
fn host_of<B>(request: &Request<B>) -> Result<&str, Page<'static>> {
    if request.method() == Method::CONNECT {
        return Err(Page::BadRequest("This is no proxy for other machines."));
    }
    let host = match request.headers().get(HOST) {
        Some(host) => host
            .to_str()
            .map_err(|_| Page::BadRequest("Its Host is no name."))?,
        None if request.version() == Version::HTTP_10 => "",
        None => return Err(Page::BadRequest("It has no Host.")),
    };
    match request.uri().authority() {
        Some(authority) if !authority.as_str().eq_ignore_ascii_case(host) => {
            Err(Page::BadRequest("Its Host differs from its target."))
        }
        _ => Ok(host),
    }
}
