//! What a platform engineer sets when the daemon is started.

use std::net::IpAddr;
use std::path::PathBuf;

/// How the daemon is started. `mayfly serve` documents each setting.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where its state is.
    pub home: PathBuf,
    /// The edge's port; 0 takes a free one.
    pub port: u16,
    /// The edge's addresses.
    pub listen: Vec<IpAddr>,
    /// The Debian mirror that base images come from; the machine's own by default.
    pub mirror: Option<String>,
    /// What cached layers and tools may hold.
    pub cache_bytes: u64,
    /// The program that sandboxes are started with: this one.
    pub program: PathBuf,
}
