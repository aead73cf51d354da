//! Where requests go.

#[cfg(feature = "contracts")]
pub mod contract;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use model::failure::{Failure, FailureCode, Remedy};
use model::serving::Site;
use model::{AppName, ReleaseKey};

use crate::runtime::Upstream;

/// Who answers for one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The release.
    pub release: ReleaseKey,
    /// The files that the proxy serves itself, and the folder that they lie in.
    pub site: Option<SiteFiles>,
    /// The server, for what the site does not have.
    pub upstream: Option<Upstream>,
    /// Whether the server can answer as it is.
    pub wakefulness: Wakefulness,
}

/// Whether a target's server can answer as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakefulness {
    /// It runs.
    Awake,
    /// Its processes are frozen: before a request is sent to it, the [`Waker`] is asked to wake it.
    Asleep,
}

/// Wakes targets that are [`Wakefulness::Asleep`]; the proxy awaits it before it dials. Whoever
/// implements it puts them to sleep again once [`Traffic::drain`] says that nothing is under way.
#[async_trait]
pub trait Waker: Send + Sync {
    /// Returns once the release's processes run. Many calls at once have the effect of one. Fails
    /// when there is nothing left to wake.
    async fn wake(&self, release: &ReleaseKey) -> Result<(), std::io::Error>;
}

/// Files on disk, and how to serve them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteFiles {
    /// The folder; nothing outside it is ever served.
    pub root: PathBuf,
    /// The pages for `/` and for paths without a file.
    pub site: Site,
}

/// The route of one app: replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The app.
    pub app: AppName,
    /// Who receives its requests, and their share; shares sum to 100. Empty: `down` answers.
    pub split: Vec<(u8, Target)>,
    /// Asked for hashed assets that the one in `split` answers 404 for.
    pub assets_of: Option<Target>,
    /// Releases with a URL of their own, those in `split` included.
    pub releases: Vec<Target>,
    /// The loopback port of the app's own.
    pub local_port: u16,
    /// What to tell people while nobody receives requests; plain text, shown on a page.
    pub down: String,
}

/// How one response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Its whole body was sent.
    Complete,
    /// The client went away first.
    ClientGone,
    /// The release broke it off, or could not be reached.
    UpstreamBroke,
    /// The release was too slow.
    TimedOut,
}

/// One response, observed synchronously as it ends.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Who answered.
    pub release: &'a ReleaseKey,
    /// The status sent to the client.
    pub status: u16,
    /// From the request's head to the response's head.
    pub latency: Duration,
    /// How it ended.
    pub ending: Ending,
}

/// Sees every response. Called on the request path: no allocation, no lock that waits.
pub trait Observer: Send + Sync {
    /// A response ended.
    fn observe(&self, observation: Observation<'_>);
}

/// What a drain came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every request ended by itself.
    Complete,
    /// This many were still going at the deadline, and were ended.
    Cut(usize),
}

/// Why a route cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// The port is in use.
    #[error("port {port} is in use")]
    PortInUse {
        /// The port.
        port: u16,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
    /// The port cannot be listened on.
    #[error("cannot listen on port {port}")]
    Listen {
        /// The port.
        port: u16,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
    /// Shares do not sum to 100.
    #[error("the shares of `{0}` do not sum to 100")]
    BadSplit(AppName),
    /// A site's folder cannot be opened.
    #[error("the files of `{release}` cannot be served")]
    Site {
        /// The release.
        release: ReleaseKey,
        /// The system's answer.
        #[source]
        cause: std::io::Error,
    },
}

impl Remedy for TrafficError {
    fn code(&self) -> FailureCode {
        match self {
            Self::PortInUse { .. } => FailureCode::InUse,
            Self::Listen { .. } => FailureCode::Machine,
            Self::BadSplit(_) | Self::Site { .. } => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::PortInUse { .. } => {
                Some("stop the program on that port, or run `mayfly serve --port 0`".into())
            }
            Self::Listen { .. } => Some(
                "run `mayfly serve --port 0`; `--listen` takes addresses of this machine".into(),
            ),
            Self::BadSplit(_) | Self::Site { .. } => None,
        }
    }
}

impl From<TrafficError> for Failure {
    fn from(error: TrafficError) -> Self {
        Self::of(&error)
    }
}

/// A short talk over a WebSocket, as an open page would have it.
#[derive(Debug, Clone, Copy)]
pub struct Talk<'a> {
    /// Where the WebSocket is.
    pub path: &'a str,
    /// What is spoken over it.
    pub subprotocol: &'a str,
    /// The binary message that is sent; shorter than 126 bytes.
    pub says: &'a [u8],
    /// The message that ends the talk.
    pub until: &'a [u8],
}

/// Requests of an app wait while this lives, then go to whoever the route names.
pub trait Hold: Send {}

/// Directs requests. All calls are idempotent: after a restart the routes are set again.
#[async_trait]
pub trait Traffic: Send + Sync {
    /// Where the edge listens.
    fn edge(&self) -> SocketAddr;

    /// Picks a free loopback port for an app's own.
    async fn free_port(&self) -> Result<u16, TrafficError>;

    /// Replaces the route of an app, atomically for new requests; requests under way stay where
    /// they are. The app's own port listens when this returns.
    async fn set(&self, route: Route) -> Result<(), TrafficError>;

    /// Forgets an app; its port is closed.
    async fn remove(&self, app: &AppName);

    /// Lets new requests of an app wait (at most for the proxy's own limit) until the guard is
    /// dropped.
    async fn hold(&self, app: &AppName) -> Box<dyn Hold>;

    /// Waits until nothing of the release is under way. Idle connections to it are closed at once,
    /// WebSockets get a close frame and streams end when `within` is over.
    async fn drain(&self, release: &ReleaseKey, within: Duration) -> Drained;

    /// Stops accepting connections, and waits at most `within` for those under way: the daemon ends.
    async fn close(&self, within: Duration);

    /// Has a short talk with a target that receives no traffic. Fails when it does not end as it
    /// should within its time.
    async fn talk(
        &self,
        target: &Target,
        talk: &Talk<'_>,
        within: Duration,
    ) -> Result<(), std::io::Error>;

    /// Sends one request to a target that receives no traffic: the readiness check. Returns its
    /// status.
    async fn probe(
        &self,
        target: &Target,
        path: &str,
        within: Duration,
    ) -> Result<u16, std::io::Error>;
}
