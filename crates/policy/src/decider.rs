//! The decider that the delivery of an app asks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use model::policy::{Decision, PolicyLoad, PolicyOrigin};
use ports::Decider;
use serde_json::Value;

use crate::load::Policies;

/// Decides by one policy.
#[derive(Debug, Clone)]
pub struct PolicyDecider {
    policies: Policies,
    origin: PolicyOrigin,
}

impl PolicyDecider {
    /// Decides by `policies`, which come from `origin`.
    pub fn new(policies: Policies, origin: PolicyOrigin) -> Self {
        Self { policies, origin }
    }
}

#[async_trait]
impl Decider for PolicyDecider {
    fn policy(&self) -> PolicyLoad {
        PolicyLoad {
            origin: self.origin.clone(),
            digest: self.policies.digest(),
        }
    }

    fn files(&self) -> BTreeMap<String, String> {
        let sources = self.policies.sources();
        let files = sources.rules().chain(sources.tests());
        files
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect()
    }

    async fn decide(&self, question: Value) -> Decision {
        let policies = self.policies.clone();
        let input = question.to_string();
        let asked = tokio::task::spawn_blocking(move || policies.decide(&question)).await;
        asked.unwrap_or_else(|error| {
            Decision::not_evaluated(self.policies.digest(), &input, &error.to_string())
        })
    }
}
