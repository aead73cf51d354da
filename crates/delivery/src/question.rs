//! What a policy is asked about a run.

use std::collections::BTreeMap;

use model::app::{App, Owner};
use model::attestation::{Kept, PredicateType};
use model::inventory::Inventory;
use model::policy::{
    AccessFacts, AppFacts, Creator, CreatorKind, EgressFacts, EvidenceState, ExemptionFacts,
    FindingsFacts, INPUT_VERSION, Input, Occasion, ProvenanceFacts, SbomFacts, SizeFacts,
    SourceFacts, TestsFacts, TtlFacts, VulnerabilitiesFacts,
};
use model::provenance::FolderState;
use model::snapshot::Entry;
use model::{AppName, Digest, Failure, Timestamp};
use serde_json::Value;

use crate::Delivery;
use crate::run::Walk;
use crate::stage::build::BuildEvidence;
use crate::stage::checks::CheckEvidence;
use crate::stage::sbom::SbomEvidence;
use crate::stage::scan::ScanEvidence;
use crate::stage::tests::TestEvidence;

/// What the stages of a run have found so far.
#[derive(Default, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) checks: Option<&'a CheckEvidence>,
    pub(crate) built: Option<&'a BuildEvidence>,
    pub(crate) tests: Option<&'a TestEvidence>,
    pub(crate) listed: Option<&'a SbomEvidence>,
    pub(crate) signed: Option<&'a [Kept]>,
    pub(crate) scan: Option<&'a ScanEvidence>,
}

impl Delivery {
    /// The question about a run, of which not all may be known yet.
    pub(crate) async fn question(
        &self,
        occasion: Occasion,
        app: &App,
        walk: &Walk,
        known: &Known<'_>,
    ) -> Result<Value, Failure> {
        let image = known.built.map(|built| built.image.digest);
        let inventory = match known.listed {
            Some(listed) => Some(self.read_inventory(&listed.inventory).await?),
            None => None,
        };
        let input = Input {
            version: INPUT_VERSION,
            occasion,
            now: self.ports.clock.now(),
            app: AppFacts {
                name: app.name.to_string(),
                kind: known.built.map_or_else(String::new, kind),
                created_at: app.stable.map(|_| app.created_at),
                image: image.unwrap_or_else(|| Digest::of(b"")),
                hosts: Vec::new(),
            },
            creator: Creator {
                id: person(walk.owner),
                kind: CreatorKind::Person,
                groups: Vec::new(),
            },
            source: source(walk),
            findings: findings(known),
            tests: known
                .tests
                .map_or_else(TestsFacts::missing, TestEvidence::facts),
            sbom: sbom(known, inventory.as_ref()),
            vulnerabilities: self.vulnerabilities(known.scan),
            provenance: self.provenance_facts(walk, known).await?,
            egress: EgressFacts::new(walk.manifest.run_config().egress),
            access: AccessFacts {
                audience: self.settings.audience,
            },
            size: size(walk, known),
            ttl: self.ttl(app, walk).await,
            exemptions: self.exemption_facts(&app.name).await?,
        };
        serde_json::to_value(input)
            .map_err(|error| Failure::internal("a policy's question").because(error.to_string()))
    }

    /// What a policy is told of a scan.
    pub(crate) fn vulnerabilities(&self, scan: Option<&ScanEvidence>) -> VulnerabilitiesFacts {
        let data = scan.and_then(|scan| scan.scanned.data.as_ref());
        let list = scan.map(|scan| scan.vulnerabilities.clone());
        let list = list.unwrap_or_default();
        VulnerabilitiesFacts {
            state: scan.map_or(EvidenceState::Missing, |scan| scan.state),
            why: scan.and_then(|scan| scan.why.clone()),
            data_modified: data.and_then(|data| data.modified),
            data_age_seconds: data.and_then(|data| data.age_seconds),
            max_age_seconds: self.settings.max_advisory_age_seconds,
            packages: scan.map_or(0, |scan| scan.scanned.packages),
            uncovered: scan.map_or(0, |scan| count(scan.scanned.matches.uncovered.len())),
            total: count(list.len()),
            list,
        }
    }

    pub(crate) async fn exemption_facts(&self, app: &AppName) -> Result<ExemptionFacts, Failure> {
        let all = self.exemptions(app).await?.into_iter();
        let standing = all.filter(|granted| granted.revoked_at.is_none());
        Ok(ExemptionFacts::new(
            standing.map(|granted| granted.exemption).collect(),
        ))
    }

    /// When the app that a run brings up ends: as asked for now, else as it was before.
    pub(crate) async fn end_of(&self, app: &App, walk: &Walk) -> Option<Timestamp> {
        let lifetime = walk.request.ttl_seconds;
        let lifetime = lifetime.or(walk.manifest.ttl.map(|span| span.0));
        match lifetime {
            Some(seconds) => {
                let second = i64::try_from(seconds).ok()?;
                let end = self.ports.clock.now().as_second().checked_add(second)?;
                Timestamp::from_second(end).ok()
            }
            None => self.stable(&app.name).await?.expires_at,
        }
    }

