//! Base layers, made from Debian packages without root's package manager and without Docker.

mod bases;
mod compile;
mod control;
mod deb;
mod furnish;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod keyring;
mod kind;
mod mirror;
mod pin;
mod release;
mod sources;
#[cfg(test)]
mod tests;

pub use bases::{Base, Bases};
pub use index::NoPackage;
pub use keyring::SignatureError;
pub use kind::{BaseKind, Suite};
pub(crate) use pin::{PinnedPackage, pinned};
pub use release::ReleaseError;
pub use sources::{DebianSources, Keyring};

use std::io;
use std::path::PathBuf;

use model::failure::{Failure, FailureCode, Remedy};

use crate::fetch::FetchError;
use crate::layer::{LayerError, PlaceError, UnpackError};

/// Why a base cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum DebianError {
    /// The machine's apt knows no Debian mirror.
    #[error("this machine's apt has no Debian mirror")]
    NoMirror,
    /// There is no key to check a mirror's signatures with.
    #[error("this machine has no keyring with Debian's keys")]
    NoKeyring,
    /// The mirror did not answer.
    #[error("the Debian mirror cannot be used")]
    Fetch(#[from] FetchError),
    /// The mirror's index is not signed by Debian.
    #[error("the signature of `{url}` is not good")]
    Signature {
        /// The index.
        url: String,
        /// Why not.
        #[source]
        cause: SignatureError,
    },
    /// The mirror's index is old, or of another suite.
    #[error("`{url}` cannot be used")]
    Release {
        /// The index.
        url: String,
        /// Why not.
        #[source]
        cause: ReleaseError,
    },
    /// A list of packages cannot be read.
    #[error("the mirror's list of packages is damaged")]
    List {
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// What came is not what the signed index promised.
    #[error("`{0}` is not what the mirror's signed index promises")]
    WrongContent(String),
    /// A package does not exist.
    #[error(transparent)]
    NoPackage(#[from] NoPackage),
    /// A file is no Debian package that mayfly can read.
    #[error("it is no Debian package that can be read")]
    BadPackage,
    /// One package, with what is wrong with it.
    #[error("the Debian package `{package}` cannot be unpacked")]
    Package {
        /// Its name.
        package: String,
        /// Why not.
        #[source]
        cause: Box<DebianError>,
    },
    /// Its files cannot be unpacked.
    #[error("its files cannot be unpacked")]
    Unpack(#[from] UnpackError),
    /// The layer cannot be made.
    #[error("the base layer cannot be made")]
    Layer(#[from] LayerError),
    /// The cache cannot be written.
    #[error("`{path}` cannot be written")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// The build was stopped.
    #[error("the build was stopped")]
    Stopped,
}

impl Remedy for DebianError {
    fn code(&self) -> FailureCode {
        match self {
            Self::NoMirror | Self::NoKeyring => FailureCode::Machine,
            Self::Fetch(_)
            | Self::Signature { .. }
            | Self::Release { .. }
            | Self::List { .. }
            | Self::WrongContent(_) => FailureCode::Network,
            Self::NoPackage(_) => FailureCode::Dependency,
            Self::Package { cause, .. } => match cause.code() {
                // Two packages with one file were asked for together.
                FailureCode::Internal => FailureCode::Dependency,
                code => code,
            },
            Self::Layer(cause) => cause.code(),
            Self::Io { cause, .. } if ports::blob_store::is_disk_full(cause) => {
                FailureCode::DiskFull
            }
            Self::Unpack(UnpackError::Place(PlaceError::Io { cause, .. }))
                if ports::blob_store::is_disk_full(cause) =>
            {
                FailureCode::DiskFull
            }
            Self::Stopped => FailureCode::Superseded,
            Self::BadPackage | Self::Unpack(_) | Self::Io { .. } => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        let mirror = "run `mayfly doctor`, or start the daemon with `mayfly serve --mirror URL`";
        match self {
            Self::NoMirror => Some(
                "start the daemon with `mayfly serve --mirror URL`, the URL of a Debian mirror"
                    .into(),
            ),
            Self::NoKeyring => Some("run `apt install debian-archive-keyring`".into()),
            Self::NoPackage(NoPackage { nearest, .. }) => Some(match nearest {
                Some(nearest) => format!("write `{nearest}` under [build] packages in mayfly.toml"),
                None => "take it out of [build] packages in mayfly.toml".into(),
            }),
            Self::Layer(cause) => cause.hint(),
            Self::Package { cause, .. } => cause.hint(),
            _ if self.code() == FailureCode::Network => Some(mirror.into()),
            _ if self.code() == FailureCode::DiskFull => {
                Some("free some disk space, then run `mayfly up` again".into())
            }
            _ => None,
        }
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Fetch(cause) => cause.is_retryable(),
            Self::Package { cause, .. } => cause.is_retryable(),
            _ => false,
        }
    }
}

/// How many keys of the machine may sign Debian's index.
pub(crate) fn debian_keys(sources: &DebianSources) -> usize {
    keyring::Keyring::read(&sources.keyrings).map_or(0, |keyring| keyring.len())
}

impl From<DebianError> for Failure {
    fn from(error: DebianError) -> Self {
        Self::of(&error)
    }
}

impl From<PlaceError> for DebianError {
    fn from(error: PlaceError) -> Self {
        Self::Layer(error.into())
    }
}
