//! The ground floor: mayfly's words and pure rules.
//!
//! Nothing here reads a file, a clock or a socket; every rule is a function of its arguments, so
//! that its test is a table of values. All other rooms import this one.

pub mod advice;
pub mod advisory;
pub mod app;
pub mod attestation;
pub mod audit;
pub mod backoff;
pub mod cache;
pub mod debian_version;
pub mod digest;
pub mod env;
pub mod event;
pub mod evidence;
pub mod exemption;
pub mod failure;
pub mod finding;
pub mod host;
pub mod image;
pub mod instance;
pub mod inventory;
pub mod keep;
pub mod limits;
pub mod manifest;
pub mod plan;
pub mod policy;
pub mod progress;
pub mod provenance;
pub mod release;
pub mod rollout;
pub mod route;
pub mod run;
pub mod serving;
pub mod signing_key;
pub mod snapshot;
pub mod stage;
pub mod suite;
pub mod tag;
pub mod transparency;
pub mod verification;
pub mod vulnerable;

pub use app::{App, AppName};
pub use attestation::PredicateType;
pub use digest::Digest;
pub use failure::{Failure, FailureCode, Remedy};
pub use release::{Release, ReleaseKey, ReleaseNumber};
pub use run::RunId;
pub use stage::{STAGES, Stage};

/// A moment, in UTC. The clock itself is a port; the rules take moments as arguments.
pub type Timestamp = jiff::Timestamp;
