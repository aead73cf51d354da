//! Decides about packages before anything of them is installed or run.

use std::fmt;

use async_trait::async_trait;
use model::failure::Failure;
use model::inventory::{Ecosystem, Purl};
use serde::{Deserialize, Serialize};

/// Where one package is fetched from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Origin {
    /// A registry that this machine is set to, under its name there.
    Registry,
    /// An archive at an address.
    Url {
        /// The address, without credentials.
        url: String,
    },
    /// A Git repository.
    Git {
        /// The repository, without credentials.
        url: String,
    },
    /// A folder of the app's own.
    Folder {
        /// Its path.
        path: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry => f.write_str("the registry"),
            Self::Url { url } | Self::Git { url } => f.write_str(url),
            Self::Folder { path } => f.write_str(path),
        }
    }
}

/// The line of the app that asks for a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Asked {
    /// Relative to the app's folder.
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: u32,
    /// The line's text, cleaned and cut; empty for the file as a whole.
    pub text: String,
}

/// A package that a build wants to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// Its kind.
    pub ecosystem: Ecosystem,
    /// Its name, as its registry writes it.
    pub name: String,
    /// The version that was resolved.
    pub version: String,
    /// Name and version in one.
    pub purl: Purl,
    /// Where it is fetched from.
    pub origin: Origin,
    /// Whether the app itself asks for it.
    pub direct: bool,
    /// Where the app asks for it, when it does and the line is known.
    pub asked: Option<Asked>,
}

/// Admits packages, or says no with what it knows about them.
///
/// It is asked on each build, whatever is cached: what is known about packages changes. So it must
/// answer from memory, in milliseconds.
#[async_trait]
pub trait PackageGate: Send + Sync {
    /// Fails when one of `packages` may not be installed: a failure with the code `Dependency` and
    /// its findings. Nothing of them has been installed or run until then.
    async fn admit(&self, packages: &[Requested]) -> Result<(), Failure>;

    /// The name of a well-known package that somebody who wrote `name` may have meant.
    fn nearest(&self, ecosystem: Ecosystem, name: &str) -> Option<String>;
}

/// Admits every package: for machines whose owner wants no such gate.
#[derive(Debug, Clone, Copy, Default)]
pub struct AdmitsAll;

#[async_trait]
impl PackageGate for AdmitsAll {
    async fn admit(&self, _packages: &[Requested]) -> Result<(), Failure> {
        Ok(())
    }

    fn nearest(&self, _ecosystem: Ecosystem, _name: &str) -> Option<String> {
        None
    }
}
