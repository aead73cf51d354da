//! Loads a policy: everything that can be wrong with it is found here.

use std::fmt;
use std::sync::Arc;

use model::Digest;
use model::policy::{Decision, EntryPoint};
use model::{FailureCode, Remedy};
use regorus::Engine;
use regorus::rvm::Program;
use serde_json::Value;

use crate::ast::Definition;
use crate::limits::Limits;
use crate::sources::Sources;
use crate::{compile, decide};

/// Why a policy does not load. Nothing is released by a policy that does not load.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// There is nothing that could deny.
    #[error("no file of the policy has a rule `deny contains …`")]
    NoDeny,
    /// It is larger than any policy that a person wrote.
    #[error("the policy has {found} {what}; at most {limit} are read")]
    TooLarge {
        /// Files or bytes.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are read.
        limit: usize,
    },
    /// A file is no Rego v1.
    #[error("`{file}` is no Rego v1: {message}")]
    Parse {
        /// The file.
        file: String,
        /// Where and what, by the parser.
        message: String,
    },
    /// A file nests deeper than the parser could follow.
    #[error("{file}:{line}: the text nests too deep, or one expression is too long")]
    TooDeep {
        /// The file.
        file: String,
        /// From 1.
        line: u32,
    },
    /// Rules that need themselves have no answer.
    #[error("{file}:{line}: `{rule}` depends on itself")]
    Recursive {
        /// The rule.
        rule: String,
        /// The file.
        file: String,
        /// From 1.
        line: u32,
    },
    /// A reference has no value and never will.
    #[error("{file}:{line}: there is no `data.{path}`")]
    Dangling {
        /// What is named.
        path: String,
        /// The file.
        file: String,
        /// Of the rule, from 1.
        line: u32,
    },
    /// The files do not fit together, or a rule cannot be run.
    #[error("the policy does not compile: {message}")]
    Compile {
        /// Where and what, by the compiler.
        message: String,
    },
    /// An entry point is a value and no set: it could be undefined, which says nothing.
    #[error("{file}:{line}: `{name}` must be a set; write `{name} contains …`", name = entry.as_str())]
    NotASet {
        /// The entry point.
        entry: EntryPoint,
        /// The file.
        file: String,
        /// From 1.
        line: u32,
    },
    /// The answer would not be a function of the input alone, or its size of nothing.
    #[error("`{builtin}` may not be used: {why}")]
    Forbidden {
        /// The builtin.
        builtin: String,
        /// Why not.
        why: &'static str,
    },
    /// A test calls what there is not.
    #[error("`{file}` calls `{name}`, which is neither a rule nor a builtin")]
    UnknownCall {
        /// The test's file.
        file: String,
        /// What it calls.
        name: String,
    },
}

impl Remedy for PolicyError {
    fn code(&self) -> FailureCode {
        FailureCode::BadManifest
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoDeny => {
                "write a rule: deny contains {\"rule\": \"name\", \"msg\": \"why\"} if { … }".into()
            }
            Self::Forbidden { builtin, .. } if builtin == "time.now_ns" => {
                "use `time.parse_rfc3339_ns(input.now)` in its place".into()
            }
            _ => "run `mayfly policy test DIR` to load it without a run".into(),
        })
    }
}

/// A policy that can be asked. Threads may share one.
#[derive(Clone)]
pub struct Policies {
    pub(crate) sources: Sources,
    /// The files as the interpreter reads them.
    pub(crate) spelled: Sources,
    pub(crate) digest: Digest,
    pub(crate) limits: Limits,
    pub(crate) program: Arc<Program>,
    pub(crate) entries: Vec<(EntryPoint, String)>,
    pub(crate) definitions: Vec<Definition>,
    pub(crate) engine: Engine,
}

impl fmt::Debug for Policies {
    /// The engine has all of the files in it, many times over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.sources.rules().map(|(file, _)| file).collect();
        f.debug_struct("Policies")
            .field("digest", &self.digest)
            .field("files", &files)
            .finish_non_exhaustive()
    }
}

impl Policies {
    /// Compiles the policy that `sources` hold, with every entry point.
    pub fn load(sources: Sources) -> Result<Self, PolicyError> {
        Self::load_with(sources, Limits::default())
    }

    /// As [`Self::load`], with limits of one's own.
    pub fn load_with(sources: Sources, limits: Limits) -> Result<Self, PolicyError> {
        check_size(&sources, &limits)?;
        compile::compile(sources, limits)
    }

    /// Of all files, tests too.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The files.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Answers one question. What cannot be evaluated denies.
    pub fn decide(&self, input: &Value) -> Decision {
        decide::decide(self, input)
    }

    /// What one engine alone would answer. Nothing is decided by it.
    pub fn decide_by(&self, engine: crate::Engine, input: &Value) -> Decision {
        decide::decide_by(engine, self, input)
    }
}

fn check_size(sources: &Sources, limits: &Limits) -> Result<(), PolicyError> {
    let all = || sources.rules().chain(sources.tests());
    let bytes = all().map(|(_, text)| text.len()).sum();
    for (what, found, limit) in [
        ("files", all().count(), limits.files),
        ("bytes", bytes, limits.bytes),
    ] {
        if found > limit {
            return Err(PolicyError::TooLarge { what, found, limit });
        }
    }
    Ok(())
}
