//! The server's signing keys: which there are, when they count, and what others need of them.

#[cfg(feature = "contracts")]
pub mod contract;

use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use model::Timestamp;
use model::failure::{FailureCode, Remedy};
use model::signing_key::{KeyId, Validity};

/// Why a key cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingError {
    /// The folder or a file in it cannot be read or written.
    #[error("the key file `{}` cannot be used", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Others may read a private key.
    #[error("the private key `{}` can be read by others (mode {mode:o})", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file is not what it should be, or one is missing.
    #[error("the key file `{}` is damaged: {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        why: String,
    },
    /// There is no such key.
    #[error("there is no key `{0}`")]
    Missing(String),
    /// The new key would begin before the one that it replaces.
    #[error("the clock says {at}, and the current key begins at {from}")]
    ClockBehind {
        /// What the clock says.
        at: Timestamp,
        /// When the key begins.
        from: Timestamp,
    },
}

impl Remedy for KeyRingError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Missing(_) => FailureCode::NotFound,
            Self::Io { .. } | Self::Exposed { .. } | Self::Damaged { .. } => FailureCode::Machine,
            Self::ClockBehind { .. } => FailureCode::Machine,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Io { .. } => None,
            Self::Exposed { path, .. } => Some(format!(
                "run `chmod 600 {}`, then `mayfly key rotate` if others may have read it",
                path.display()
            )),
            Self::Damaged { .. } => Some("put the key folder back from a backup".into()),
            Self::Missing(_) => Some("run `mayfly key export` to see which there are".into()),
            Self::ClockBehind { .. } => Some("set this machine's clock right".into()),
        }
    }
}

/// A public key and when it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its identity.
    pub id: KeyId,
    /// The SubjectPublicKeyInfo in PEM.
    pub public_pem: String,
    /// When its signatures count.
    pub validity: Validity,
}

/// What others need to verify with their own tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyExport {
    /// Names and contents of files.
    pub files: Vec<(String, String)>,
    /// What to type, a heading and a line each; the files are in the current folder.
    pub commands: Vec<(String, String)>,
}

/// The keys of this server.
#[async_trait]
pub trait KeyRing: Send + Sync {
    /// Every key, oldest first; the last one signs.
    async fn keys(&self) -> Vec<Key>;

    /// Makes a new key that signs from `at` on. The one before stays for verification; its private
    /// part is removed.
    async fn rotate(&self, at: Timestamp) -> Result<Key, KeyRingError>;

    /// Lets nothing count any more that `key` signed at `from` or later. When it is the key that
    /// signs, a new one takes over at `at`. Returns the key that signs now. Revoking twice has the
    /// effect of once, and the earlier moment holds.
    async fn revoke(&self, key: KeyId, from: Timestamp, at: Timestamp)
    -> Result<Key, KeyRingError>;

    /// What others need to verify an image of `repository` (`host/name@sha256:…`).
    async fn export(&self, repository: &str) -> KeyExport;
}
