//! What a policy is asked, and what it answers.
//!
//! The question is one document, [`Input`], which every rule sees as `input`. It is written so that
//! a policy can tell what is not known: evidence says whether it exists, each list says how long it
//! is, and a value that is absent is `null`, never left out. A policy that demands what it needs
//! (`not scan_is_current`) denies when something is missing; one that looks for what is bad lets it
//! pass.

mod answer;
mod question;

pub use answer::{
    DecidingRule, Decision, EntryPoint, Message, NOT_EVALUATED, PolicyLoad, PolicyOrigin, Verdict,
    lift,
};
pub use question::{
    AccessFacts, AppFacts, Audience, Creator, CreatorKind, EgressFacts, EvidenceState, Exemption,
    ExemptionFacts, FindingFacts, FindingsFacts, INPUT_VERSION, Input, Occasion, PredicateFacts,
    ProvenanceFacts, RowFacts, RowOutcome, SbomFacts, SizeFacts, SourceFacts, TestsFacts, TtlFacts,
    VerificationFacts, VerificationInput, VulnerabilitiesFacts, VulnerabilityFacts,
};
