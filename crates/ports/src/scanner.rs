//! Matches packages against known vulnerabilities.

use std::path::PathBuf;

use async_trait::async_trait;
use model::advisory::{AdvisoryFacts, DataChange, Matches};
use model::inventory::{Ecosystem, Inventory};
use model::{Digest, Failure, Timestamp};
use serde::{Deserialize, Serialize};

/// The data that a scan went by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanData {
    /// Of all of it.
    pub digest: Digest,
    /// The newest record that decides about what was scanned and is not dated in the future.
    pub modified: Option<Timestamp>,
    /// How old that is.
    pub age_seconds: Option<u64>,
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// The data; none when there is none.
    pub data: Option<ScanData>,
    /// What was found in it.
    pub matches: Matches,
    /// How many packages were looked up.
    pub packages: u32,
    /// Package URLs with a licence that the allow-list does not have.
    pub licences_outside: Vec<String>,
    /// How many packages do not say under which licence they may be used.
    pub unlicensed: u32,
}

/// Knows vulnerabilities, and keeps the data about them.
#[async_trait]
pub trait Scanner: Send + Sync {
    /// Matches what is in an image. Without data it finds nothing and says that there is none; data
    /// that is damaged fails.
    async fn scan(&self, inventory: &Inventory, now: Timestamp) -> Result<Scanned, Failure>;

    /// What is known of packages that are about to be installed, by their package URLs. Without data
    /// nothing is; data that is damaged fails.
    async fn find(&self, purls: &[String]) -> Result<Matches, Failure>;

    /// The name of a well-known package that somebody who wrote `name` may have meant; none when it
    /// is well known itself.
    fn nearest(&self, ecosystem: Ecosystem, name: &str) -> Option<String>;

    /// Takes new data, one archive an ecosystem. On any error what is there stays.
    async fn import(
        &self,
        archives: Vec<PathBuf>,
        change: DataChange,
        now: Timestamp,
    ) -> Result<AdvisoryFacts, Failure>;

    /// What is known about the data; none without data.
    async fn facts(&self, now: Timestamp) -> Result<Option<AdvisoryFacts>, Failure>;
}
