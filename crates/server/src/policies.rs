//! What policies do, judged in the caller's own process.

use std::path::Path;

use api::gates::{Decided, PolicyNow};
use model::Failure;
use policy::{Policies, Recorded, Sources, rehearse as asked_again, samples};

use crate::wiring::read_policy_folder;

pub use policy::{Explained, Rehearsal, Seen, Suite, TestOutcome};

/// Loads the policy of a folder, or the one that comes with mayfly, and runs its own tests.
pub fn test(folder: Option<&Path>) -> Result<Suite, Failure> {
    let policies = load(match folder {
        Some(folder) => read_policy_folder(folder)?,
        None => policy::defaults(),
    })?;
    policies.test().map_err(|error| Failure::of(&error))
}

/// Says for each message of a decision which rules made it, and what of the question they looked
/// at.
pub fn explain(decided: &Decided) -> Result<Vec<Explained>, Failure> {
    let files = decided.files.clone().into_iter().collect();
    Ok(load(files)?.explain(&decided.question))
}

/// Asks what was decided again by the policy of a folder, and what is made up, and both with less
/// in them.
pub fn rehearse(now: &PolicyNow, folder: &Path, decided: &[Decided]) -> Result<Rehearsal, Failure> {
    let old = load(now.files.clone().into_iter().collect())?;
    let new = load(read_policy_folder(folder)?)?;
    let recorded = decided.iter().map(|one| Recorded {
        name: format!("{} {}", one.app, one.run),
        input: one.question.clone(),
    });
    let all: Vec<Recorded> = recorded.chain(samples::samples()).collect();
    Ok(asked_again(&old, &new, &all))
}

fn load(sources: Sources) -> Result<Policies, Failure> {
    Policies::load(sources).map_err(|error| Failure::of(&error))
}
