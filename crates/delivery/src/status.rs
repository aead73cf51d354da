//! How apps do, for those who ask.

use api::types::{AppState, AppStatus, AppSummary, ReleaseNow, ReleaseSummary};
use model::app::App;
use model::backoff::CRASH_LOOP_EXITS;
use model::instance::{InstanceId, InstanceState};
use model::release::Release;
use model::{AppName, Failure, ReleaseKey, RunId, Stage};
use ports::runtime::{Fate, Written};
use ports::traffic::Wakefulness;
use serde::de::DeserializeOwned;

use crate::ready::LAST_LINES;
use crate::stage::build::BuildEvidence;
use crate::{Delivery, local_url};

/// How many releases a status shows.
const RELEASES_SHOWN: usize = 10;

impl Delivery {
    /// Every app.
    pub async fn list(&self) -> Result<Vec<AppSummary>, Failure> {
        let mut summaries = Vec::new();
        for app in self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?
        {
            let stable = self.stable(&app.name).await;
            let plan = self.plan_of(stable.as_ref()).await;
            summaries.push(self.summary(
                &app,
                stable.as_ref(),
                plan.map(|built| built.plan.kind.to_string()),
            ));
        }
        Ok(summaries)
    }

    /// One app, whole.
    pub async fn status(&self, name: &AppName) -> Result<AppStatus, Failure> {
        let app = self.known_app(name).await?;
        let releases = self
            .ports
            .ledger
            .releases(name)
            .await
            .map_err(|error| Failure::of(&error))?;
        let stable = releases
            .iter()
            .find(|release| Some(release.key.number) == app.stable);
        let built = self.plan_of(stable).await;
        let instance = self.serving(&app).map(|(_, id)| id);
        let written = self.written(instance.as_ref()).await;
        let keep = stable
            .map(|release| release.config.keep.clone())
            .unwrap_or_default();
        let lost = paths(&written, Fate::Lost);
        let denied = match &instance {
            Some(id) => self.ports.runtime.denied(id).await.unwrap_or_default(),
            None => Vec::new(),
        };
        Ok(AppStatus {
            summary: self.summary(
                &app,
                stable,
                built.as_ref().map(|built| built.plan.kind.to_string()),
            ),
            releases: releases
                .iter()
                .take(RELEASES_SHOWN)
                .map(|release| self.release_summary(&app, release))
                .collect(),
            plan: built.map(|built| built.plan),
            memory_bytes: self.memory(instance.as_ref()).await,
            data_bytes: self.data_bytes(name).await,
            notices: self.notices(&app, instance.as_ref(), &releases).await,
            kept: keep,
            will_be_kept: paths(&written, Fate::Kept),
            will_be_lost: lost,
            denied,
            env_keys: self.env_keys(name).await?,
            last_lines: self.lines_of_a_fallen_app(&app).await,
            vulnerabilities: match stable {
                Some(stable) => self.known_vulnerabilities(stable).await,
                None => Vec::new(),
            },
        })
    }

    fn summary(&self, app: &App, stable: Option<&Release>, kind: Option<String>) -> AppSummary {
        let restorable = |at| {
            at + jiff::SignedDuration::try_from(self.settings.restorable_for).unwrap_or_default()
        };
        AppSummary {
            name: app.name.clone(),
            state: self.state_of(app),
            kind,
            release: app.stable,
            url: self.url(&app.name),
            local_url: local_url(app.local_port),
            owner: app.owner,
            folder: app.folder.clone(),
            updated_at: stable.map_or(app.created_at, |release| release.created_at),
            expires_at: stable.and_then(|release| release.expires_at),
            restorable_until: app.destroyed_at.map(restorable),
        }
    }

    fn state_of(&self, app: &App) -> AppState {
        let key = app.stable.map(|number| ReleaseKey {
            app: app.name.clone(),
            number,
        });
        match key.map(|key| self.fleet.get(&key)) {
            _ if app.destroyed_at.is_some() => AppState::Destroyed,
            None => AppState::NeverReady,
            Some(Some(member)) if member.trouble.is_none() => AppState::Running,
            Some(Some(member)) if member.exits >= CRASH_LOOP_EXITS => AppState::CrashLoop,
            Some(_) => AppState::Restarting,
        }
    }

    fn release_summary(&self, app: &App, release: &Release) -> ReleaseSummary {
        let member = self.fleet.get(&release.key);
        let now = match member {
            Some(_) if Some(release.key.number) == app.stable => ReleaseNow::Serving,
            Some(_) => ReleaseNow::Warm,
            None => ReleaseNow::Stopped,
        };
        ReleaseSummary {
            number: release.key.number,
            digest: release.image.digest,
            size_bytes: release.image.size_bytes(),
            phase: release.phase.clone(),
            now,
            url: self.release_url(&app.name, release.key.number),
            created_at: release.created_at,
        }
    }

