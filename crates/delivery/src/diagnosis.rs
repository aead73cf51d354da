//! Why an app did not become ready, or went away, in words that its creator can act on. Pure.

use model::instance::Exit;
use model::limits::{MIB, RunLimits};
use model::{Failure, FailureCode};

/// What the readiness check has seen so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It listens on no port.
    Silence,
    /// It listens, but does not answer.
    NoAnswer {
        /// Where.
        port: u16,
    },
    /// It answers, but not below 500.
    Status {
        /// What.
        status: u16,
    },
}

/// It was not ready in time.
pub fn not_ready(seen: Seen, health: &str, limits: &RunLimits, last_words: Vec<String>) -> Failure {
    let within = limits.ready_seconds;
    let failure = match seen {
        Seen::Silence => {
            let text = format!("the app runs, but listened on no port within {within} s");
            Failure::new(FailureCode::NotListening, text)
                .hint("let it listen on the port in the variable PORT, or set `ready_within` under [run] in mayfly.toml")
        }
        Seen::NoAnswer { port } => {
            let text = format!(
                "the app listens on port {port}, but did not answer `{health}` within {within} s"
            );
            Failure::new(FailureCode::NotReady, text)
                .hint("set `health` under [run] in mayfly.toml to a path that answers quickly")
        }
        Seen::Status { status } => {
            let text = format!("the app answers {status} on `{health}`");
            let failure = Failure::new(FailureCode::NotReady, text);
            match advice(&last_words) {
                Some(hint) => failure.hint(hint),
                None => failure.hint(
                    "mend what its last lines say, or set `health` under [run] in mayfly.toml",
                ),
            }
        }
    };
    Failure {
        cause: last_words,
        ..failure
    }
}

/// It exited.
pub fn exited(exit: Exit, limits: &RunLimits, last_words: Vec<String>) -> Failure {
    let failure = match exit {
        Exit::OutOfMemory => {
            let mib = limits.memory_bytes / MIB;
            Failure::new(
                FailureCode::OutOfMemory,
                format!("the app used more than its {mib} MiB of memory"),
            )
            .hint(format!(
                "set `memory = \"{} MiB\"` under [run] in mayfly.toml",
                mib * 2
            ))
        }
        exit => {
            let failure = Failure::new(FailureCode::Exited, format!("the app {exit}"));
            match advice(&last_words) {
                Some(hint) => failure.hint(hint),
                None => failure.hint("mend what its last lines say, then run `mayfly up` again"),
            }
        }
    };
    Failure {
        cause: last_words,
        ..failure
    }
}

/// It keeps exiting.
pub fn crash_loop(exits: u32, last: Failure) -> Failure {
    let text = format!("the app exited {exits} times in a row");
    Failure {
        code: FailureCode::CrashLoop,
        cause: [vec![last.message], last.cause].concat(),
        ..Failure::new(last.code, text)
    }
    .hint(last.hint.unwrap_or_else(|| {
        "mend the app and run `mayfly up`, or go back with `mayfly rollback`".into()
    }))
}

/// What the last lines of an app give away about the mend.
fn advice(last_words: &[String]) -> Option<String> {
    last_words.iter().rev().find_map(|line| {
        let quoted = |line: &str| line.split('\'').nth(1).map(str::to_owned);
        if line.contains("ModuleNotFoundError: No module named") {
            let module = quoted(line)?;
            return Some(format!(
                "add the package that has `{module}` to requirements.txt"
            ));
        }
        if line.contains("Cannot find module") || line.contains("Cannot find package") {
            let module = quoted(line)?;
            return Some(format!(
                "add `{module}` to the dependencies in package.json"
            ));
        }
        if line.contains("KeyError: '") || line.contains("is not set") {
            return Some(
                "set the variable that it asks for with `mayfly up --env-file .env`".to_owned(),
            );
        }
        if line.contains("Read-only file system") {
            return Some(
                "let it write in its own folder, in /tmp, or in the folder that DATA_DIR names"
                    .to_owned(),
            );
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_fail_has_its_own_code_and_a_remedy() {
        let limits = RunLimits::default();
        let words = |line: &str| vec![line.to_owned()];
        for (failure, code, hint) in [
            (
                not_ready(Seen::Silence, "/", &limits, vec![]),
                FailureCode::NotListening,
                "PORT",
            ),
            (
                not_ready(Seen::NoAnswer { port: 80 }, "/", &limits, vec![]),
                FailureCode::NotReady,
                "health",
            ),
            (
                not_ready(Seen::Status { status: 500 }, "/", &limits, vec![]),
                FailureCode::NotReady,
                "last lines",
            ),
            (
                exited(Exit::OutOfMemory, &limits, vec![]),
                FailureCode::OutOfMemory,
                "1024 MiB",
            ),
            (
                exited(
                    Exit::Code { code: 1 },
                    &limits,
                    words("ModuleNotFoundError: No module named 'flask'"),
                ),
                FailureCode::Exited,
                "`flask`",
            ),
            (
                exited(
                    Exit::Code { code: 1 },
                    &limits,
                    words("Error: Cannot find module 'express'"),
                ),
                FailureCode::Exited,
                "`express`",
            ),
            (
                exited(Exit::Signal { signal: 11 }, &limits, vec![]),
                FailureCode::Exited,
                "mayfly up",
            ),
            (
                crash_loop(3, exited(Exit::Code { code: 1 }, &limits, vec![])),
                FailureCode::CrashLoop,
                "mayfly up",
            ),
        ] {
            assert_eq!(failure.code, code);
            let got = failure.hint.clone().unwrap_or_default();
            assert!(got.contains(hint), "{failure:?}");
        }
    }
}
