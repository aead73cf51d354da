//! What happened and what holds now: apps, runs, releases, evidence, and the log of events.

#[cfg(feature = "contracts")]
pub mod contract;

use async_trait::async_trait;
use model::app::{App, Owner};
use model::env::SecretEnv;
use model::event::Event;
use model::evidence::Evidence;
use model::exemption::GrantedExemption;
use model::failure::{FailureCode, Remedy};
use model::policy::{PolicyLoad, Verdict};
use model::release::Release;
use model::rollout::Phase;
use model::run::{Run, Settled};
use model::signing_key::KeyId;
use model::transparency::Inclusion;
use model::{AppName, Digest, ReleaseKey, ReleaseNumber, RunId, Timestamp};

/// Why the ledger refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such thing.
    #[error("the ledger has no {0}")]
    Missing(String),
    /// The change contradicts what is recorded: a number taken twice, a settled run.
    #[error("the ledger refuses it: {0}")]
    Conflict(String),
    /// It was written by a newer mayfly.
    #[error("the ledger has schema version {found}; this mayfly knows up to {known}")]
    Newer {
        /// What it has.
        found: i64,
        /// What this binary knows.
        known: i64,
    },
    /// No room is left.
    #[error("the disk that holds the ledger is full")]
    DiskFull,
    /// It cannot be read or written.
    #[error("the ledger failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Remedy for LedgerError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Missing(_) => FailureCode::NotFound,
            Self::Newer { .. } => FailureCode::LedgerVersion,
            Self::DiskFull => FailureCode::DiskFull,
            Self::Conflict(_) | Self::Broken(_) => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) => Some("run `mayfly list` to see what there is".into()),
            Self::Newer { .. } => {
                Some("install the newer mayfly again, or set MAYFLY_HOME to another folder".into())
            }
            Self::DiskFull => Some("free some disk space, then run the command again".into()),
            Self::Conflict(_) | Self::Broken(_) => None,
        }
    }
}

/// One change of the record. Those in one call are recorded together or not at all, each with its
/// event.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new app. Event: `app_created`.
    AppCreated(App),
    /// Another folder or owner takes the name. What serves and when it was created stay as they
    /// are. Event: `app_taken_over`.
    AppTakenOver(App),
    /// A run began. Event: `run_started`.
    RunStarted(Run),
    /// A stage recorded its evidence. Event: `stage_recorded`.
    StageRecorded {
        /// The app.
        app: AppName,
        /// The evidence; the same run, stage and attempt twice has the effect of once.
        evidence: Evidence,
    },
    /// A run ended. Event: `run_settled`. Refused when it has ended already.
    RunSettled {
        /// The app.
        app: AppName,
        /// The run.
        run: RunId,
        /// How.
        settled: Settled,
    },
    /// A release was numbered. Event: `release_created`. Refused when the number is taken.
    ReleaseCreated(Box<Release>),
    /// What proves that the log has a release. The first one stays. No event.
    ProofKept {
        /// The release.
        release: ReleaseKey,
        /// That its event is in the log.
        proof: Inclusion,
    },
    /// The server signs with a new key. Event: `key_begun`.
    KeyBegun {
        /// The key.
        key: KeyId,
        /// The one that signed before.
        previous: Option<KeyId>,
    },
    /// A key counts no more from a moment on. Event: `key_revoked`.
    KeyRevoked {
        /// The key.
        key: KeyId,
        /// From when on.
        from: Timestamp,
    },
    /// Something is let pass for a while. Event: `exemption_granted`. The same one twice has the
    /// effect of once.
    ExemptionGranted {
        /// What.
        exemption: Box<GrantedExemption>,
        /// By whom.
        by: Owner,
    },
    /// It no longer is. Event: `exemption_revoked`. Twice has the effect of once.
    ExemptionRevoked {
        /// Which.
        id: Digest,
        /// By whom.
        by: Owner,
    },
    /// A policy decides from now on. Event: `policy_loaded`.
    PolicyLoaded(PolicyLoad),
    /// Newer vulnerability data is there. Event: `advisories_imported`.
    AdvisoriesImported {
        /// Of the data.
        data: Digest,
        /// Its newest record that is not dated in the future.
        modified: Option<Timestamp>,
    },
    /// A release was matched against newer vulnerability data; only the last result is kept.
    /// Event: `rescanned`.
    Rescanned {
        /// The release.
        release: ReleaseKey,
        /// What was found, and decided.
        evidence: Digest,
        /// What the policy says of it now.
        verdict: Verdict,
    },
    /// Nobody can tell any more who stands behind the hashes that stood for them in events. The
    /// next event of theirs has a new hash. No event.
    PersonForgotten {
        /// Who.
        owner: Owner,
    },
    /// A rollout moved. Event: by the phase; none for `Starting`. `Promoted` makes the release the
    /// app's stable one in the same transaction; another end of the stable release leaves the app
    /// without one. Moving to the phase that is recorded has no effect and no event.
    PhaseMoved {
        /// The release.
        release: ReleaseKey,
        /// Where it stands now.
        phase: Phase,
    },
    /// A new set of `.env` values, numbered one after the last. Event: `env_set`.
    EnvSet {
        /// The app.
        app: AppName,
        /// Its version.
        version: u32,
        /// The whole set.
        values: SecretEnv,
    },
    /// An input that was resolved once and stays: a lock, a list of packages. No event.
    Pinned {
        /// The app.
        app: AppName,
        /// Which input.
        name: String,
        /// Its content's blob; `None` forgets it.
        blob: Option<Digest>,
    },
    /// `holder` needs these blobs, and no longer those it held before. No event.
    BlobsHeld {
        /// Who needs them: `release:shop.r3`, `run:…`, `pin:shop`.
        holder: String,
        /// Everything it needs; empty lets go of all.
        digests: Vec<Digest>,
        /// The rule that says so, when blobs are let go.
        rule: String,
    },
    /// Destroyed, restorable for a while. Event: `destroyed`.
    AppDestroyed {
        /// The app.
        app: AppName,
        /// When.
        at: Timestamp,
    },
    /// Restored. Event: `restored`.
    AppRestored {
        /// The app.
        app: AppName,
    },
    /// Gone for good, with its releases, runs, values, pins, and the references of the holders
    /// `release:<app>.r…`, `run:<its runs>`, `pin:<app>` and `app:<app>`. Events stay.
    /// Event: `removed`.
    AppRemoved {
        /// The app.
        app: AppName,
    },
}

