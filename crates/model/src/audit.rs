//! Whether the ledger holds what its own events tell: the events, replayed, against the rest.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::digest::Digest;
use crate::event::{Event, Happening};
use crate::evidence::Evidence;
use crate::release::{Release, ReleaseNumber};
use crate::run::{Outcome, Run, RunId};
use crate::stage::Stage;

/// What the ledger says of one app now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The app.
    pub app: App,
    /// Its releases.
    pub releases: Vec<Release>,
    /// Its runs.
    pub runs: Vec<Run>,
    /// What their stages recorded.
    pub evidence: Vec<Evidence>,
}

/// What events say of one app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Told {
    releases: BTreeMap<ReleaseNumber, (Digest, Option<Digest>)>,
    stable: Option<ReleaseNumber>,
    runs: BTreeMap<RunId, (Digest, Option<Outcome>)>,
    evidence: BTreeMap<(RunId, Stage, u32), Digest>,
}

/// Replays events, and says in sentences where the ledger differs; nothing is good.
pub fn differences(events: &[Event], facts: &[Facts]) -> Vec<String> {
    let told = replay(events);
    let mut found = Vec::new();
    let names: BTreeSet<&str> = facts.iter().map(|facts| facts.app.name.as_str()).collect();
    for gone in told.keys().filter(|name| !names.contains(name.as_str())) {
        found.push(format!(
            "the log tells of the app `{gone}`, and the ledger has none"
        ));
    }
    for facts in facts {
        let name = facts.app.name.as_str();
        match told.get(name) {
            Some(told) => compare(name, told, &of_facts(facts), &mut found),
            None => found.push(format!(
                "the ledger has the app `{name}`, and the log does not"
            )),
        }
    }
    found
}

fn replay(events: &[Event]) -> BTreeMap<String, Told> {
    let mut apps: BTreeMap<String, Told> = BTreeMap::new();
    for event in events {
        let Some(name) = &event.app else {
            continue;
        };
        if event.what == Happening::Removed {
            apps.remove(name.as_str());
            continue;
        }
        apps.entry(name.to_string()).or_default().hear(&event.what);
    }
    apps
}

impl Told {
    fn hear(&mut self, what: &Happening) {
        match what {
            Happening::RunStarted { run, snapshot, .. } => {
                self.runs.insert(*run, (*snapshot, None));
            }
            Happening::RunSettled { run, outcome } => {
                if let Some((_, end)) = self.runs.get_mut(run) {
                    *end = Some(*outcome);
                }
            }
            Happening::StageRecorded {
                run,
                stage,
                evidence,
                attempt,
            } => {
                self.evidence.insert((*run, *stage, *attempt), *evidence);
            }
            Happening::ReleaseCreated {
                release,
                image,
                verification,
            } => {
                self.releases.insert(*release, (*image, *verification));
            }
            Happening::Promoted { release, .. } => self.stable = Some(*release),
            Happening::ReleaseFailed { release }
            | Happening::RolledBack { release }
            | Happening::ReleaseSuperseded { release } => {
                self.stable = self.stable.filter(|stable| stable != release);
            }
            Happening::AppCreated
            | Happening::AppTakenOver
            | Happening::EnvSet { .. }
            | Happening::Destroyed
            | Happening::Restored
            | Happening::Removed
            | Happening::KeyBegun { .. }
            | Happening::KeyRevoked { .. }
            | Happening::ExemptionGranted { .. }
            | Happening::ExemptionRevoked { .. }
            | Happening::PolicyLoaded { .. }
            | Happening::AdvisoriesImported { .. }
            | Happening::Rescanned { .. } => {}
        }
    }
}

fn of_facts(facts: &Facts) -> Told {
    let releases = facts.releases.iter();
    let runs = facts.runs.iter();
    let evidence = facts.evidence.iter();
    Told {
        releases: releases
            .map(|one| (one.key.number, (one.image.digest, one.verification)))
            .collect(),
        stable: facts.app.stable,
        runs: runs
            .map(|run| {
                let outcome = run.settled.as_ref().map(|settled| settled.outcome);
                (run.id, (run.snapshot, outcome))
            })
            .collect(),
        evidence: evidence
            .map(|one| ((one.run, one.stage, one.attempt), one.blob))
            .collect(),
    }
}

fn compare(app: &str, log: &Told, ledger: &Told, found: &mut Vec<String>) {
    entries(
        &format!("release of `{app}`"),
        &log.releases,
        &ledger.releases,
        found,
        |number| number.to_string(),
    );
    entries(
        &format!("run of `{app}`"),
        &log.runs,
        &ledger.runs,
        found,
        RunId::to_string,
    );
    entries(
        &format!("evidence of `{app}`"),
        &log.evidence,
        &ledger.evidence,
        found,
        |(run, stage, attempt)| format!("{run} {stage} {attempt}"),
    );
    if log.stable != ledger.stable {
        found.push(format!(
            "another release of `{app}` serves than the log tells"
        ));
    }
}

fn entries<K: Ord, V: PartialEq>(
    what: &str,
    log: &BTreeMap<K, V>,
    ledger: &BTreeMap<K, V>,
    found: &mut Vec<String>,
    name: impl Fn(&K) -> String,
) {
    let keys: BTreeSet<&K> = log.keys().chain(ledger.keys()).collect();
    for key in keys {
        let difference = match (log.get(key), ledger.get(key)) {
            (Some(one), Some(other)) if one == other => continue,
            (Some(_), Some(_)) => "is another one in the ledger than in the log",
            (Some(_), None) => "is in the log, and not in the ledger",
            (None, _) => "is in the ledger, and not in the log",
        };
        found.push(format!("{what}: {} {difference}", name(key)));
    }
}
