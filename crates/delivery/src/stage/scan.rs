//! Scan: matches what is in the image against known vulnerabilities.

use std::collections::{BTreeMap, BTreeSet};

use model::advisory::{Freshness, Hit, Origin, freshness};
use model::app::App;
use model::attestation::{Kept, PredicateType};
use model::exemption::GrantedExemption;
use model::finding::{Finding, sort};
use model::inventory::{Ecosystem, Inventory, Package, Paths, paths};
use model::policy::{EvidenceState, VulnerabilityFacts};
use model::{Digest, Failure, Stage, Timestamp, vulnerable};
use ports::Scanned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Delivery;
use crate::report::StageReport;
use crate::run::Walk;
use crate::stage::build::BuildEvidence;
use crate::stage::sbom::SbomEvidence;
use crate::vex;

/// The predicate of a document in the OpenVEX format.
const VEX: &str = "https://openvex.dev/ns/v0.2.0";

/// What a scan leaves behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ScanEvidence {
    /// What was found.
    pub scanned: Scanned,
    /// Whether that can be decided by.
    pub state: EvidenceState,
    /// Why it cannot, in words.
    pub why: Option<String>,
    /// What a policy is told, worst first.
    pub vulnerabilities: Vec<VulnerabilityFacts>,
    /// What people and agents are told.
    pub findings: Vec<Finding>,
    /// The result, and what was let pass of it, signed.
    pub statements: Vec<Kept>,
}

impl ScanEvidence {
    /// Whether the image was matched against data that can be decided by.
    pub fn is_done(&self) -> bool {
        self.state == EvidenceState::Done
    }
}

/// What the app itself asks for.
#[derive(Default)]
pub(crate) struct Asked {
    /// Packages of the distribution, by name.
    debian: Vec<String>,
    /// All others, by package URL.
    direct: Vec<String>,
}

impl Asked {
    pub(crate) fn by(built: &BuildEvidence) -> Self {
        Self {
            debian: built.plan.packages.clone(),
            direct: built.direct.clone(),
        }
    }
}

/// What packages were matched, and how each came in.
struct Matched {
    scanned: Scanned,
    state: EvidenceState,
    why: Option<String>,
    vulnerabilities: Vec<VulnerabilityFacts>,
    findings: Vec<Finding>,
}

impl Delivery {
    /// Matches the image's packages, and signs what comes of it when there is data to decide by.
    pub(crate) async fn scan(
        &self,
        app: &App,
        walk: &Walk,
        built: &BuildEvidence,
        listed: &SbomEvidence,
        report: &StageReport<'_>,
    ) -> Result<ScanEvidence, Failure> {
        let started_at = self.ports.clock.now();
        let inventory = self.read_inventory(&listed.inventory).await?;
        let matched = self
            .match_packages(&inventory, &Asked::by(built), started_at)
            .await;
        let exemptions = self.exemptions_that_hold(&app.name).await?;
        let statements = match matched.state {
            EvidenceState::Done => {
                self.sign_scan(app, built, &matched, &exemptions, started_at, report)
                    .await?
            }
            EvidenceState::Missing | EvidenceState::Inconclusive => Vec::new(),
        };
        let evidence = ScanEvidence {
            scanned: matched.scanned,
            state: matched.state,
            why: matched.why,
            vulnerabilities: matched.vulnerabilities,
            findings: matched.findings,
            statements,
        };
        let input = listed.inventory;
        self.record_evidence(app, walk, report, input, &evidence, Stage::Scan, false)
            .await?;
        report.done(false);
        Ok(evidence)
    }

    /// What an image's list of packages comes to with the data of now.
    pub(crate) async fn scan_again(
        &self,
        inventory: &Inventory,
        asked: &Asked,
        now: Timestamp,
    ) -> ScanEvidence {
        let matched = self.match_packages(inventory, asked, now).await;
        ScanEvidence {
            scanned: matched.scanned,
            state: matched.state,
            why: matched.why,
            vulnerabilities: matched.vulnerabilities,
            findings: matched.findings,
            statements: Vec::new(),
        }
    }

    pub(crate) async fn read_inventory(&self, blob: &Digest) -> Result<Inventory, Failure> {
        serde_json::from_slice(&self.blob(blob).await?)
            .map_err(|error| Failure::internal("an inventory").because(error.to_string()))
    }

    async fn match_packages(
        &self,
        inventory: &Inventory,
        asked: &Asked,
        now: Timestamp,
    ) -> Matched {
        let scanned = match self.ports.scanner.scan(inventory, now).await {
            Ok(scanned) => scanned,
            Err(failure) => return Matched::failed(&failure),
        };
        let (state, why) = judge(
            &scanned,
            inventory,
            &asked.debian,
            self.settings.max_advisory_age_seconds,
        );
        let needs = needs(inventory);
        let ways = ways(&needs, &asked.direct);
        let packages: BTreeMap<String, &Package> = inventory
            .packages()
            .iter()
            .map(|package| (package.purl.to_string(), package))
            .collect();
        let mut matched = Matched {
            state,
            why,
            vulnerabilities: Vec::new(),
            findings: Vec::new(),
            scanned: Scanned {
                matches: Default::default(),
                ..scanned.clone()
            },
        };
        for hit in &scanned.matches.hits {
            let package = packages.get(&hit.purl);
            let origin = package.map_or(Origin::App, |package| package.origin(&asked.debian));
            matched.add(hit, origin, way(&ways, &hit.purl, origin));
        }
        matched.scanned.matches = scanned.matches;
        sort(&mut matched.findings);
        matched
    }

