//! The first process of a sandbox: starts the commands, passes signals on, and reaps.
//!
//! It runs behind the sandbox's own filter, user and limits, and there is one in each sandbox as long
//! as that lives: so it is a program of its own, without a C library, a heap or a dynamic linker, and
//! holds three or four pages. `build.rs` compiles it; the sandbox's maker executes it.
//!
//! Arguments: its name, the number of the socket to the supervisor, then each command as the number
//! of its words and the words; the last is the main one. Its environment is the commands'.

#![no_std]
#![no_main]
// Else the compiler makes calls of `memcpy` from its body.
#![no_builtins]
#![deny(unsafe_op_in_unsafe_fn, warnings)]

mod kernel;
mod memory;
#[path = "../src/supervise/report.rs"]
mod report;
mod words;

use kernel::{Pid, Signals, Watched};
use report::Report;
use words::{Command, Words};

/// Signals that are passed on to the command.
const FORWARDED: [i32; 6] = [
    kernel::SIGTERM,
    kernel::SIGINT,
    kernel::SIGHUP,
    kernel::SIGQUIT,
    kernel::SIGUSR1,
    kernel::SIGUSR2,
];

/// How long what is left of a command's group may take after the command itself.
const LINGER_MILLIS: i64 = 30_000;

/// Exit codes that no command stands behind; the supervisor has heard of the reason.
const BROKEN: i32 = 70;
const UNRUNNABLE: i32 = 71;
const FAILED_BEFORE: i32 = 72;

/// Where the kernel starts. Source: the System V ABI's initial process stack.
unsafe extern "C" fn begin(stack: *const usize) -> ! {
    // SAFETY: the kernel made this stack.
    let words = unsafe { Words::on_stack(stack) };
    let code = words.map_or(BROKEN, |words| live(&words));
    kernel::exit(code)
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo<'_>) -> ! {
    kernel::exit(BROKEN)
}

fn live(words: &Words) -> i32 {
    kernel::hide();
    kernel::set_name(c"mayfly-init");
    let Some(signals) = block_signals() else {
        return BROKEN;
    };
    let init = Init {
        socket: words.socket,
        signals,
    };
    init.tell(Report::Ready);
    if kernel::receive(init.socket, &mut [0; 8]) <= 0 {
        return BROKEN;
    }
    let mut commands = words.commands();
    let mut index = 0;
    while let Some(command) = commands.next() {
        let is_last = commands.is_empty();
        let child = match init.spawn(&command, words) {
            Ok(child) => child,
            Err(errno) => {
                init.tell(Report::Unrunnable { index, errno });
                return UNRUNNABLE;
            }
        };
        if is_last {
            init.tell(Report::Started);
        }
        let Some(run) = init.serve(child) else {
            return BROKEN;
        };
        let status = run.status;
        if is_last {
            init.tell(Report::Ended { status });
            if run.signalled {
                init.linger(child);
            }
            return exit_code(status);
        }
        if status != 0 {
            init.tell(Report::Before { index, status });
            return FAILED_BEFORE;
        }
        index += 1;
    }
    BROKEN
}

/// Blocks what is passed on, and the ends of children; returns the descriptor that tells of them.
fn block_signals() -> Option<i32> {
    let mut set = Signals::NONE.with(kernel::SIGCHLD);
    // An ignored signal would never reach the descriptor.
    kernel::restore(kernel::SIGCHLD);
    for signal in FORWARDED {
        set = set.with(signal);
        kernel::restore(signal);
    }
    kernel::block(set);
    i32::try_from(kernel::signal_fd(set)).ok().filter(|fd| *fd >= 0)
}

struct Init {
    /// To the supervisor, which may be gone; then this process ends a moment later.
    socket: i32,
    signals: i32,
}

/// How a command went.
struct Run {
    /// Its wait status.
    status: i32,
    /// Whether a signal was passed on to it.
    signalled: bool,
}

/// What waiting led to.
enum Woken {
    /// No signal was passed on.
    Unheard,
    /// One was.
    Forwarded,
    /// The supervisor is gone: it never says more than its first word.
    Alone,
}

impl Init {
    fn tell(&self, report: Report) {
        kernel::send(self.socket, &report.encode());
    }

    /// Starts a command in a process group of its own; returns once it runs.
    fn spawn(&self, command: &Command, words: &Words) -> Result<Pid, i32> {
        let [result, told] = kernel::pipe()?;
        match kernel::fork() {
            0 => {
                kernel::lead_group();
                kernel::block(Signals::NONE);
                // The supervisor's forks ignore these; a fresh process does not.
                for signal in [kernel::SIGPIPE, kernel::SIGTERM, kernel::SIGINT, kernel::SIGHUP] {
                    kernel::restore(signal);
                }
                kernel::write_number(told, words.execute(command));
                kernel::exit(127)
            }
            child if child > 0 => {
                kernel::close(told);
                let errno = kernel::read_number(result);
                kernel::close(result);
                match errno {
                    None => Ok(child as Pid),
                    Some(errno) => {
                        kernel::collect(child as Pid);
                        Err(errno)
                    }
                }
            }
            refused => Err(-refused as i32),
        }
    }

    /// Reaps and forwards until `main` has ended; `None` when the supervisor is gone.
    fn serve(&self, main: Pid) -> Option<Run> {
        let mut signalled = false;
        loop {
            if let Some(status) = reap(main) {
                return Some(Run { status, signalled });
            }
            match self.wait(main, None) {
                Woken::Alone => return None,
                Woken::Forwarded => signalled = true,
                Woken::Unheard => {}
            }
        }
    }

    /// Lets what is left of a command's group end by itself. A shell dies of a signal at once, its
    /// server first finishes what it is at.
    fn linger(&self, main: Pid) {
        let deadline = kernel::now_millis() + LINGER_MILLIS;
        loop {
            reap(main);
            let left = deadline - kernel::now_millis();
            if left <= 0 || kernel::kill(-main, 0) < 0 {
                return;
            }
            if let Woken::Alone = self.wait(main, Some(left)) {
                return;
            }
        }
    }

    fn wait(&self, main: Pid, patience_millis: Option<i64>) -> Woken {
        let mut watched = [Watched::input(self.signals), Watched::input(self.socket)];
        let answer = kernel::poll(&mut watched, patience_millis);
        if answer < 0 && answer != -(kernel::EINTR as isize) {
            return Woken::Alone;
        }
        if answer > 0 && watched[1].seen != 0 {
            return Woken::Alone;
        }
        let mut woken = Woken::Unheard;
        while let Some(signal) = kernel::next_signal(self.signals) {
            if FORWARDED.contains(&signal) {
                forward(main, signal);
                woken = Woken::Forwarded;
            }
        }
        woken
    }
}

/// Passes a signal on to the command's whole group: behind `sh -c` or npm is the real server.
fn forward(main: Pid, signal: i32) {
    if kernel::kill(-main, signal) < 0 {
        kernel::kill(main, signal);
    }
}

/// Collects what has ended; the wait status of `main` when it is among it.
fn reap(main: Pid) -> Option<i32> {
    while let Some((pid, status)) = kernel::collect_any() {
        if pid == main {
            return Some(status);
        }
    }
    None
}

/// What a shell would exit with. Source: wait(2).
fn exit_code(status: i32) -> i32 {
    match status & 0x7f {
        0 => status >> 8 & 0xff,
        signal => 128 + signal,
    }
}
