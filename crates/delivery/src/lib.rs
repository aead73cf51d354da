//! The second floor: brings releases up and down through ports alone.
//!
//! `run` walks the stages; `watch` restarts what exits; `adopt` makes the world match the ledger
//! when the daemon begins; `sweep` does what time asks for.

pub mod adopt;
pub mod apps;
pub mod destroy;
pub mod diagnosis;
pub mod fleet;
pub mod intake;
pub mod launch;
pub mod log;
pub mod ready;
pub mod report;
pub mod rollback;
pub mod route;
pub mod run;
pub mod stage;
pub mod status;
mod streamlit;
pub mod sweep;
pub mod takeover;
pub mod warm;
pub mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::limits::{self, SourceLimits};
use model::{AppName, ReleaseNumber};
use ports::{BlobStore, Builder, Checkout, Clock, Ledger, Runtime, Traffic};

use crate::apps::Apps;
use crate::fleet::Fleet;

/// The world, as delivery sees it.
#[derive(Clone)]
pub struct Ports {
    /// What happened and what holds.
    pub ledger: Arc<dyn Ledger>,
    /// Bytes by digest.
    pub blobs: Arc<dyn BlobStore>,
    /// Snapshots on disk.
    pub checkout: Arc<dyn Checkout>,
    /// Folders to images.
    pub builder: Arc<dyn Builder>,
    /// Images to processes.
    pub runtime: Arc<dyn Runtime>,
    /// Requests to processes.
    pub traffic: Arc<dyn Traffic>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a platform engineer may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Apps answer at `<app>.<domain>`.
    pub domain: String,
    /// Where the data folders of apps lie.
    pub data: PathBuf,
    /// How large a folder may be.
    pub source: SourceLimits,
    /// What cached layers and tools may hold.
    pub cache_bytes: u64,
    /// How long the release before the current one is kept warm.
    pub warm_for: Duration,
    /// How long a destroyed app can be restored.
    pub restorable_for: Duration,
    /// How long requests of a release that lost its traffic may go on.
    pub drain_for: Duration,
}

impl Settings {
    /// The defaults, with data folders below `data`.
    pub fn new(data: PathBuf) -> Self {
        Self {
            domain: "localhost".to_owned(),
            data,
            source: SourceLimits::default(),
            cache_bytes: limits::CACHE_BYTES,
            warm_for: limits::WARM_FOR,
            restorable_for: limits::RESTORABLE_FOR,
            drain_for: limits::DRAIN_FOR,
        }
    }
}

/// Brings apps up, keeps them up, and takes them down.
pub struct Delivery {
    pub(crate) ports: Ports,
    pub(crate) settings: Settings,
    pub(crate) apps: Apps,
    pub(crate) fleet: Fleet,
}

impl Delivery {
    /// Delivery over `ports`. Call [`Delivery::adopt`] before anything else.
    pub fn new(ports: Ports, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            ports,
            settings,
            apps: Apps::default(),
            fleet: Fleet::default(),
        })
    }

    /// How large a folder may be.
    pub fn source_limits(&self) -> SourceLimits {
        self.settings.source
    }

    /// Where an app answers.
    pub fn url(&self, app: &AppName) -> String {
        format!(
            "http://{app}.{}:{}",
            self.settings.domain,
            self.ports.traffic.edge().port()
        )
    }

    /// Where one release of an app answers.
    pub fn release_url(&self, app: &AppName, number: ReleaseNumber) -> String {
        format!(
            "http://r{number}-{app}.{}:{}",
            self.settings.domain,
            self.ports.traffic.edge().port()
        )
    }
}

/// Where an app answers for programs that do not resolve `*.localhost`.
pub(crate) fn local_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
