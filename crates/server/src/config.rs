//! What a platform engineer sets when the daemon is started.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::registry::Anonymous;
use model::limits::SourceLimits;

/// How the daemon is started. `mayfly serve` documents each setting.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where its state is.
    pub home: PathBuf,
    /// The edge's port; 0 takes a free one.
    pub port: u16,
    /// The edge's addresses; 127.0.0.1 when there are none. One that is 127.0.0.1 or 0.0.0.0 brings
    /// its IPv6 twin along.
    pub listen: Vec<IpAddr>,
    /// The port of the registry and the transparency log; 0 takes a free one.
    pub api_port: u16,
    /// What pulling without a token gives.
    pub anonymous: Anonymous,
    /// What provenance calls this server, when its users do not administrate it.
    pub builder_id: Option<String>,
    /// The settings of keyless signing; the server's key signs without them.
    pub keyless: Option<PathBuf>,
    /// The policy that decides what may serve.
    pub policy: PolicySource,
    /// How old vulnerability data may be to decide by.
    pub max_advisory_age: Duration,
    /// The Debian mirror that base images come from; the machine's own by default.
    pub mirror: Option<String>,
    /// What cached layers and tools may hold.
    pub cache_bytes: u64,
    /// How large an app's folder may be.
    pub source: SourceLimits,
    /// The program that sandboxes are started with: this one.
    pub program: PathBuf,
}

/// Where the policy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// It came with mayfly.
    BuiltIn,
    /// A folder of `.rego` files.
    Folder(PathBuf),
    /// A commit of a git repository.
    Repository {
        /// Its URL.
        url: String,
        /// The commit, in full.
        commit: String,
    },
}
