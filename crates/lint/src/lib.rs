//! What is wrong in an app's own files: code that lets strangers in, credentials, settings.
//!
//! [`check`] reads every file once, in worker processes that may die of it ([`worker`]), lowers code
//! to a small form, and decides on that form which input reaches where it does harm. What was found
//! in a file is kept by its digest ([`Cache`]); the analysis over all files runs each time. What
//! could not be read is a finding, never silence.

mod auth;
mod cache;
mod check;
mod checker;
mod component;
mod config;
mod finding;
#[cfg(feature = "fuzzing")]
pub mod fuzz;
pub mod history;
mod ir;
mod javascript;
mod language;
mod launch;
mod pattern;
mod place;
mod python;
mod rendered;
mod report;
mod route;
mod rules;
mod scan;
mod secret;
mod settings;
mod sources;
mod tables;
mod taint;
mod template;
pub mod worker;

pub use cache::{Cache, MemoryCache, NoCache};
pub use check::{CheckError, check};
pub use checker::AppChecker;
pub use report::{Report, Timing, Unread, UnreadReason};
pub use rules::{Rule, Rules};
pub use settings::{Access, Settings, WorkerCommand};
pub use sources::{Folder, InMemory, Listed, Sources};
