//! The registry over HTTP: the OCI distribution API on a loopback port.
//!
//! A request is read in three steps: what it is about (`path`), who asks and whether they may
//! (`auth`), then one file a resource. Bodies stream both ways; nothing holds a blob in memory.
//!
//! Source: OCI distribution-spec 1.1, and its development version for `tag` parameters.

mod answer;
mod auth;
mod blobs;
mod body;
mod lists;
mod manifests;
mod path;
mod range;
mod uploads;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as Extracted};
use axum::http::header::HeaderName;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use model::Timestamp;
use ports::access::{Right, Tokens};
use store::Registry;
use store::registry::RepositoryName;
use tokio::net::TcpListener;
use tokio::sync::watch;

use answer::Refusal;
use auth::{Bearers, Caller};
use body::Incoming;
use path::Resource;

/// Who may write to a repository besides mayfly itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// Clients push and delete.
    Open,
    /// Nobody does: what is there was released.
    ReadOnly,
}

/// What callers without a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymous {
    /// Nothing.
    Refused,
    /// Pull, from every repository.
    MayPull,
}

/// Says which repositories are open.
pub type OpennessRule = dyn Fn(&RepositoryName) -> Openness + Send + Sync;

/// What the registry is made of.
pub struct Config {
    /// What it shows.
    pub registry: Registry,
    /// Who may do what.
    pub tokens: Arc<dyn Tokens>,
    /// Which repositories take pushes.
    pub openness: Arc<OpennessRule>,
    /// Whether pulling takes a token.
    pub anonymous: Anonymous,
}

/// A registry that can be served.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    config: Config,
    bearers: Bearers,
}

impl State {
    /// A registry of these parts.
    pub fn new(config: Config) -> Self {
        Self(Arc::new(Shared {
            config,
            bearers: Bearers::default(),
        }))
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn registry(&self) -> &Registry {
        &self.0.config.registry
    }

    fn bearers(&self) -> &Bearers {
        &self.0.bearers
    }
}

/// How often uploads that lie still are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(300);

/// Serves a registry until `stopped` turns true. Fails on an address that other machines reach:
/// secrets would travel in the open.
pub async fn serve(
    listener: TcpListener,
    state: State,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    serve_beside(listener, state, Router::new(), stopped).await
}

/// The same, with what lies beside it on the same port.
pub(crate) async fn serve_beside(
    listener: TcpListener,
    state: State,
    beside: Router,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let text = format!("a registry without TLS listens on loopback only, not on {address}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let listener = listener.tap_io(|connection| {
        // Answers are whole: waiting for more only delays them. A socket that refuses works too.
        let _ = connection.set_nodelay(true);
    });
    tokio::select! {
        served = axum::serve(listener, beside.merge(router(state.clone()))) => served,
        () = sweep_for_ever(state.registry()) => Ok(()),
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
    }
}

async fn sweep_for_ever(registry: &Registry) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        ticks.tick().await;
        match registry.sweep_uploads(std::time::SystemTime::now()).await {
            Ok(0) => {}
            Ok(swept) => tracing::info!(swept, "uploads that lay still were removed"),
            Err(error) => tracing::warn!(%error, "uploads that lie still cannot be removed"),
        }
    }
}

/// The routes of the registry, below `/v2/`.
pub fn router(state: State) -> Router {
    // A repository's name has slashes: what a path means is read from its end (`path`).
    Router::new().fallback(answer).with_state(state)
}

async fn answer(Extracted(state): Extracted<State>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut incoming = Incoming::new(&parts, body);
    let mut response = match dispatch(&state, &parts, &mut incoming).await {
        Ok(response) => response,
        Err(refusal) => {
            // A client that still sends would not read the answer.
            incoming.drain().await;
            refusal.into_response()
        }
    };
    let version = HeaderName::from_static("docker-distribution-api-version");
    let headers = response.headers_mut();
    headers.insert(version, HeaderValue::from_static("registry/2.0"));
    response
}

async fn dispatch(
    state: &State,
    parts: &Parts,
    incoming: &mut Incoming,
) -> Result<Response, Refusal> {
    let resource = path::resource(parts.uri.path())?;
    if resource == Resource::Token {
        return auth::token(state, parts).await;
    }
    let caller = auth::caller(state, parts, Timestamp::now()).await?;
    let right = right(&parts.method, &resource);
    auth::check(state, parts, &caller, resource.repository(), right)?;
    let ask = Ask {
        state,
        parts,
        caller: &caller,
    };
    match (&parts.method, &resource) {
        (&Method::GET | &Method::HEAD, Resource::Base) => Ok(answer::base()),
        (&Method::GET, Resource::Tags(name)) => lists::tags(&ask, name).await,
        (&Method::GET, Resource::Referrers(name, digest)) => {
            lists::referrers(&ask, name, digest).await
        }
        (&Method::GET | &Method::HEAD, Resource::Manifest(name, reference)) => {
            manifests::get(&ask, name, reference).await
        }
        (&Method::PUT, Resource::Manifest(name, reference)) => {
            manifests::put(&ask, name, reference, incoming).await
        }
        (&Method::DELETE, Resource::Manifest(name, reference)) => {
            manifests::delete(&ask, name, reference).await
        }
        (&Method::GET | &Method::HEAD, Resource::Blob(name, digest)) => {
            blobs::get(&ask, name, digest).await
        }
        (&Method::DELETE, Resource::Blob(name, digest)) => blobs::delete(&ask, name, digest).await,
        (&Method::POST, Resource::Uploads(name)) => uploads::begin(&ask, name, incoming).await,
        (&Method::GET, Resource::Upload(name, id)) => uploads::status(&ask, name, *id).await,
        (&Method::PATCH, Resource::Upload(name, id)) => {
            uploads::append(&ask, name, *id, incoming).await
        }
        (&Method::PUT, Resource::Upload(name, id)) => {
            uploads::finish(&ask, name, *id, incoming).await
        }
        (&Method::DELETE, Resource::Upload(name, id)) => uploads::cancel(&ask, name, *id).await,
        _ => Err(Refusal::method_not_allowed()),
    }
}

/// What every resource has: the registry, the request's head, and who asks.
struct Ask<'a> {
    state: &'a State,
    parts: &'a Parts,
    caller: &'a Caller,
}

impl Ask<'_> {
    fn registry(&self) -> &Registry {
        self.state.registry()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// Every value of a parameter.
    fn parameters(&self, name: &str) -> Vec<String> {
        let query = self.parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next()
    }
}

/// What a request needs. An upload is the business of those who write, its length too.
fn right(method: &Method, resource: &Resource) -> Right {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match resource {
        Resource::Uploads(_) | Resource::Upload(..) => Right::Write,
        _ if reads => Right::Read,
        _ => Right::Write,
    }
}