/// That a holder let go of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobRelease {
    /// Who had needed it.
    pub holder: String,
    /// The rule that said so.
    pub rule: String,
    /// When.
    pub at: Timestamp,
}

/// An event as it was written: its columns, and the text that the transparency log has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The app it is about; empty when it is about the server.
    pub app: String,
    /// What it calls itself.
    pub kind: String,
    /// Its canonical text.
    pub text: String,
}

/// The record. Writers see each other's changes in one order; what `record` acknowledged survives
/// a crash of the machine.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Records all `changes` in one transaction; returns the events they made.
    async fn record(&self, at: Timestamp, changes: Vec<Change>) -> Result<Vec<Event>, LedgerError>;

    /// Every app, destroyed ones included, by name.
    async fn apps(&self) -> Result<Vec<App>, LedgerError>;

    /// One app, destroyed or not.
    async fn app(&self, name: &AppName) -> Result<Option<App>, LedgerError>;

    /// An app's releases, newest first.
    async fn releases(&self, app: &AppName) -> Result<Vec<Release>, LedgerError>;

    /// One release.
    async fn release(&self, key: &ReleaseKey) -> Result<Option<Release>, LedgerError>;

    /// The number that the app's next release gets.
    async fn next_release(&self, app: &AppName) -> Result<ReleaseNumber, LedgerError>;

    /// The newest runs of an app, newest first.
    async fn runs(&self, app: &AppName, limit: u32) -> Result<Vec<Run>, LedgerError>;

    /// Runs that never ended: the daemon died during them.
    async fn unsettled_runs(&self) -> Result<Vec<Run>, LedgerError>;

    /// What a run's stages recorded, in the order of recording.
    async fn evidence(&self, run: RunId) -> Result<Vec<Evidence>, LedgerError>;

    /// One set of `.env` values; version 0 is empty.
    async fn env(&self, app: &AppName, version: u32) -> Result<SecretEnv, LedgerError>;

    /// The newest version of an app's `.env` values; 0 when there is none.
    async fn env_version(&self, app: &AppName) -> Result<u32, LedgerError>;

    /// What was ever let pass for an app, oldest first.
    async fn exemptions(&self, app: &AppName) -> Result<Vec<GrantedExemption>, LedgerError>;

    /// What a release came to when it was last matched against newer vulnerability data.
    async fn rescan(&self, release: &ReleaseKey) -> Result<Option<Digest>, LedgerError>;

    /// The pinned inputs of an app, by name.
    async fn pins(&self, app: &AppName) -> Result<Vec<(String, Digest)>, LedgerError>;

    /// Every blob that anything holds; a pin holds its blob by itself.
    async fn held_blobs(&self) -> Result<Vec<Digest>, LedgerError>;

    /// Who let go of a blob, by which rule, oldest first.
    async fn blob_releases(&self, digest: &Digest) -> Result<Vec<BlobRelease>, LedgerError>;

    /// Events after `seq`, oldest first, at most `limit`.
    async fn events(&self, after: u64, limit: u32) -> Result<Vec<Event>, LedgerError>;

    /// Events about one app, or about the server itself, after `seq`, oldest first.
    async fn events_of(
        &self,
        app: Option<&AppName>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Event>, LedgerError>;

    /// All events after `seq`, as they were written: what was changed since is changed here too.
    async fn entries(&self, after: u64, limit: u32) -> Result<Vec<Entry>, LedgerError>;

    /// What proves that the log has a release.
    async fn proof(&self, release: &ReleaseKey) -> Result<Option<Inclusion>, LedgerError>;

    /// Verified releases without a proof, each with its event's number, oldest first.
    async fn unproven(&self) -> Result<Vec<(ReleaseKey, u64)>, LedgerError>;

    /// Whom the hashes in events stand for, as far as that is not forgotten.
    async fn stand_ins(&self) -> Result<Vec<(Owner, Digest)>, LedgerError>;
}
