//! Moving traffic to a release: the phases, and the rule that chooses the next one.
//!
//! The rule touches nothing. Weighted steps and statistics join it as further phases and verdicts;
//! until then a plan has no steps, and a release that is ready takes all traffic at once.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::failure::Failure;

/// What is known about a release on trial. Only `Pass` proceeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is ready, or answers well.
    Pass,
    /// It cannot serve, and why.
    Fail(Failure),
    /// Nothing is known yet. It never passes by itself.
    Inconclusive,
}

/// Where a rollout stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
pub enum Phase {
    /// The release starts; no traffic yet.
    Starting {
        /// Since when.
        since: Timestamp,
    },
    /// It takes all traffic.
    Promoted {
        /// Since when.
        at: Timestamp,
    },
    /// It never received traffic, and never will.
    Failed {
        /// Why.
        cause: Failure,
    },
    /// It had received traffic and was taken back.
    RolledBack {
        /// Why.
        cause: Failure,
    },
    /// A newer run of the app took over before it received traffic.
    Superseded,
}

/// How a rollout proceeds. It never changes once the rollout has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// How long a release may take until it is ready.
    pub ready_within: Duration,
}

impl Phase {
    /// Whether nothing more will happen.
    pub fn is_settled(&self) -> bool {
        !matches!(self, Self::Starting { .. })
    }

    /// The percent of new requests that the release receives, 0–100.
    pub fn weight(&self) -> u8 {
        match self {
            Self::Promoted { .. } => 100,
            Self::Starting { .. }
            | Self::Failed { .. }
            | Self::RolledBack { .. }
            | Self::Superseded => 0,
        }
    }
}

/// Chooses the next phase. Pure: the clock is an argument.
///
/// `late` is what to tell when the release is still not ready at its deadline.
pub fn decide(plan: &Plan, phase: Phase, verdict: Verdict, now: Timestamp, late: Failure) -> Phase {
    let Phase::Starting { since } = phase else {
        return phase;
    };
    let waited = Duration::try_from(now.duration_since(since)).unwrap_or_default();
    match verdict {
        Verdict::Pass => Phase::Promoted { at: now },
        Verdict::Fail(cause) => Phase::Failed { cause },
        Verdict::Inconclusive if waited < plan.ready_within => phase,
        Verdict::Inconclusive => Phase::Failed { cause: late },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureCode;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number of seconds")
    }

    #[test]
    fn only_a_pass_promotes_and_silence_ends_at_the_deadline() {
        let plan = Plan {
            ready_within: Duration::from_secs(60),
        };
        let exited = Failure::new(FailureCode::Exited, "the app exited");
        let late = Failure::new(FailureCode::NotReady, "the app was not ready in time");
        let starting = Phase::Starting { since: at(0) };
        let promoted = Phase::Promoted { at: at(5) };
        for (phase, verdict, now, next) in [
            (starting.clone(), Verdict::Pass, 5, promoted.clone()),
            (
                starting.clone(),
                Verdict::Inconclusive,
                59,
                starting.clone(),
            ),
            (
                starting.clone(),
                Verdict::Inconclusive,
                60,
                Phase::Failed {
                    cause: late.clone(),
                },
            ),
            (
                starting,
                Verdict::Fail(exited.clone()),
                1,
                Phase::Failed {
                    cause: exited.clone(),
                },
            ),
            (promoted.clone(), Verdict::Fail(exited), 9, promoted),
            (Phase::Superseded, Verdict::Pass, 9, Phase::Superseded),
        ] {
            assert_eq!(decide(&plan, phase, verdict, at(now), late.clone()), next);
        }
    }

    #[test]
    fn weight_is_a_function_of_the_phase() {
        let cause = Failure::new(FailureCode::Exited, "the app exited");
        for (phase, weight) in [
            (Phase::Starting { since: at(0) }, 0),
            (Phase::Promoted { at: at(0) }, 100),
            (
                Phase::Failed {
                    cause: cause.clone(),
                },
                0,
            ),
            (Phase::RolledBack { cause }, 0),
            (Phase::Superseded, 0),
        ] {
            assert_eq!(phase.weight(), weight, "{phase:?}");
        }
    }
}
