//! Watches instances that serve, and starts them again when they exit: at once at first, ever less
//! often in a crash loop.

use std::sync::Arc;
use std::time::Duration;

use model::backoff;
use model::instance::{InstanceId, InstanceState};
use model::{Failure, ReleaseKey};
use ports::runtime::Seed;

use crate::Delivery;
use crate::diagnosis;
use crate::fleet::Member;
use crate::ready::LAST_LINES;
use crate::sweep::data::is_for_data;

/// What a restart came to.
pub(crate) enum Restarted {
    /// The release serves again, or need not any more.
    Settled,
    /// It did not get ready.
    NotReady,
}

impl Delivery {
    /// Watches an instance until it ends; it is started again while its release is in the fleet.
    pub(crate) fn watch(self: &Arc<Self>, id: InstanceId) {
        let delivery = Arc::clone(self);
        tokio::spawn(async move {
            match delivery.ports.runtime.ended(&id).await {
                Ok(state) => delivery.instance_ended(id, state).await,
                Err(error) => {
                    tracing::warn!(instance = %id, %error, "an instance cannot be watched")
                }
            }
        });
    }

    async fn instance_ended(self: &Arc<Self>, id: InstanceId, state: InstanceState) {
        let key = id.release.clone();
        let is_current = |member: &Member| member.instance.as_ref() == Some(&id);
        if !self.fleet.get(&key).as_ref().is_some_and(is_current) {
            return;
        }
        if !self.serves(&key).await {
            return self.end_release(&key).await;
        }
        if self.is_stopped_for_data(&key) {
            return;
        }
        let Some(failure) = self.why_ended(&id, &state).await else {
            return;
        };
        let exits = self.count_exit(&key, &state);
        let trouble = match exits >= backoff::CRASH_LOOP_EXITS {
            true => diagnosis::crash_loop(exits, failure),
            false => failure,
        };
        tracing::info!(instance = %id, exits, trouble = %trouble.message, "an app went away");
        let down = Member {
            trouble: Some(trouble),
            exits,
            ..Member::site()
        };
        self.fleet.put(
            key.clone(),
            Member {
                instance: Some(id.clone()),
                ..down
            },
        );
        self.settle_route(&key).await;
        let mut exits = exits;
        loop {
            tokio::time::sleep(backoff::wait(exits)).await;
            match self.restart(&key, &id).await {
                Restarted::Settled => return,
                Restarted::NotReady => exits += 1,
            }
        }
    }

    /// One that was stopped for what its kept files hold starts again when they hold less.
    fn is_stopped_for_data(&self, key: &ReleaseKey) -> bool {
        let trouble = self.fleet.get(key).and_then(|member| member.trouble);
        trouble.as_ref().is_some_and(is_for_data)
    }

    async fn why_ended(&self, id: &InstanceId, state: &InstanceState) -> Option<Failure> {
        let InstanceState::Exited { exit, .. } = state else {
            return None;
        };
        let release = self.ports.ledger.release(&id.release).await.ok()??;
        let words = self.last_words(id, LAST_LINES).await;
        Some(diagnosis::exited(*exit, &release.config.limits, words))
    }

    fn count_exit(&self, key: &ReleaseKey, state: &InstanceState) -> u32 {
        let before = self.fleet.get(key).map_or(0, |member| member.exits);
        match state {
            InstanceState::Exited { uptime_millis, .. } => {
                backoff::count_exit(before, Duration::from_millis(*uptime_millis))
            }
            InstanceState::Running { .. } | InstanceState::Frozen { .. } => before,
        }
    }

    /// Starts a release that serves again, in a new sandbox, on the files that the ended one kept.
    /// One that does not get ready counts as one more exit.
    pub(crate) async fn restart(
        self: &Arc<Self>,
        key: &ReleaseKey,
        ended: &InstanceId,
    ) -> Restarted {
        let room = self.apps.room(&key.app);
        let _turn = room.turn.lock().await;
        let ours = self
            .fleet
            .get(key)
            .filter(|member| member.instance.as_ref() == Some(ended));
        let Some(before) = ours else {
            return Restarted::Settled;
        };
        if !self.serves(key).await {
            return Restarted::Settled;
        }
        self.keep_written(ended).await;
        let started = self.start_stable(key).await;
        let restarted = match started {
            Ok(member) => {
                let instance = member.instance.clone();
                self.fleet.put(
                    key.clone(),
                    Member {
                        exits: before.exits,
                        ..member
                    },
                );
                self.discard(ended).await;
                instance.into_iter().for_each(|id| self.watch(id));
                Restarted::Settled
            }
            Err(failure) => {
                let exits = before.exits + 1;
                let trouble = Some(diagnosis::crash_loop(exits, failure));
                self.fleet.put(
                    key.clone(),
                    Member {
                        exits,
                        trouble,
                        ..before
                    },
                );
                Restarted::NotReady
            }
        };
        self.settle_route(key).await;
        restarted
    }

    /// Starts the release that the ledger calls stable.
    pub(crate) async fn start_stable(&self, key: &ReleaseKey) -> Result<Member, Failure> {
        let app = self.known_app(&key.app).await?;
        let release = self
            .ports
            .ledger
            .release(key)
            .await
            .map_err(|error| Failure::of(&error))?;
        let release = release.ok_or_else(|| crate::takeover::image_gone(key))?;
        let Some(process) = release.image.serving.process() else {
            return Ok(Member::site());
        };
        let started = self.start(&app, &release, process, Seed::Never).await?;
        if let Err(error) = self.ports.runtime.settle(&started.instance).await {
            tracing::warn!(release = %key, %error, "the CPU limit could not be set");
        }
        Ok(Member::running(started))
    }

    /// Brings what an ended instance wrote, and what is kept, to the app's data folder.
    pub(crate) async fn keep_written(&self, ended: &InstanceId) {
        if let Err(error) = self.ports.runtime.save_written(ended).await {
            tracing::warn!(instance = %ended, %error, "what the app wrote could not be kept");
        }
    }

    async fn settle_route(&self, key: &ReleaseKey) {
        if let Err(error) = self.reroute(&key.app).await {
            tracing::warn!(release = %key, %error, "the route could not be set");
        }
    }
}
