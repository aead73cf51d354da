//! What policies decided, for those who ask why, or what another policy would decide.

use std::collections::BTreeMap;

use api::gates::{Decided, PolicyNow};
use model::event::Happening;
use model::policy::{Message, PolicyLoad, Verdict};
use model::run::Run;
use model::{Failure, FailureCode, Release, RunId, Stage};
use ports::Change;

use crate::Delivery;
use crate::stage::policy::PolicyEvidence;

/// How many events about the server are looked at at once.
const AT_ONCE: u32 = 1000;

impl Delivery {
    /// The policy that decides now.
    pub fn policy_now(&self) -> PolicyNow {
        PolicyNow {
            load: self.ports.decider.policy(),
            files: self.ports.decider.files(),
        }
    }

    /// What was decided about `run`, or about the newest runs of all apps, at most `limit`, newest
    /// first. A run that ended before any decision is left out, and is an error when it was named.
    pub async fn decisions(
        &self,
        run: Option<RunId>,
        limit: usize,
    ) -> Result<Vec<Decided>, Failure> {
        let mut runs: Vec<Run> = Vec::new();
        let apps = self.ports.ledger.apps().await;
        for app in apps.map_err(|error| Failure::of(&error))? {
            let newest = u32::try_from(limit).unwrap_or(u32::MAX);
            let newest = run.map_or(newest, |_| u32::MAX);
            let found = self.ports.ledger.runs(&app.name, newest).await;
            runs.extend(found.map_err(|error| Failure::of(&error))?);
        }
        runs.retain(|one| run.is_none_or(|run| one.id == run));
        runs.sort_by_key(|run| std::cmp::Reverse(run.id));
        let mut decided = Vec::new();
        for one in runs {
            decided.extend(self.decided(&one).await);
            if decided.len() == limit {
                break;
            }
        }
        match (run, decided.is_empty()) {
            (Some(run), true) => Err(no_decision(run)),
            _ => Ok(decided),
        }
    }

    async fn decided(&self, run: &Run) -> Option<Decided> {
        let evidence: PolicyEvidence = self.found_in(run.id, Stage::Policy).await?;
        let files = self.blob(&evidence.files).await.ok()?;
        let files: BTreeMap<String, String> = serde_json::from_slice(&files).ok()?;
        Some(Decided {
            run: run.id,
            app: run.app.clone(),
            at: run.started_at,
            question: evidence.question,
            policy: evidence.policy,
            files,
            decision: evidence.decision,
        })
    }

    /// Whether what let a release pass still does: the same policy, exemptions that hold, and no
    /// newer data that speaks against it.
    pub(crate) async fn is_still_let_pass(&self, release: &Release) -> bool {
        let Some(decided) = self
            .found_by::<PolicyEvidence>(release, Stage::Policy)
            .await
        else {
            return false;
        };
        let Ok(holding) = self.exemptions_that_hold(&release.key.app).await else {
            return false;
        };
        let mut used = decided.decision.exempt.iter();
        let is_held = |message: &Message| {
            let target = message
                .details
                .get("target")
                .and_then(|value| value.as_str());
            let target = target.unwrap_or(&message.rule);
            let mut holding = holding.iter();
            holding.any(|granted| granted.exemption.target == target)
        };
        let refused_since = self.rescanned(release).await;
        decided.policy.digest == self.ports.decider.policy().digest
            && used.all(is_held)
            && refused_since.is_none_or(|again| again.decision.verdict == Verdict::Pass)
    }

    /// Records which policy decides from now on, unless the last event says so already.
    pub(crate) async fn tell_policy(&self) -> Result<(), Failure> {
        let load = self.ports.decider.policy();
        match self.last_policy().await? == Some(told(&load)) {
            true => Ok(()),
            false => self.record(vec![Change::PolicyLoaded(load)]).await,
        }
    }

    async fn last_policy(&self) -> Result<Option<Happening>, Failure> {
        let (mut after, mut last) = (0, None);
        loop {
            let events = self.ports.ledger.events_of(None, after, AT_ONCE).await;
            let events = events.map_err(|error| Failure::of(&error))?;
            let Some(newest) = events.last() else {
                return Ok(last);
            };
            after = newest.seq;
            let policies = events.into_iter().map(|event| event.what);
            let is_load = |what: &Happening| matches!(what, Happening::PolicyLoaded { .. });
            last = policies.rev().find(is_load).or(last);
        }
    }
}

fn told(load: &PolicyLoad) -> Happening {
    Happening::PolicyLoaded {
        policy: load.digest,
        from: load.origin.to_string(),
    }
}

fn no_decision(run: RunId) -> Failure {
    let text = format!("no policy decided about the run `{run}`");
    Failure::new(FailureCode::NotFound, text)
        .hint("it may have been stopped before; `mayfly audit` shows what happened")
}
