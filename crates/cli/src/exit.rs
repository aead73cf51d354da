//! Exit codes: what a script or an agent can tell from a command without reading its output.
//! They live here and nowhere else.

use std::process::ExitCode;

use model::failure::{Failure, FailureCode};
use model::run::Outcome;

/// How a command ends. Stable: programs match on the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Ok = 0,
    /// A build, a test, the app's start, or mayfly itself failed.
    Failed = 1,
    /// The arguments or the folder are wrong.
    Usage = 2,
    /// A gate said no.
    Gate = 3,
    /// The caller may not do this.
    Forbidden = 4,
    /// More than allowed was asked for.
    Quota = 5,
    /// The new release had traffic and lost it.
    RolledBack = 6,
    /// `plan --compare`: the folder would be built otherwise than what serves.
    PlanDiffers = 10,
    /// Temporary: the same call may succeed later (`EX_TEMPFAIL` of sysexits.h).
    Temporary = 75,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Exit {
    /// How a command ends that failed with `failure`.
    pub(crate) fn of_failure(failure: &Failure) -> Self {
        use FailureCode as Code;
        if failure.retryable {
            return Self::Temporary;
        }
        match failure.code {
            Code::BadManifest
            | Code::NotSupported
            | Code::Dependency
            | Code::BuildFailed
            | Code::BuildLimit
            | Code::TestsFailed
            | Code::Exited
            | Code::CrashLoop
            | Code::OutOfMemory
            | Code::NotListening
            | Code::NotReady
            | Code::Machine
            | Code::LedgerVersion
            | Code::Internal => Self::Failed,
            Code::BadFolder | Code::NameTaken | Code::NotFound | Code::Usage => Self::Usage,
            Code::NotVerified | Code::Blocked => Self::Gate,
            Code::Forbidden => Self::Forbidden,
            Code::TooLarge => Self::Quota,
            Code::Network | Code::Superseded | Code::DiskFull | Code::InUse | Code::Unavailable => {
                Self::Temporary
            }
        }
    }

    /// How a command ends whose run came to `outcome`.
    pub(crate) fn of_run(outcome: Outcome, failure: Option<&Failure>) -> Self {
        match outcome {
            Outcome::Promoted | Outcome::Unchanged => Self::Ok,
            Outcome::Superseded => Self::Temporary,
            Outcome::RolledBack => Self::RolledBack,
            Outcome::Blocked => Self::Gate,
            Outcome::Failed => failure.map_or(Self::Failed, Self::of_failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_of_a_run_has_its_exit_code() {
        let failure = |code| Some(Failure::new(code, "it went wrong"));
        for (outcome, failure, code) in [
            (Outcome::Promoted, None, 0),
            (Outcome::Unchanged, None, 0),
            (Outcome::Superseded, failure(FailureCode::Superseded), 75),
            (Outcome::RolledBack, failure(FailureCode::CrashLoop), 6),
            (Outcome::Blocked, None, 3),
            (Outcome::Failed, None, 1),
            (Outcome::Failed, failure(FailureCode::BuildFailed), 1),
            (Outcome::Failed, failure(FailureCode::NotReady), 1),
            (Outcome::Failed, failure(FailureCode::NameTaken), 2),
            (Outcome::Failed, failure(FailureCode::Network), 75),
            (Outcome::Failed, failure(FailureCode::DiskFull), 75),
        ] {
            let got = Exit::of_run(outcome, failure.as_ref()) as u8;
            assert_eq!(got, code, "{outcome:?} {failure:?}");
        }
    }

    #[test]
    fn every_failure_without_a_run_has_its_exit_code() {
        for (code, exit) in [
            (FailureCode::BadManifest, 1),
            (FailureCode::NotSupported, 1),
            (FailureCode::Machine, 1),
            (FailureCode::Internal, 1),
            (FailureCode::BadFolder, 2),
            (FailureCode::Usage, 2),
            (FailureCode::NotFound, 2),
            (FailureCode::NotVerified, 3),
            (FailureCode::Blocked, 3),
            (FailureCode::TestsFailed, 1),
            (FailureCode::Forbidden, 4),
            (FailureCode::TooLarge, 5),
            (FailureCode::Unavailable, 75),
            (FailureCode::InUse, 75),
        ] {
            let failure = Failure::new(code, "it went wrong");
            assert_eq!(Exit::of_failure(&failure) as u8, exit, "{code:?}");
            let again = Exit::of_failure(&failure.retryable());
            assert_eq!(again, Exit::Temporary, "{code:?}");
        }
    }
}
