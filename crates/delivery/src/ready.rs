//! Waits until an instance is ready, and says why when it is not.

use std::time::Duration;

use model::instance::{InstanceId, InstanceState};
use model::release::Release;
use model::rollout::{self, Phase, Plan, Verdict};
use model::serving::{Process, is_ready};
use model::{Failure, Timestamp};
use ports::runtime::Upstream;
use ports::traffic::{Target, Wakefulness};

use crate::Delivery;
use crate::diagnosis::{self, Seen};

/// How long one readiness request may take.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// How many of the app's last lines go into a failure.
pub(crate) const LAST_LINES: usize = 20;

/// One look at an instance.
struct Look {
    verdict: Verdict,
    seen: Seen,
    upstream: Option<Upstream>,
}

impl Delivery {
    /// Waits until `id`, an instance of `release`, answers its readiness check below 500. Returns
    /// where it listens, or why it is not ready: it exited, or its time was up.
    pub(crate) async fn ready(
        &self,
        release: &Release,
        process: &Process,
        id: &InstanceId,
    ) -> Result<Upstream, Failure> {
        let plan = Plan {
            ready_within: release.config.limits.ready_within(),
        };
        let since = self.ports.clock.now();
        let mut seen = Seen::Silence;
        for look in 0.. {
            let now = self.look(release, process, id, seen).await;
            seen = now.seen;
            let late = diagnosis::not_ready(
                seen,
                &release.config.health,
                &release.config.limits,
                Vec::new(),
            );
            match rollout::decide(
                &plan,
                Phase::Starting { since },
                now.verdict,
                self.ports.clock.now(),
                late,
            ) {
                Phase::Failed { cause } => {
                    return Err(self.with_last_words(cause, id, release, seen).await);
                }
                Phase::Promoted { .. } => {
                    if let Some(upstream) = now.upstream {
                        return Ok(upstream);
                    }
                }
                _ => {}
            }
            self.pause(look, since).await;
        }
        unreachable!("the loop ends by returning")
    }

    async fn look(
        &self,
        release: &Release,
        process: &Process,
        id: &InstanceId,
        before: Seen,
    ) -> Look {
        let fail = |cause| Look {
            verdict: Verdict::Fail(cause),
            seen: before,
            upstream: None,
        };
        match self.ports.runtime.state(id).await {
            Ok(InstanceState::Exited { exit, .. }) => {
                let words = self.last_words(id, LAST_LINES).await;
                return fail(diagnosis::exited(exit, &release.config.limits, words));
            }
            Ok(_) => {}
            Err(error) => return fail(Failure::of(&error)),
        }
        let upstream = self
            .ports
            .runtime
            .upstream(id, process.port)
            .await
            .ok()
            .flatten();
        let Some(upstream) = upstream else {
            return Look {
                verdict: Verdict::Inconclusive,
                seen: before,
                upstream: None,
            };
        };
        let target = Target {
            release: release.key.clone(),
            site: None,
            upstream: Some(upstream.clone()),
            wakefulness: Wakefulness::Awake,
        };
        let port = upstream.address.port();
        match self
            .ports
            .traffic
            .probe(&target, &release.config.health, PROBE_WITHIN)
            .await
        {
            Ok(status) if is_ready(status) => Look {
                verdict: Verdict::Pass,
                seen: Seen::Status { status },
                upstream: Some(upstream),
            },
            Ok(status) => Look {
                verdict: Verdict::Inconclusive,
                seen: Seen::Status { status },
                upstream: None,
            },
            Err(_) => Look {
                verdict: Verdict::Inconclusive,
                seen: Seen::NoAnswer { port },
                upstream: None,
            },
        }
    }

    async fn with_last_words(
        &self,
        cause: Failure,
        id: &InstanceId,
        release: &Release,
        seen: Seen,
    ) -> Failure {
        if !cause.cause.is_empty() {
            return cause;
        }
        let words = self.last_words(id, LAST_LINES).await;
        match cause.code {
            model::FailureCode::NotListening | model::FailureCode::NotReady => {
                diagnosis::not_ready(seen, &release.config.health, &release.config.limits, words)
            }
            _ => Failure {
                cause: words,
                ..cause
            },
        }
    }

    /// Nothing announces that a port is listened on: look often at first, less often later, and at
    /// once when the instance ends (its state is looked at each time).
    async fn pause(&self, look: u32, since: Timestamp) {
        let waited = self.ports.clock.now().duration_since(since);
        let millis = match look {
            0..20 => 4,
            _ if waited.as_secs() < 5 => 10,
            _ => 50,
        };
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}
