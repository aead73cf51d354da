//! How a sandbox's main command ended.

use std::time::{Duration, Instant};

use model::instance::Exit;

/// How soon after a worker was killed for its memory an end is taken for its consequence.
const CONSEQUENCE: Duration = Duration::from_secs(3);

/// What a wait status says.
pub(super) fn exit_of(status: i32) -> Exit {
    match libc::WIFSIGNALED(status) {
        true => Exit::Signal {
            signal: libc::WTERMSIG(status),
        },
        false => Exit::Code {
            code: libc::WEXITSTATUS(status),
        },
    }
}

/// The end's cause: an exit with trouble just after the kernel killed something for its memory is
/// that kill's consequence.
pub(super) fn cause(exit: Exit, last_kill: Option<Instant>, now: Instant) -> Exit {
    let recent = last_kill.is_some_and(|kill| now.duration_since(kill) < CONSEQUENCE);
    match exit {
        Exit::Code { code: 0 } => exit,
        _ if recent => Exit::OutOfMemory,
        _ => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_just_after_a_memory_kill_is_out_of_memory() {
        let now = Instant::now();
        let killed = Exit::Signal { signal: 9 };
        let failed = Exit::Code { code: 1 };
        let fine = Exit::Code { code: 0 };
        let long_ago = now.checked_sub(Duration::from_secs(60));
        for (exit, last_kill, expected) in [
            (killed, Some(now), Exit::OutOfMemory),
            (failed, Some(now), Exit::OutOfMemory),
            (fine, Some(now), fine),
            (killed, None, killed),
            (failed, long_ago, failed),
        ] {
            assert_eq!(cause(exit, last_kill, now), expected, "{exit:?}");
        }
    }

    #[test]
    fn a_wait_status_tells_code_from_signal() {
        assert_eq!(exit_of(0x0300), Exit::Code { code: 3 });
        assert_eq!(exit_of(9), Exit::Signal { signal: 9 });
    }
}
