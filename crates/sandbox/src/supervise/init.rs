//! The first process of a sandbox: a copy of ours, which starts the commands and reaps.
//!
//! It runs behind the sandbox's own filter, user and limits. Nothing in the sandbox can trace it or
//! read its memory.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use super::wire::{self, Report};
use crate::plan::Plan;

/// Signals that are passed on to the command.
const FORWARDED: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGQUIT,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// How long what is left of a command's group may take after the command itself.
const LINGER: Duration = Duration::from_secs(30);

/// What the first process needs to know; made before the fork.
#[derive(Clone)]
pub(super) struct Init {
    commands: Vec<Vec<CString>>,
    env: Vec<CString>,
    path: String,
    socket: RawFd,
}

impl Init {
    /// Fails when a word of a command or the environment holds a NUL.
    pub(super) fn new(plan: &Plan, socket: RawFd) -> Result<Self, std::ffi::NulError> {
        let words = |command: &Vec<String>| command.iter().map(|w| CString::new(&**w)).collect();
        let commands = plan.before.iter().chain([&plan.command]);
        let pair = |(name, value): (&String, &String)| CString::new(format!("{name}={value}"));
        Ok(Self {
            commands: commands.map(words).collect::<Result<_, _>>()?,
            env: plan.env.iter().map(pair).collect::<Result<_, _>>()?,
            path: plan.env.get("PATH").cloned().unwrap_or_default(),
            socket,
        })
    }

    /// Runs the sandbox; the process ends with it.
    fn run(&self) -> ! {
        // SAFETY: the descriptor was made for this process and is open; see `close_others`.
        let socket = unsafe { BorrowedFd::borrow_raw(self.socket) };
        let code = self.live(socket).unwrap_or(70);
        // SAFETY: ends the process without running what the parent registered for its own end.
        unsafe { libc::_exit(code) }
    }

    fn live(&self, socket: BorrowedFd<'_>) -> nix::Result<i32> {
        close_others(self.socket);
        // SAFETY: takes numbers only.
        unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) };
        // What making the sandbox took is a copy of the maker's: it goes back before the long wait.
        // SAFETY: takes a number only.
        unsafe { libc::malloc_trim(0) };
        let signals = block_signals()?;
        tell(socket, Report::Ready);
        await_go(socket)?;
        let last = self.commands.len() - 1;
        for (index, command) in self.commands.iter().enumerate() {
            let at = index as u32;
            let child = match self.spawn(command) {
                Ok(child) => child,
                Err(errno) => {
                    let errno = errno as i32;
                    tell(socket, Report::Unrunnable { index: at, errno });
                    return Ok(71);
                }
            };
            if index == last {
                tell(socket, Report::Started);
            }
            let Run { status, signalled } = serve(child, &signals, socket)?;
            if index == last {
                tell(socket, Report::Ended { status });
                if signalled {
                    linger(child, &signals, socket)?;
                }
                return Ok(exit_code(status));
            }
            if status != 0 {
                tell(socket, Report::Before { index: at, status });
                return Ok(72);
            }
        }
        Ok(0)
    }

    /// Starts a command in a process group of its own; returns once it runs.
    fn spawn(&self, command: &[CString]) -> nix::Result<Pid> {
        let (result, told) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
        // SAFETY: this process has one thread; the child calls nothing that needs another.
        match unsafe { fork() }? {
            ForkResult::Child => {
                let Err(errno) = self.exec(command);
                let _ = nix::unistd::write(&told, &(errno as i32).to_ne_bytes());
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(127) }
            }
            ForkResult::Parent { child } => {
                drop(told);
                let mut errno = [0; 4];
                match nix::unistd::read(&result, &mut errno)? {
                    0 => Ok(child),
                    _ => {
                        let _ = waitpid(child, None);
                        Err(Errno::from_raw(i32::from_ne_bytes(errno)))
                    }
                }
            }
        }
    }

    fn exec(&self, command: &[CString]) -> nix::Result<Infallible> {
        let _ = nix::unistd::setpgid(Pid::from_raw(0), Pid::from_raw(0));
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        // SAFETY: restores what a fresh process has; the supervisor ignores these signals.
        unsafe {
            for signal in [libc::SIGPIPE, libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        let Some(program) = command.first() else {
            return Err(Errno::ENOENT);
        };
        self.exec_program(program, command)
    }

    /// Looks for the program as a shell would. Source: execvp(3).
    fn exec_program(&self, program: &CString, command: &[CString]) -> nix::Result<Infallible> {
        if program.as_bytes().contains(&b'/') {
            return nix::unistd::execve(program, command, &self.env);
        }
        let mut worst = Errno::ENOENT;
        for folder in self.path.split(':').filter(|folder| !folder.is_empty()) {
            let mut path = folder.as_bytes().to_vec();
            path.push(b'/');
            path.extend_from_slice(program.as_bytes());
            let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
            let Err(errno) = nix::unistd::execve(&path, command, &self.env);
            if errno != Errno::ENOENT && errno != Errno::ENOTDIR {
                worst = errno;
            }
        }
        Err(worst)
    }
}

impl Executor for Init {
    fn exec(&self, _: &Spec) -> Result<(), ExecutorError> {
        self.run()
    }

    fn validate(&self, _: &Spec) -> Result<(), ExecutorValidationError> {
        Ok(())
    }

    /// Commands get their environment when they are started; this process needs none.
    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }
}

