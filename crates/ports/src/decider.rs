//! Decides whether what was built may serve.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::policy::{Decision, PolicyLoad};
use serde_json::Value;

/// Decides by a policy. Equal questions to equal policies have equal answers.
#[async_trait]
pub trait Decider: Send + Sync {
    /// The policy that decides now, and where it comes from.
    fn policy(&self) -> PolicyLoad;

    /// Its files, tests too, by name.
    fn files(&self) -> BTreeMap<String, String>;

    /// Answers `question`, a [`model::policy::Input`] as JSON. What cannot be evaluated denies.
    async fn decide(&self, question: Value) -> Decision;
}
