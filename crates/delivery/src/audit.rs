//! What happened, for auditors; and whether the ledger and the log agree on it.

use std::collections::BTreeMap;

use api::supply::AuditReport;
use model::app::Owner;
use model::audit::{self, Facts};
use model::event::Event;
use model::transparency::Checkpoint;
use model::{AppName, Failure};
use ports::{Change, Entry};

use crate::Delivery;
use crate::keys::require_root;

/// How many events are read at once.
const AT_ONCE: u32 = 1000;

impl Delivery {
    /// Events about an app, or about all and the server, after a number, oldest first.
    pub async fn history(&self, app: Option<&AppName>, after: u64) -> Result<Vec<Event>, Failure> {
        let events = match app {
            Some(app) => self.ports.ledger.events_of(Some(app), after, AT_ONCE).await,
            None => self.ports.ledger.events(after, AT_ONCE).await,
        };
        events.map_err(|error| Failure::of(&error))
    }

    /// Compares the whole log with the ledger's events, and these with the rest of the ledger.
    pub async fn audit(&self) -> Result<AuditReport, Failure> {
        let (checkpoint, entries, facts) = self.at_rest().await?;
        let mut differences = Vec::new();
        let texts = entries.iter().map(|entry| entry.text.clone()).collect();
        if let Err(error) = self.ports.log.verify(texts).await {
            differences.push(error.to_string());
        }
        let events = read(&entries, &mut differences);
        differences.extend(audit::differences(&events, &facts));
        Ok(AuditReport {
            entries: entries.len() as u64,
            checkpoint,
            differences,
        })
    }

    /// Whom hashes in events stand for, as far as that is not forgotten.
    pub async fn people(&self) -> Result<BTreeMap<String, u32>, Failure> {
        let known = self.ports.ledger.stand_ins().await;
        let known = known.map_err(|error| Failure::of(&error))?;
        Ok(known
            .into_iter()
            .map(|(owner, hash)| (hash.to_string(), owner.uid))
            .collect())
    }

    /// Lets nobody tell any more who stands behind the hashes that stood for them in events.
    pub async fn forget_person(&self, person: Owner, caller: Owner) -> Result<(), Failure> {
        if caller != person {
            require_root(caller)?;
        }
        self.record(vec![Change::PersonForgotten { owner: person }])
            .await
    }

    /// The log and the ledger at one moment: between two changes.
    async fn at_rest(&self) -> Result<(Checkpoint, Vec<Entry>, Vec<Facts>), Failure> {
        loop {
            let checkpoint = self.transcribe().await?;
            let entries = self.entries().await?;
            let facts = self.facts().await?;
            let newer = self.ports.ledger.entries(entries.len() as u64, 1).await;
            if newer.map_err(|error| Failure::of(&error))?.is_empty() {
                return Ok((checkpoint, entries, facts));
            }
        }
    }

    async fn entries(&self) -> Result<Vec<Entry>, Failure> {
        let mut all = Vec::new();
        loop {
            let next = self.ports.ledger.entries(all.len() as u64, AT_ONCE).await;
            let next = next.map_err(|error| Failure::of(&error))?;
            if next.is_empty() {
                return Ok(all);
            }
            all.extend(next);
        }
    }

    async fn facts(&self) -> Result<Vec<Facts>, Failure> {
        let ledger = &self.ports.ledger;
        let mut facts = Vec::new();
        for app in ledger.apps().await.map_err(|error| Failure::of(&error))? {
            let runs = ledger.runs(&app.name, u32::MAX).await;
            let runs = runs.map_err(|error| Failure::of(&error))?;
            let mut evidence = Vec::new();
            for run in &runs {
                let found = ledger.evidence(run.id).await;
                evidence.extend(found.map_err(|error| Failure::of(&error))?);
            }
            let releases = ledger.releases(&app.name).await;
            facts.push(Facts {
                releases: releases.map_err(|error| Failure::of(&error))?,
                runs,
                evidence,
                app,
            });
        }
        Ok(facts)
    }
}

/// The events of entries; one whose columns say something else than its text is told.
fn read(entries: &[Entry], differences: &mut Vec<String>) -> Vec<Event> {
    let mut events = Vec::with_capacity(entries.len());
    for entry in entries {
        match event(entry) {
            Some(event) => events.push(event),
            None => differences.push(format!(
                "row {} of the ledger's events says something else than its text",
                entry.seq
            )),
        }
    }
    events
}

fn event(entry: &Entry) -> Option<Event> {
    let event: Event = serde_json::from_str(&entry.text).ok()?;
    let kind = serde_json::to_value(&event.what).ok()?;
    let app = event.app.as_ref().map_or("", AppName::as_str);
    let same = event.seq == entry.seq
        && event.at == entry.at
        && app == entry.app
        && kind["event"] == entry.kind.as_str();
    same.then_some(event)
}