    async fn sign_scan(
        &self,
        app: &App,
        built: &BuildEvidence,
        matched: &Matched,
        exemptions: &[GrantedExemption],
        started_at: Timestamp,
        report: &StageReport<'_>,
    ) -> Result<Vec<Kept>, Failure> {
        let subject = self.subject(&app.name, &built.image.digest).await?;
        let finished_at = self.ports.clock.now();
        let result = predicate(matched, started_at, finished_at);
        let result = self.vouch(&subject, PredicateType::Vulnerabilities, &result, report);
        let excused = vex::document(&app.name, exemptions, &matched.vulnerabilities, finished_at);
        let excused = async {
            match &excused {
                Some(document) => {
                    let kind = PredicateType::Other(VEX.to_owned());
                    let text = document.to_string();
                    let signed = self.vouch(&subject, kind, text.as_bytes(), report).await;
                    signed.map(Some)
                }
                None => Ok(None),
            }
        };
        let (result, excused) = tokio::try_join!(result, excused)?;
        let signed: Vec<_> = [Some(result), excused].into_iter().flatten().collect();
        self.keep(&signed).await
    }
}

impl Matched {
    fn failed(failure: &Failure) -> Self {
        let hint = failure.hint.iter().map(|hint| format!("; {hint}"));
        Self {
            scanned: Scanned {
                data: None,
                matches: Default::default(),
                packages: 0,
                licences_outside: Vec::new(),
                unlicensed: 0,
            },
            state: EvidenceState::Inconclusive,
            why: Some(format!("{failure}{}", hint.collect::<String>())),
            vulnerabilities: Vec::new(),
            findings: Vec::new(),
        }
    }

    fn add(&mut self, hit: &Hit, origin: Origin, way: Vec<String>) {
        self.findings.push(vulnerable::finding(hit, origin, &way));
        self.vulnerabilities
            .push(VulnerabilityFacts::of(hit, origin, way));
    }
}

/// Whether a scan says anything. What was not looked at has failed, not passed.
fn judge(
    scanned: &Scanned,
    inventory: &Inventory,
    asked: &[String],
    max_age_seconds: u64,
) -> (EvidenceState, Option<String>) {
    let age = scanned.data.as_ref().and_then(|data| data.age_seconds);
    let update = "run `mayfly db update`, or `mayfly db import FILE`";
    match freshness(age, max_age_seconds) {
        Freshness::Missing => {
            return (
                EvidenceState::Missing,
                Some(format!("there is no data; {update}")),
            );
        }
        Freshness::Stale { age_seconds } => {
            let days = age_seconds / (24 * 60 * 60);
            let why = format!("the data is {days} days old; {update}");
            return (EvidenceState::Inconclusive, Some(why));
        }
        Freshness::Current { .. } => {}
    }
    let is_own = |package: &&Package| {
        package.ecosystem != Ecosystem::Generic && package.origin(asked) == Origin::App
    };
    let own = inventory.packages().iter().filter(is_own);
    let mut uncovered = own.filter(|package| {
        let purl = package.purl.to_string();
        scanned.matches.uncovered.contains(&purl)
    });
    match uncovered.next() {
        Some(package) => {
            let kind = package.ecosystem.as_str();
            let why = format!("the data has nothing about {kind} packages; {update}");
            (EvidenceState::Inconclusive, Some(why))
        }
        None => (EvidenceState::Done, None),
    }
}

/// What each package needs, by package URLs.
type Needs = BTreeMap<String, Vec<String>>;

fn needs(inventory: &Inventory) -> Needs {
    let needs = |package: &Package| package.depends_on.iter().map(ToString::to_string).collect();
    let packages = inventory.packages().iter();
    packages
        .map(|package| (package.purl.to_string(), needs(package)))
        .collect()
}

/// By which way each package came in: from what the app names, or what nothing else needs.
fn ways<'a>(needs: &'a Needs, direct: &'a [String]) -> Paths<'a> {
    let needed: BTreeSet<&str> = needs.values().flatten().map(String::as_str).collect();
    let roots = needs.keys().map(String::as_str);
    let roots = roots.filter(|purl| !needed.contains(purl));
    let named = direct.iter().map(String::as_str);
    let named = named.filter(|purl| needs.contains_key(*purl));
    paths(named.chain(roots), |purl| {
        let needs = needs.get(purl).into_iter().flatten();
        needs.map(String::as_str)
    })
}

/// The way to a package of the app; of the base's packages nobody asks for one.
fn way(ways: &Paths<'_>, purl: &str, origin: Origin) -> Vec<String> {
    let way = match origin {
        Origin::App => ways.to(purl).unwrap_or_default(),
        Origin::Base => Vec::new(),
    };
    way.into_iter().map(str::to_owned).collect()
}

/// Source: cosign's vulnerability predicate, `attestation/vuln/v1`.
fn predicate(matched: &Matched, started_at: Timestamp, finished_at: Timestamp) -> Vec<u8> {
    let data = matched.scanned.data.as_ref();
    let result = matched.vulnerabilities.iter().map(|one| {
        json!({
            "id": one.id, "aliases": one.aliases, "purl": one.purl, "severity": one.severity,
            "fixedIn": one.fixed_in, "fingerprint": one.fingerprint,
        })
    });
    let predicate = json!({
        "scanner": {
            "uri": "urn:mayfly:scanner",
            "version": env!("CARGO_PKG_VERSION"),
            "db": {
                "uri": "https://osv.dev",
                "version": data.map(|data| data.digest),
                "lastUpdate": data.and_then(|data| data.modified),
            },
            "result": {
                "packages": matched.scanned.packages,
                "uncovered": matched.scanned.matches.uncovered.len(),
                "vulnerabilities": result.collect::<Vec<Value>>(),
            },
        },
        "metadata": { "scanStartedOn": started_at, "scanFinishedOn": finished_at },
    });
    predicate.to_string().into_bytes()
}
