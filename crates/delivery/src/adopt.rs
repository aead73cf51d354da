//! When the daemon begins: the world is made to match the ledger, and leftovers go.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use model::app::App;
use model::instance::{InstanceId, InstanceState};
use model::release::Release;
use model::rollout::Phase;
use model::run::{Outcome, Settled};
use model::{Failure, FailureCode, ReleaseKey};
use ports::Change;
use ports::traffic::Wakefulness;

use crate::Delivery;
use crate::fleet::Member;

/// How many apps are started at once.
const AT_ONCE: usize = 6;

impl Delivery {
    /// Finds the instances that still run, starts those that should, ends those that should not,
    /// and settles the runs that the last daemon left open. Every app has its route when this
    /// returns; those that do not run yet are started in the background.
    pub async fn adopt(self: &Arc<Self>) -> Result<(), Failure> {
        self.tell_keys().await?;
        self.tell_policy().await?;
        self.settle_runs().await?;
        let apps = self
            .ports
            .ledger
            .apps()
            .await
            .map_err(|error| Failure::of(&error))?;
        let instances = self
            .ports
            .runtime
            .list()
            .await
            .map_err(|error| Failure::of(&error))?;
        let mut missing = Vec::new();
        for app in &apps {
            missing.extend(self.adopt_app(app, &instances).await?);
        }
        for id in instances {
            if self
                .fleet
                .get(&id.release)
                .is_none_or(|member| member.instance.as_ref() != Some(&id))
            {
                self.ended_while_away(&id, &missing).await;
            }
        }
        let delivery = Arc::clone(self);
        tokio::spawn(async move { delivery.start_missing(missing).await });
        Ok(())
    }

    async fn settle_runs(&self) -> Result<(), Failure> {
        for run in self
            .ports
            .ledger
            .unsettled_runs()
            .await
            .map_err(|error| Failure::of(&error))?
        {
            let failure = Failure::new(
                FailureCode::Unavailable,
                "the daemon stopped during the run",
            )
            .hint("run `mayfly up` again")
            .retryable();
            let at = self.ports.clock.now();
            let settled = Settled {
                outcome: Outcome::Failed,
                release: None,
                failure: Some(failure.clone()),
                log: None,
                at,
            };
            self.record(vec![Change::RunSettled {
                app: run.app.clone(),
                run: run.id,
                settled,
            }])
            .await?;
            self.fail_unfinished(&run.app, &failure).await?;
        }
        Ok(())
    }

    async fn fail_unfinished(&self, app: &model::AppName, cause: &Failure) -> Result<(), Failure> {
        let releases = self
            .ports
            .ledger
            .releases(app)
            .await
            .map_err(|error| Failure::of(&error))?;
        let unfinished = |release: &Release| matches!(release.phase, Phase::Starting { .. });
        let failed = |release: Release| Change::PhaseMoved {
            release: release.key,
            phase: Phase::Failed {
                cause: cause.clone(),
            },
        };
        let changes: Vec<_> = releases
            .into_iter()
            .filter(unfinished)
            .map(failed)
            .collect();
        if changes.is_empty() {
            return Ok(());
        }
        self.record(changes).await
    }

    /// Puts an app's releases in the fleet and sets its route. Returns its stable release when that
    /// has to be started.
    async fn adopt_app(
        self: &Arc<Self>,
        app: &App,
        instances: &[InstanceId],
    ) -> Result<Option<ReleaseKey>, Failure> {
        let Some(number) = app.stable.filter(|_| app.destroyed_at.is_none()) else {
            return self.reroute(&app.name).await.map(|()| None);
        };
        let stable = ReleaseKey {
            app: app.name.clone(),
            number,
        };
        let mut missing = None;
        if !self.adopt_release(&stable, instances).await? {
            let starting =
                Failure::new(FailureCode::Unavailable, "it is being started").retryable();
            self.fleet.put(
                stable.clone(),
                Member {
                    trouble: Some(starting),
                    ..Member::site()
                },
            );
            missing = Some(stable.clone());
        }
        let warm = instances
            .iter()
            .filter(|id| id.release.app == app.name && id.release != stable)
            .max();
        if let Some(id) = warm {
            self.adopt_release(&id.release, instances).await?;
        }
        self.reroute(&app.name).await?;
        Ok(missing)
    }

    /// Puts a release in the fleet when it serves by itself or its instance still runs.
    async fn adopt_release(
        self: &Arc<Self>,
        key: &ReleaseKey,
        instances: &[InstanceId],
    ) -> Result<bool, Failure> {
        let release = self
            .ports
            .ledger
            .release(key)
            .await
            .map_err(|error| Failure::of(&error))?;
        let Some(release) = release else {
            return Ok(false);
        };
        let Some(process) = release.image.serving.process() else {
            self.fleet.put(key.clone(), Member::site());
            return Ok(true);
        };
        for id in instances.iter().filter(|id| id.release == *key).rev() {
            let wakefulness = match self.ports.runtime.state(id).await {
                Ok(InstanceState::Running { .. }) => Wakefulness::Awake,
                Ok(InstanceState::Frozen { .. }) => Wakefulness::Asleep,
                _ => continue,
            };
            let upstream = self
                .ports
                .runtime
                .upstream(id, process.port)
                .await
                .ok()
                .flatten();
            if let Some(upstream) = upstream {
                self.fleet.put(
                    key.clone(),
                    Member {
                        wakefulness,
                        ..Member::running(upstream)
                    },
                );
                self.watch(id.clone());
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes an instance that ended or is not wanted, after keeping what a stable one wrote.
    async fn ended_while_away(&self, id: &InstanceId, missing: &[ReleaseKey]) {
        if missing.contains(&id.release) {
            // It may still run without listening: only an ended instance's files hold still.
            let stopped = self
                .ports
                .runtime
                .stop(
                    id,
                    ports::Termination::Graceful(crate::takeover::STOP_WITHIN),
                )
                .await;
            if let Err(error) = stopped {
                tracing::warn!(instance = %id, %error, "an instance could not be stopped");
            }
            self.keep_written(id).await;
        }
        self.discard(id).await;
    }

    async fn start_missing(self: &Arc<Self>, missing: Vec<ReleaseKey>) {
        stream::iter(missing)
            .for_each_concurrent(AT_ONCE, |key| self.start_one(key))
            .await;
    }

    async fn start_one(self: &Arc<Self>, key: ReleaseKey) {
        let room = self.apps.room(&key.app);
        let _turn = room.turn.lock().await;
        if !self.serves(&key).await {
            return;
        }
        let member = match self.start_stable(&key).await {
            Ok(member) => member,
            Err(failure) => Member {
                trouble: Some(failure),
                ..Member::site()
            },
        };
        let instance = member.instance.clone();
        self.fleet.put(key.clone(), member);
        if let Err(error) = self.reroute(&key.app).await {
            tracing::warn!(release = %key, %error, "the route could not be set");
        }
        instance.into_iter().for_each(|id| self.watch(id));
    }
}
