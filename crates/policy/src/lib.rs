//! Decides by policies in Rego v1, and says why.
//!
//! [`Policies::load`] compiles every entry point (`deny`, `warn`, `exempt`) to bytecode, so that an
//! unknown builtin or a rule that cannot run is an error when the policy is loaded, never a silent
//! pass later. [`Policies::decide`] answers one question by the bytecode and by the interpreter: what
//! one of them cannot evaluate, what takes too long, and what they disagree about, denies. [`Policies::test`] runs `*_test.rego`, [`Policies::explain`] names the rules and
//! the places of the input that decided, [`rehearse`] asks recorded questions again.
//!
//! A policy sees `input` (`model::policy::Input`) and nothing else: no clock, no chance, no network,
//! no data document. Equal questions have equal answers.

mod ast;
mod compile;
mod decide;
mod decider;
mod defaults;
mod explain;
pub mod fuzz;
mod limits;
mod load;
mod mutate;
mod nesting;
mod place;
mod rehearse;
pub mod samples;
mod sources;
mod spelled;
mod suite;

pub use decide::Engine;
pub use decider::PolicyDecider;
pub use defaults::defaults;
pub use explain::{Explained, Seen};
pub use limits::Limits;
pub use load::{Policies, PolicyError};
pub use mutate::{Mutation, MutationKind, changes};
pub use rehearse::{Flip, Opening, Recorded, Rehearsal, rehearse};
pub use sources::Sources;
pub use suite::{Suite, TestOutcome, TestResult};
