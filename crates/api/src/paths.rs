//! Where the daemon keeps its state and listens, and the paths of its API.

use std::path::{Path, PathBuf};

/// The variable that moves the daemon's state to another folder.
pub const HOME_VARIABLE: &str = "MAYFLY_HOME";
/// Where the state is unless that variable is set.
pub const DEFAULT_HOME: &str = "/var/lib/mayfly";
/// The group whose members may use the socket.
pub const GROUP: &str = "mayfly";
/// The edge's port unless `serve --port` says another.
pub const DEFAULT_PORT: u16 = 7777;

/// The port of the registry and the transparency log, for an edge on `port`.
pub fn api_port(port: u16) -> u16 {
    match port {
        0 | u16::MAX => 0,
        port => port + 1,
    }
}

/// `GET`: is the daemon there, and which one.
pub const HEALTH: &str = "/v1/health";
/// `POST`: a snapshot; answers which blobs are missing.
pub const SNAPSHOTS: &str = "/v1/snapshots";
/// `POST`: blobs, framed.
pub const BLOBS: &str = "/v1/blobs";
/// `POST`: start a run; answers its NDJSON stream.
pub const RUNS: &str = "/v1/runs";
/// `GET`: every app.
pub const APPS: &str = "/v1/apps";
/// `GET`: events after `?after=`.
pub const EVENTS: &str = "/v1/events";
/// `GET`: the transparency log's newest promise.
pub const CHECKPOINT: &str = "/v1/log/checkpoint";
/// `GET`: what clients verify it with.
pub const LOG_KEY: &str = "/v1/log/key";
/// `GET`: the signing keys. `POST`: a new one takes over.
pub const KEYS: &str = "/v1/keys";
/// `GET`: tokens of the registry. `POST`: make one.
pub const TOKENS: &str = "/v1/tokens";
/// `GET`: events, of one app with `?app=`.
pub const AUDIT: &str = "/v1/audit";
/// `GET`: what is known about the vulnerability data. `POST`: take newer data in.
pub const ADVISORIES: &str = "/v1/advisories";
/// `GET`: the policy that decides now.
pub const POLICY: &str = "/v1/policy";
/// `GET`: what policies decided about runs, of one with `?run=`.
pub const DECISIONS: &str = "/v1/policy/decisions";
/// `POST`: end the daemon.
pub const STOP: &str = "/v1/stop";

/// The folder of the daemon's state: `$MAYFLY_HOME`, else the default.
pub fn home() -> PathBuf {
    std::env::var_os(HOME_VARIABLE).map_or_else(|| PathBuf::from(DEFAULT_HOME), PathBuf::from)
}

/// The daemon's socket.
pub fn socket(home: &Path) -> PathBuf {
    home.join("run/mayfly.sock")
}
