//! The second floor: brings releases up and down through ports alone.
//!
//! `run` walks the stages; `watch` restarts what exits; `adopt` makes the world match the ledger
//! when the daemon begins; `sweep` does what time asks for.

mod admission;
pub mod adopt;
pub mod advisories;
pub mod apps;
pub mod audit;
pub mod decisions;
pub mod destroy;
pub mod diagnosis;
pub mod dossier;
pub mod exemptions;
pub mod fleet;
mod gate;
pub mod intake;
pub mod keys;
pub mod launch;
pub mod log;
mod question;
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
pub mod transcript;
mod vex;
pub mod vouch;
pub mod warm;
pub mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::advisory::MAX_AGE_SECONDS;
use model::app::Owner;
use model::limits::{self, SourceLimits};
use model::policy::Audience;
use model::provenance::Placement;
use model::{AppName, Digest, ReleaseNumber};
use ports::{
    BlobStore, Builder, Cataloguer, Checker, Checkout, Clock, Decider, ImageRegistry, KeyRing,
    Ledger, Runtime, Scanner, Signer, Tester, Traffic, TransparencyLog,
};
use tokio::sync::{Mutex, Notify};

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
    /// Files to findings.
    pub checker: Arc<dyn Checker>,
    /// Lists of content to known vulnerabilities.
    pub scanner: Arc<dyn Scanner>,
    /// Findings to decisions.
    pub decider: Arc<dyn Decider>,
    /// Images to how the app's own tests end.
    pub tester: Arc<dyn Tester>,
    /// Images to processes.
    pub runtime: Arc<dyn Runtime>,
    /// Requests to processes.
    pub traffic: Arc<dyn Traffic>,
    /// Images to lists of their content.
    pub cataloguer: Arc<dyn Cataloguer>,
    /// Statements about images.
    pub signer: Arc<dyn Signer>,
    /// The server's keys.
    pub keys: Arc<dyn KeyRing>,
    /// Images for other people's tools.
    pub registry: Arc<dyn ImageRegistry>,
    /// The log that cannot be rewritten unnoticed.
    pub log: Arc<dyn TransparencyLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Who builds, as provenance tells it.
#[derive(Debug, Clone)]
pub struct BuilderIdentity {
    /// A URI.
    pub id: String,
    /// Who administrates the machine.
    pub placement: Placement,
}

impl Default for BuilderIdentity {
    /// The machine of whoever brings apps up.
    fn default() -> Self {
        Self {
            id: "urn:mayfly:builder:local".to_owned(),
            placement: Placement::Local,
        }
    }
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
    /// Who builds.
    pub builder: BuilderIdentity,
    /// How long a run waits for a signing service that does not answer.
    pub sign_within: Duration,
    /// Who can reach apps.
    pub audience: Audience,
    /// How old vulnerability data may be to decide by, in seconds.
    pub max_advisory_age_seconds: u64,
    /// Who may let something pass for a while.
    pub may_approve: fn(Owner) -> bool,
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
            builder: BuilderIdentity::default(),
            sign_within: Duration::ZERO,
            audience: Audience::Machine,
            max_advisory_age_seconds: MAX_AGE_SECONDS,
            may_approve: |owner| owner.uid == apps::ROOT,
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
    /// Events were recorded that the log may lack.
    pub(crate) recorded: Notify,
    pub(crate) transcribing: Mutex<()>,
    /// The blob of the policy's files, once something was decided by it.
    pub(crate) policy_kept: Mutex<Option<Digest>>,
}

impl Delivery {
    /// Delivery over `ports`. Call [`Delivery::adopt`] before anything else.
    pub fn new(ports: Ports, settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            ports,
            settings,
            apps: Apps::default(),
            fleet: Fleet::default(),
            recorded: Notify::new(),
            transcribing: Mutex::new(()),
            policy_kept: Mutex::new(None),
        })
    }

    /// The transparency log.
    pub fn log(&self) -> &Arc<dyn TransparencyLog> {
        &self.ports.log
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