    async fn ttl(&self, app: &App, walk: &Walk) -> TtlFacts {
        let expires_at = self.end_of(app, walk).await;
        let now = self.ports.clock.now();
        let left = |end: Timestamp| u64::try_from(end.as_second() - now.as_second()).unwrap_or(0);
        TtlFacts {
            seconds: expires_at.map(left),
            expires_at,
        }
    }

    async fn provenance_facts(
        &self,
        walk: &Walk,
        known: &Known<'_>,
    ) -> Result<ProvenanceFacts, Failure> {
        let (Some(built), Some(signed)) = (known.built, known.signed) else {
            return Ok(ProvenanceFacts::unsaid(EvidenceState::Missing, None));
        };
        let provenance: Vec<Kept> = signed
            .iter()
            .filter(|kept| kept.kind == PredicateType::Provenance)
            .cloned()
            .collect();
        let signed = self.unkept(&provenance).await?;
        let judgement = self.judge(&built.image.digest, &signed, &[], None).await;
        let rows = judgement.report.rows.iter();
        let mut held = rows.filter_map(|row| row.outcome.as_ref().ok());
        Ok(match held.next() {
            Some(row) => ProvenanceFacts {
                state: EvidenceState::Done,
                why: None,
                builder: Some(self.settings.builder.id.clone()),
                placement: Some(self.settings.builder.placement.as_str().to_owned()),
                image: Some(built.image.digest),
                snapshot: Some(walk.request.snapshot),
                signed_by: Some(row.by.to_string()),
            },
            None => ProvenanceFacts::unsaid(
                EvidenceState::Inconclusive,
                Some("the statement does not verify".to_owned()),
            ),
        })
    }
}

/// A user of this machine, as policies name people.
pub(crate) fn person(owner: Owner) -> String {
    format!("uid:{}", owner.uid)
}

fn kind(built: &BuildEvidence) -> String {
    let kind = serde_json::to_value(built.plan.kind).unwrap_or_default();
    kind.as_str().unwrap_or_default().to_owned()
}

fn source(walk: &Walk) -> SourceFacts {
    let commit = walk.request.commit.as_ref();
    SourceFacts {
        snapshot: walk.request.snapshot,
        repository: commit.and_then(|commit| commit.repository.clone()),
        commit: commit.map(|commit| commit.id.clone()),
        dirty: commit.map(|commit| commit.state == FolderState::Dirty),
    }
}

/// What was found in the source, and in what it asks for.
fn findings(known: &Known<'_>) -> FindingsFacts {
    let Some(evidence) = known.checks else {
        return FindingsFacts::missing();
    };
    let mut all = evidence.checked.findings.clone();
    all.extend(
        known
            .built
            .into_iter()
            .flat_map(|built| built.findings.clone()),
    );
    FindingsFacts::done(&all, evidence.checked.unread.len())
}

fn sbom(known: &Known<'_>, inventory: Option<&Inventory>) -> SbomFacts {
    let scanned = known.scan.map(|scan| &scan.scanned);
    let packages = inventory.map(Inventory::packages).unwrap_or_default();
    let mut by_ecosystem = BTreeMap::new();
    let mut licences = BTreeMap::new();
    for package in packages {
        let kind = package.ecosystem.as_str().to_owned();
        *by_ecosystem.entry(kind).or_insert(0) += 1;
        if let Some(licence) = &package.licence {
            *licences.entry(licence.clone()).or_insert(0) += 1;
        }
    }
    SbomFacts {
        state: match inventory {
            Some(_) => EvidenceState::Done,
            None => EvidenceState::Missing,
        },
        why: None,
        digest: known.listed.map(|listed| listed.inventory),
        complete: inventory.is_some_and(Inventory::is_complete),
        packages: count(packages.len()),
        by_ecosystem,
        licences,
        unlicensed: scanned.map_or(0, |scanned| scanned.unlicensed),
        licences_outside: scanned.map_or(0, |scanned| count(scanned.licences_outside.len())),
    }
}

fn size(walk: &Walk, known: &Known<'_>) -> SizeFacts {
    let sizes = walk
        .snapshot
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::File { size_bytes, .. } => Some(*size_bytes),
            Entry::Link { .. } => None,
        });
    let (files, bytes) = sizes.fold((0, 0_u64), |(files, bytes), size| {
        (files + 1, bytes.saturating_add(size))
    });
    SizeFacts {
        source_bytes: bytes,
        source_files: files,
        image_bytes: known.built.map_or(0, |built| built.image.size_bytes()),
        memory_bytes: walk.manifest.run_config().limits.memory_bytes,
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
