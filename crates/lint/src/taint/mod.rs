//! Decides which input reaches where it does harm.
//!
//! Flow-sensitive inside a function, by the order of its statements and what its conditions say;
//! between functions by summaries (parameter → result, or → harm), which are made when a call needs
//! them; over all files until what files, classes and globals hold no longer changes.

mod assign;
mod call;
mod callback;
mod condition;
mod engine;
mod expression;
mod external;
mod function;
pub(crate) mod harm;
mod intern;
mod link;
mod mount;
mod outcome;
mod registration;
mod role;
mod sink;
mod statement;
mod summary;
mod value;

pub(crate) use engine::{Unit, analyse};
pub(crate) use outcome::{Covers, FoundRoute, Outcome, Reach, Render, RenderedValue, Way};