    /// What the build of a release recorded.
    pub(crate) async fn plan_of(&self, release: Option<&Release>) -> Option<BuildEvidence> {
        self.found_by(release?, Stage::Build).await
    }

    /// What a stage of a release's run recorded last.
    pub(crate) async fn found_by<T: DeserializeOwned>(
        &self,
        release: &Release,
        stage: Stage,
    ) -> Option<T> {
        self.found_in(release.run, stage).await
    }

    /// What a stage of a run recorded last.
    pub(crate) async fn found_in<T: DeserializeOwned>(
        &self,
        run: RunId,
        stage: Stage,
    ) -> Option<T> {
        let evidence = self.ports.ledger.evidence(run).await.ok()?;
        let last = evidence.iter().rfind(|evidence| evidence.stage == stage)?;
        let blob = self.ports.blobs.get(&last.blob).await.ok()?;
        serde_json::from_slice(&blob).ok()
    }

    async fn written(&self, instance: Option<&InstanceId>) -> Vec<Written> {
        match instance {
            Some(id) => self.ports.runtime.written(id).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    async fn memory(&self, instance: Option<&InstanceId>) -> Option<u64> {
        self.ports.runtime.memory_bytes(instance?).await.ok()
    }

    pub(crate) async fn data_bytes(&self, name: &AppName) -> u64 {
        let folder = self.data_folder(name);
        let walk = tokio::task::spawn_blocking(move || folder_bytes(&folder));
        walk.await.unwrap_or(0)
    }

    async fn env_keys(&self, name: &AppName) -> Result<Vec<String>, Failure> {
        let version = self.env_version(name).await?;
        let env = self
            .ports
            .ledger
            .env(name, version)
            .await
            .map_err(|error| Failure::of(&error))?;
        Ok(env.0.into_keys().collect())
    }

    async fn lines_of_a_fallen_app(&self, app: &App) -> Vec<String> {
        let trouble = self.serving(app).filter(|(key, _)| {
            self.fleet
                .get(key)
                .is_some_and(|member| member.trouble.is_some())
        });
        match trouble {
            Some((_, id)) => self.last_words(&id, LAST_LINES).await,
            None => Vec::new(),
        }
    }

    /// What nothing else in a status says.
    async fn notices(
        &self,
        app: &App,
        instance: Option<&InstanceId>,
        releases: &[Release],
    ) -> Vec<String> {
        let mut notices = Vec::new();
        let key = app.stable.map(|number| ReleaseKey {
            app: app.name.clone(),
            number,
        });
        let member = key.and_then(|key| self.fleet.get(&key));
        if let Some(trouble) = member.as_ref().and_then(|member| member.trouble.as_ref()) {
            notices.push(trouble.message.clone());
            notices.extend(trouble.hint.clone());
        }
        if member.is_some_and(|member| member.wakefulness == Wakefulness::Asleep) {
            notices.push("it sleeps, and wakes with the next request".to_owned());
        }
        if let Some(id) = instance
            && let Ok(InstanceState::Running { oom_kills, .. }) = self.ports.runtime.state(id).await
            && oom_kills > 0
        {
            notices.push(format!(
                "a worker of it was killed {oom_kills} times for its memory; set `memory` under [run] in mayfly.toml"
            ));
        }
        let stable = releases
            .iter()
            .find(|release| Some(release.key.number) == app.stable);
        if let Some(stable) = stable {
            notices.extend(self.scan_notices(stable).await);
        }
        notices.extend(self.revoked(releases).await);
        notices.extend(self.why_never_ready(app).await);
        notices
    }

    /// Why the last run of an app that never served failed.
    async fn why_never_ready(&self, app: &App) -> Vec<String> {
        if app.stable.is_some() {
            return Vec::new();
        }
        let runs = self
            .ports
            .ledger
            .runs(&app.name, 1)
            .await
            .unwrap_or_default();
        let failure = runs.into_iter().next().and_then(|run| run.settled?.failure);
        let told = failure.map(|failure| {
            (
                format!("its last run failed: {}", failure.message),
                failure.hint,
            )
        });
        told.into_iter()
            .flat_map(|(message, hint)| std::iter::once(message).chain(hint))
            .collect()
    }
}

/// The files among `written` that meet `fate`.
pub(crate) fn paths(written: &[Written], fate: Fate) -> Vec<String> {
    written
        .iter()
        .filter(|file| file.fate == fate)
        .map(|file| file.path.clone())
        .collect()
}

/// The size of all files in a folder; links are not followed.
fn folder_bytes(folder: &std::path::Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
