//! The control groups of a sandbox and of its supervisor.

use std::io;

use crate::cgroup::{Group, GroupPath, Limits};
use crate::plan::{Plan, Role};

/// How much later than others a supervisor is killed when the machine runs out of memory.
const OOM_SCORE: &str = "-500";
/// A busy machine's CPU goes to apps first.
const APP_WEIGHT: u32 = 100;
const JOB_WEIGHT: u32 = 50;

/// Moves a supervisor out of the daemon's group, which a restart of the daemon may end.
pub(super) fn shelter(supervisors: &GroupPath, supervisor: u32) -> io::Result<()> {
    let supervisors = Group::at(supervisors)?;
    supervisors.create()?;
    supervisors.admit(supervisor)?;
    // Where it is refused, the supervisor is as safe as others.
    let _ = std::fs::write(format!("/proc/{supervisor}/oom_score_adj"), OOM_SCORE);
    Ok(())
}

/// Makes the sandbox's group with its limits.
pub(super) fn prepare(plan: &Plan) -> io::Result<()> {
    let group = Group::at(&plan.group)?;
    group.create()?;
    group.limit(&Limits {
        memory_bytes: plan.memory_bytes,
        // The sandbox's first process is ours, not the app's.
        pids: plan.pids.saturating_add(1),
        weight: match plan.role {
            Role::App(_) => APP_WEIGHT,
            Role::Job(_) => JOB_WEIGHT,
        },
    })
}