/// Only the standard streams and the socket stay: everything else is the supervisor's.
fn close_others(socket: RawFd) {
    let socket = socket as libc::c_uint;
    // SAFETY: nothing in this process uses another descriptor from here on.
    unsafe {
        if socket > 3 {
            libc::syscall(libc::SYS_close_range, 3, socket - 1, 0);
        }
        libc::syscall(libc::SYS_close_range, socket + 1, libc::c_uint::MAX, 0);
    }
}

fn block_signals() -> nix::Result<SignalFd> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    FORWARDED.into_iter().for_each(|signal| set.add(signal));
    // An ignored signal would never reach the descriptor.
    for signal in set.iter() {
        // SAFETY: sets the default action; the signal is blocked next.
        unsafe { libc::signal(signal as i32, libc::SIG_DFL) };
    }
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?;
    SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// The supervisor may be gone; then this process ends a moment later, in `serve`.
fn tell(socket: BorrowedFd<'_>, report: Report) {
    let _ = wire::send(socket, report);
}

fn await_go(socket: BorrowedFd<'_>) -> nix::Result<()> {
    let mut word = [0; 8];
    match nix::sys::socket::recv(
        socket.as_raw_fd(),
        &mut word,
        nix::sys::socket::MsgFlags::empty(),
    )? {
        0 => Err(Errno::ECONNRESET),
        _ => Ok(()),
    }
}

/// How a command went.
struct Run {
    /// Its wait status.
    status: i32,
    /// Whether a signal was passed on to it.
    signalled: bool,
}

/// Reaps and forwards until `main` has ended.
fn serve(main: Pid, signals: &SignalFd, socket: BorrowedFd<'_>) -> nix::Result<Run> {
    let mut signalled = false;
    loop {
        if let Some(status) = reap(main)? {
            return Ok(Run { status, signalled });
        }
        signalled |= wait(main, signals, socket, PollTimeout::NONE)?;
    }
}

/// Lets what is left of a command's group end by itself. A shell dies of a signal at once, its
/// server first finishes what it is at.
fn linger(main: Pid, signals: &SignalFd, socket: BorrowedFd<'_>) -> nix::Result<()> {
    let deadline = Instant::now() + LINGER;
    loop {
        reap(main)?;
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || nix::sys::signal::killpg(main, None).is_err() {
            return Ok(());
        }
        let left = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        wait(main, signals, socket, left)?;
    }
}

/// Waits for signals and forwards them. Returns whether one was forwarded; fails when the
/// supervisor is gone, which never says more than [`wire::GO`].
fn wait(
    main: Pid,
    signals: &SignalFd,
    socket: BorrowedFd<'_>,
    patience: PollTimeout,
) -> nix::Result<bool> {
    use std::os::fd::AsFd;
    let mut watched = [
        PollFd::new(signals.as_fd(), PollFlags::POLLIN),
        PollFd::new(socket, PollFlags::POLLIN),
    ];
    match poll(&mut watched, patience) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(errno),
    }
    if watched[1].any().unwrap_or(false) {
        return Err(Errno::ECONNRESET);
    }
    let mut forwarded = false;
    while let Ok(Some(info)) = signals.read_signal() {
        forwarded |= forward(main, info.ssi_signo as i32);
    }
    Ok(forwarded)
}

/// Passes a signal on to the command's whole group: behind `sh -c` or npm is the real server.
/// Returns whether it is one that is passed on.
fn forward(main: Pid, number: i32) -> bool {
    let signal = Signal::try_from(number).ok();
    let Some(signal) = signal.filter(|signal| FORWARDED.contains(signal)) else {
        return false;
    };
    if nix::sys::signal::killpg(main, signal).is_err() {
        let _ = kill(main, signal);
    }
    true
}

/// Collects what has ended; the wait status of `main` when it is among it.
fn reap(main: Pid) -> nix::Result<Option<i32>> {
    loop {
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let pid = match waitid(Id::All, flags) {
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
            Ok(status) => status.pid(),
            Err(errno) => return Err(errno),
        };
        let Some(pid) = pid else {
            return Ok(None);
        };
        let mut status = 0;
        // SAFETY: `status` lives through the call.
        unsafe { libc::waitpid(pid.as_raw(), &mut status, 0) };
        if pid == main {
            return Ok(Some(status));
        }
    }
}

/// What a shell would exit with.
fn exit_code(status: i32) -> i32 {
    match libc::WIFSIGNALED(status) {
        true => 128 + libc::WTERMSIG(status),
        false => libc::WEXITSTATUS(status),
    }
}
