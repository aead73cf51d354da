//! The scanner that the delivery of an app asks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use model::advisory::{AdvisoryFacts, DataChange, EcosystemFacts, Matches, Origin};
use model::inventory::{self, Inventory, Package as Listed};
use model::{Failure, Timestamp};
use ports::{ScanData, Scanned, Scanner};

use crate::database::{Database, OpenError};
use crate::ecosystem::Ecosystem;
use crate::facts::Facts;
use crate::import::{Change, Import, import};
use crate::licence::{LicenceVerdict, licence_verdict};
use crate::near::near_popular;
use crate::package::Package;

/// Licences that ask for no more than a notice, or to share changes of the package itself.
const ALLOWED: &str = include_str!("licence/allowed.txt");

/// Knows what an index says, and takes the next one.
pub struct OsvScanner {
    index: PathBuf,
    open: RwLock<State>,
}

/// What stands at the index's place.
#[derive(Clone)]
enum State {
    Open(Arc<Database>),
    Missing,
    Unusable(Failure),
}

impl OsvScanner {
    /// Opens the index at `index`, if there is one. A damaged one fails each scan, until another
    /// takes its place.
    pub fn new(index: PathBuf) -> Self {
        let open = RwLock::new(open(&index));
        Self { index, open }
    }

    fn database(&self) -> Result<Option<Arc<Database>>, Failure> {
        let state = self.open.read().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Open(database) => Ok(Some(Arc::clone(database))),
            State::Missing => Ok(None),
            State::Unusable(failure) => Err(failure.clone()),
        }
    }
}

fn open(index: &Path) -> State {
    match Database::open(index) {
        Ok(database) => State::Open(Arc::new(database)),
        Err(OpenError::Read { cause, .. }) if cause.kind() == std::io::ErrorKind::NotFound => {
            State::Missing
        }
        Err(error) => State::Unusable(Failure::of(&error)),
    }
}

#[async_trait]
impl Scanner for OsvScanner {
    async fn scan(&self, inventory: &Inventory, now: Timestamp) -> Result<Scanned, Failure> {
        let listed = inventory.packages();
        let looked_up: Vec<Package> = listed.iter().filter_map(package).collect();
        let (licences_outside, unlicensed) = licences(listed);
        let database = self.database()?;
        let found = database.map(|database| {
            let matches = database.find(&looked_up);
            let age = database
                .age_seconds_for(&looked_up, now)
                .or_else(|| database.age_seconds(now));
            let data = ScanData {
                digest: database.digest(),
                modified: age.and_then(|age| before(now, age)),
                age_seconds: age,
            };
            (data, matches)
        });
        let (data, matches) = match found {
            Some((data, matches)) => (Some(data), matches),
            None => (None, Matches::default()),
        };
        Ok(Scanned {
            data,
            matches,
            packages: u32::try_from(looked_up.len()).unwrap_or(u32::MAX),
            licences_outside,
            unlicensed,
        })
    }

    async fn find(&self, purls: &[String]) -> Result<Matches, Failure> {
        let Some(database) = self.database()? else {
            return Ok(Matches::default());
        };
        let packages: Vec<Package> = purls
            .iter()
            .filter_map(|purl| Package::of_purl(purl))
            .collect();
        Ok(database.find(&packages))
    }

    fn nearest(&self, ecosystem: inventory::Ecosystem, name: &str) -> Option<String> {
        let ecosystem = Ecosystem::of_purl_type(ecosystem.as_str())?;
        near_popular(&ecosystem, name).map(str::to_owned)
    }

    async fn import(
        &self,
        archives: Vec<PathBuf>,
        change: DataChange,
        now: Timestamp,
    ) -> Result<AdvisoryFacts, Failure> {
        let index = self.index.clone();
        let work = move || {
            let change = match change {
                DataChange::Plausible => Change::Plausible,
                DataChange::Any => Change::Any,
            };
            import(&Import {
                archives: &archives,
                index: &index,
                now,
                change,
            })
        };
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|error| Failure::internal(error.to_string()))?;
        done.map_err(|error| Failure::of(&error))?;
        let fresh = open(&self.index);
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        let facts = self.facts(now).await?;
        facts.ok_or_else(|| Failure::internal("the index is gone that was just written"))
    }

    async fn facts(&self, now: Timestamp) -> Result<Option<AdvisoryFacts>, Failure> {
        let Some(database) = self.database()? else {
            return Ok(None);
        };
        let age_seconds = database.age_seconds(now);
        Ok(Some(AdvisoryFacts {
            digest: database.digest(),
            size_bytes: std::fs::metadata(&self.index).map_or(0, |metadata| metadata.len()),
            modified: age_seconds.and_then(|age| before(now, age)),
            age_seconds,
            ecosystems: database.facts().map(|facts| told(facts, now)).collect(),
        }))
    }
}

/// What the image has as records know it. What only runs beside it, as mayfly does, has none.
fn package(listed: &Listed) -> Option<Package> {
    let package = Package::of_purl(&listed.purl.to_string())?;
    // A program of no ecosystem: no record is about it by its name.
    package.ecosystem.as_ref()?;
    Some(match &listed.source {
        Some(source) => package.built_from(&source.name, &source.version),
        None => package,
    })
}

/// The packages with a licence outside of the list, and how many say nothing. The base's licences
/// are its distribution's matter.
fn licences(listed: &[Listed]) -> (Vec<String>, u32) {
    let allowed: Vec<&str> = ALLOWED.split_whitespace().collect();
    let (mut outside, mut silent) = (Vec::new(), 0_u32);
    let is_of_app = |package: &&Listed| package.origin(&[]) == Origin::App;
    for package in listed.iter().filter(is_of_app) {
        match licence_verdict(package.licence.as_deref(), &allowed) {
            LicenceVerdict::Allowed => {}
            LicenceVerdict::Outside => outside.push(package.purl.to_string()),
            LicenceVerdict::Unknown => silent += 1,
        }
    }
    (outside, silent)
}

fn told(facts: &Facts, now: Timestamp) -> EcosystemFacts {
    let quirks = facts.quirks.iter();
    EcosystemFacts {
        name: facts.ecosystem.clone(),
        records: facts.records,
        malicious: facts.malicious,
        packages: facts.packages,
        releases: facts.releases.iter().cloned().collect(),
        modified: facts.newest(now),
        quirks: quirks
            .map(|(kind, quirk)| format!("{kind}: {}", quirk.count))
            .collect(),
    }
}

fn before(now: Timestamp, seconds: u64) -> Option<Timestamp> {
    let second = now.as_second().checked_sub(i64::try_from(seconds).ok()?)?;
    Timestamp::from_second(second).ok()
}
