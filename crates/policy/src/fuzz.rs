//! Entry points for fuzzers: they must neither panic nor hang, whatever they are given.

use std::sync::LazyLock;

use model::policy::{NOT_EVALUATED, Verdict};
use serde_json::Value;

use crate::limits::Limits;
use crate::load::Policies;
use crate::sources::Sources;

/// Arbitrary text as a policy, asked an empty question.
pub fn policy(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let sources: Sources = [("fuzz.rego", text)].into_iter().collect();
    let limits = Limits {
        steps: 20_000,
        ..Limits::default()
    };
    if let Ok(policies) = Policies::load_with(sources, limits) {
        let decision = policies.decide(&Value::Null);
        assert_eq!(decision.verdict == Verdict::Pass, decision.deny.is_empty());
    }
}

/// An arbitrary document as a question to the policy that comes with mayfly.
pub fn question(bytes: &[u8]) {
    static POLICIES: LazyLock<Option<Policies>> =
        LazyLock::new(|| Policies::load(crate::defaults()).ok());
    let (Ok(input), Some(policies)) = (serde_json::from_slice(bytes), &*POLICIES) else {
        return;
    };
    let decision = policies.decide(&input);
    let is_broken = decision.deny.iter().any(|one| one.rule == NOT_EVALUATED);
    assert!(!is_broken || decision.verdict == Verdict::Fail);
}
