//! What travels over the wire.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::app::Owner;
use model::env::SecretEnv;
use model::finding::Finding;
use model::instance::DeniedEgress;
use model::limits::SourceLimits;
use model::plan::Plan;
use model::provenance::Commit;
use model::rollout::Phase;
use model::{AppName, Digest, ReleaseNumber, Timestamp};
use serde::{Deserialize, Serialize};

/// Who answers on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// The daemon's version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// Where its state is.
    pub home: PathBuf,
    /// The port that its edge listens on.
    pub port: u16,
    /// Where the registry and the transparency log answer.
    #[serde(default)]
    pub api: String,
    /// How large a folder it takes.
    #[serde(default)]
    pub source: SourceLimits,
}

/// What of a snapshot the daemon does not have yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The snapshot's identity.
    pub snapshot: Digest,
    /// Files to send.
    pub missing: Vec<Digest>,
}

/// Asks for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpRequest {
    /// The app's name as the caller gave it; else mayfly.toml's, else the folder's.
    pub app: Option<AppName>,
    /// The folder, absolute, as the caller's machine names it.
    pub folder: PathBuf,
    /// Its content, sent before.
    pub snapshot: Digest,
    /// Names of the variables in its `.env` files.
    pub env_keys: Vec<String>,
    /// New `.env` values; `None` leaves those there are.
    pub env: Option<SecretEnv>,
    /// The commit that the folder was checked out from, when it is a repository's.
    #[serde(default)]
    pub commit: Option<Commit>,
    /// How long the app lives from now on, in seconds; else mayfly.toml's, else what it had.
    #[serde(default)]
    pub ttl_seconds: Option<u64>,
    /// The name of who asks, for people; nothing is decided by it.
    #[serde(default)]
    pub creator: Option<String>,
    /// Whether a name that belongs to another folder is taken.
    pub claim: Claim,
    /// Whether dependencies are resolved anew.
    pub inputs: Inputs,
}

/// What to do about a name that another folder has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// Refuse.
    #[default]
    Respect,
    /// Take it over.
    TakeOver,
}

/// Which versions of dependencies and base a build uses when nothing locks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inputs {
    /// Those of the app's earlier builds.
    #[default]
    Pinned,
    /// The newest.
    Upgraded,
}

/// Asks for an earlier release.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RollbackRequest {
    /// Which; the one before the current one by default.
    pub to: Option<ReleaseNumber>,
}

/// Ends the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopRequest {
    /// With its apps; `serve` brings them back.
    WithApps,
    /// The apps go on running, unreachable until `serve` returns.
    KeepApps,
}

/// How an app does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppState {
    /// Its stable release serves.
    Running,
    /// It exited and is started again after a while.
    Restarting,
    /// It keeps exiting; it is still started again, ever less often.
    CrashLoop,
    /// It has no release that ever served.
    NeverReady,
    /// It is destroyed, and restorable.
    Destroyed,
}

impl AppState {
    /// In words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Restarting => "restarting",
            Self::CrashLoop => "crash loop",
            Self::NeverReady => "never ready",
            Self::Destroyed => "destroyed",
        }
    }
}

/// One app, in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppSummary {
    /// Its name.
    pub name: AppName,
    /// How it does.
    pub state: AppState,
    /// What kind of app it is: `static site`, `Python app`.
    pub kind: Option<String>,
    /// The release that serves.
    pub release: Option<ReleaseNumber>,
    /// Where it answers.
    pub url: String,
    /// Where it answers for programs that do not resolve `*.localhost`.
    pub local_url: String,
    /// Whose it is.
    pub owner: Owner,
    /// The folder it comes from.
    pub folder: PathBuf,
    /// When its current release was made.
    pub updated_at: Timestamp,
    /// When its time is up, when it has an end.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Until when it can be restored, when it is destroyed.
    pub restorable_until: Option<Timestamp>,
}

/// One app, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AppStatus {
    /// As in a list.
    #[serde(flatten)]
    pub summary: AppSummary,
    /// Its newest releases, newest first.
    pub releases: Vec<ReleaseSummary>,
    /// What the last build made of the folder.
    pub plan: Option<Plan>,
    /// Memory that its processes hold now.
    pub memory_bytes: Option<u64>,
    /// What its data folder holds.
    pub data_bytes: u64,
    /// What of its folder outlives a release.
    pub kept: Vec<String>,
    /// Files that it wrote and that move to its data folder at the next release.
    pub will_be_kept: Vec<String>,
    /// Files that it wrote and that go with the release.
    pub will_be_lost: Vec<String>,
    /// Hosts that it asked for and did not get.
    pub denied: Vec<DeniedEgress>,
    /// Names of its `.env` values.
    pub env_keys: Vec<String>,
    /// Its last lines, when it does not run.
    pub last_lines: Vec<String>,
    /// Known vulnerabilities of the release that serves, worst first, by the newest data.
    #[serde(default)]
    pub vulnerabilities: Vec<Finding>,
    /// Sentences that the user should read, with the line to add where there is one.
    pub notices: Vec<String>,
}

/// One release, in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReleaseSummary {
    /// Its number.
    pub number: ReleaseNumber,
    /// Its image.
    pub digest: Digest,
    /// The size of its layers, compressed.
    pub size_bytes: u64,
    /// Where its rollout stands.
    pub phase: Phase,
    /// What it does now, in a word: `serving`, `warm`, `stopped`.
    pub now: ReleaseNow,
    /// Its own URL.
    pub url: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a release does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseNow {
    /// It receives the app's requests.
    Serving,
    /// It is ready to take them back at once.
    Warm,
    /// It does not run.
    Stopped,
}

/// One line of an app's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was printed.
    pub at: Timestamp,
    /// The release that printed it.
    pub release: ReleaseNumber,
    /// Where it came from.
    pub stream: model::progress::Stream,
    /// The text, control characters taken out.
    pub line: String,
}

/// Which lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// Of this release; of the one that serves by default.
    pub release: Option<ReleaseNumber>,
    /// The last ones, at most.
    pub lines: Option<usize>,
    /// Whether new lines follow as they are printed.
    #[serde(default)]
    pub follow: bool,
}

/// What a destruction came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// The app.
    pub app: AppName,
    /// Until when `mayfly restore` brings it back.
    pub restorable_until: Timestamp,
    /// What its sandboxes held and no longer do, as measured.
    pub freed_bytes: u64,
}

/// One check of `mayfly doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoctorCheck {
    /// What was checked.
    pub name: String,
    /// Whether all is well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// A command or a setting that helps.
    pub remedy: Option<String>,
}

/// Query parameters of one request.
pub type Query = BTreeMap<String, String>;
