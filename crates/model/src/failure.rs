//! How things go wrong, in words that a person can act on.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::stage::Stage;

/// The kinds of failure that a caller can tell apart. Stable: programs match on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// The folder is missing, empty, unreadable or changes while it is read.
    BadFolder,
    /// The folder or one file in it is larger than allowed.
    TooLarge,
    /// `mayfly.toml`, `package.json` or another file of the app cannot be read.
    BadManifest,
    /// A kind of app that mayfly cannot run yet.
    NotSupported,
    /// A dependency does not exist or does not resolve.
    Dependency,
    /// A build command failed.
    BuildFailed,
    /// The app's own tests failed, or nobody knows whether they did.
    TestsFailed,
    /// A build used more time, memory or disk than allowed.
    BuildLimit,
    /// A mirror or package registry did not answer.
    Network,
    /// The app exited before it was ready.
    Exited,
    /// The app keeps exiting.
    CrashLoop,
    /// The app used more memory than allowed.
    OutOfMemory,
    /// The app runs but listens on no port.
    NotListening,
    /// The app listens but does not answer its readiness check below 500.
    NotReady,
    /// A newer run of the same app took over.
    Superseded,
    /// The name belongs to another folder or another user.
    NameTaken,
    /// There is no app, release or run of that name.
    NotFound,
    /// A gate said no: the findings and the policy's messages are its causes.
    Blocked,
    /// What was signed about an image does not hold, or is missing.
    NotVerified,
    /// The caller may not do this.
    Forbidden,
    /// The arguments make no sense together.
    Usage,
    /// The machine lacks something mayfly needs: mounts, namespaces, a keyring.
    Machine,
    /// The disk is full.
    DiskFull,
    /// Another daemon runs, or the port is in use.
    InUse,
    /// The daemon does not answer or is stopping.
    Unavailable,
    /// The ledger was written by another version of mayfly.
    LedgerVersion,
    /// A defect in mayfly.
    Internal,
}

/// One failure, with its causes and what to do next. This is the `error` of a run's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Its kind.
    pub code: FailureCode,
    /// The stage it happened in, when in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// What went wrong: lower case, names the thing, no period.
    pub message: String,
    /// Why, outermost first; the last lines of a log are causes too.
    #[serde(default)]
    pub cause: Vec<String>,
    /// What a gate found that blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// A command or a setting that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether the same call may succeed later with nothing changed.
    #[serde(default)]
    pub retryable: bool,
}

impl Failure {
    /// A failure with no cause or hint yet.
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self {
            code,
            stage: None,
            message: message.into(),
            cause: Vec::new(),
            findings: Vec::new(),
            hint: None,
            retryable: false,
        }
    }

    /// A defect in mayfly.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureCode::Internal, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds one cause below those already there.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause.push(cause.into());
        self
    }

    /// Adds what a gate saw.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// Says in which stage it happened, unless that is known.
    #[must_use]
    pub fn in_stage(mut self, stage: Stage) -> Self {
        self.stage.get_or_insert(stage);
        self
    }

    /// Says that the same call may succeed later.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Tells an error with its chain of sources and its remedy.
    pub fn of<E: Error + Remedy>(error: &E) -> Self {
        let mut failure = Self::new(error.code(), error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure.cause.push(cause.to_string());
            source = cause.source();
        }
        failure.hint = error.hint();
        failure.retryable = error.is_retryable();
        failure
    }
}

/// What to do about an error: beside each error enum that can reach a user.
pub trait Remedy {
    /// The kind that a caller sees.
    fn code(&self) -> FailureCode;

    /// A command or a setting that helps, never "check your configuration".
    fn hint(&self) -> Option<String> {
        None
    }

    /// Whether the same call may succeed later with nothing changed.
    fn is_retryable(&self) -> bool {
        false
    }
}

impl Remedy for Failure {
    fn code(&self) -> FailureCode {
        self.code
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }

    fn is_retryable(&self) -> bool {
        self.retryable
    }
}
