//! System calls, made without a C library. Each returns what the kernel answers: a negative number
//! is an error number. Source: syscalls(2), and the kernel's tables for each architecture.

use core::arch::{asm, global_asm};

/// A process id.
pub(crate) type Pid = i32;
/// What the kernel answers.
pub(crate) type Answer = isize;

pub(crate) const EINTR: i32 = 4;
pub(crate) const ENOENT: i32 = 2;
pub(crate) const ENOTDIR: i32 = 20;

pub(crate) const SIGHUP: i32 = 1;
pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGQUIT: i32 = 3;
pub(crate) const SIGUSR1: i32 = 10;
pub(crate) const SIGUSR2: i32 = 12;
pub(crate) const SIGPIPE: i32 = 13;
pub(crate) const SIGTERM: i32 = 15;
pub(crate) const SIGCHLD: i32 = 17;

#[cfg(target_arch = "x86_64")]
mod number {
    pub(super) const READ: usize = 0;
    pub(super) const WRITE: usize = 1;
    pub(super) const CLOSE: usize = 3;
    pub(super) const RT_SIGACTION: usize = 13;
    pub(super) const RT_SIGPROCMASK: usize = 14;
    pub(super) const SENDTO: usize = 44;
    pub(super) const RECVFROM: usize = 45;
    pub(super) const CLONE: usize = 56;
    pub(super) const EXECVE: usize = 59;
    pub(super) const WAIT4: usize = 61;
    pub(super) const KILL: usize = 62;
    pub(super) const SETPGID: usize = 109;
    pub(super) const PRCTL: usize = 157;
    pub(super) const CLOCK_GETTIME: usize = 228;
    pub(super) const EXIT_GROUP: usize = 231;
    pub(super) const PPOLL: usize = 271;
    pub(super) const SIGNALFD4: usize = 289;
    pub(super) const PIPE2: usize = 293;
}

#[cfg(target_arch = "aarch64")]
mod number {
    pub(super) const READ: usize = 63;
    pub(super) const WRITE: usize = 64;
    pub(super) const CLOSE: usize = 57;
    pub(super) const RT_SIGACTION: usize = 134;
    pub(super) const RT_SIGPROCMASK: usize = 135;
    pub(super) const SENDTO: usize = 206;
    pub(super) const RECVFROM: usize = 207;
    pub(super) const CLONE: usize = 220;
    pub(super) const EXECVE: usize = 221;
    pub(super) const WAIT4: usize = 260;
    pub(super) const KILL: usize = 129;
    pub(super) const SETPGID: usize = 154;
    pub(super) const PRCTL: usize = 167;
    pub(super) const CLOCK_GETTIME: usize = 113;
    pub(super) const EXIT_GROUP: usize = 94;
    pub(super) const PPOLL: usize = 73;
    pub(super) const SIGNALFD4: usize = 74;
    pub(super) const PIPE2: usize = 59;
}

// The kernel starts a program with its arguments on the stack.
#[cfg(target_arch = "x86_64")]
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {begin}",
    begin = sym crate::begin,
);
#[cfg(target_arch = "aarch64")]
global_asm!(
    ".globl _start",
    "_start:",
    "mov x29, xzr",
    "mov x0, sp",
    "b {begin}",
    begin = sym crate::begin,
);

#[cfg(target_arch = "x86_64")]
unsafe fn call(number: usize, arguments: [usize; 6]) -> Answer {
    let [a, b, c, d, e, f] = arguments;
    let answer;
    // SAFETY: the caller passes what this call wants; the kernel changes these registers only.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => answer,
            in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") e, in("r9") f,
            lateout("rcx") _, lateout("r11") _,
            options(nostack),
        );
    }
    answer
}

#[cfg(target_arch = "aarch64")]
unsafe fn call(number: usize, arguments: [usize; 6]) -> Answer {
    let [a, b, c, d, e, f] = arguments;
    let answer;
    // SAFETY: the caller passes what this call wants; the kernel changes this register only.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a as isize => answer,
            in("x1") b, in("x2") c, in("x3") d, in("x4") e, in("x5") f,
            options(nostack),
        );
    }
    answer
}

/// A call whose arguments are numbers, or pointers that live through it.
macro_rules! ask {
    ($name:ident $(, $argument:expr)*) => {{
        let given = [$($argument as usize),*];
        let mut arguments = [0; 6];
        let mut at = 0;
        while at < given.len() {
            arguments[at] = given[at];
            at += 1;
        }
        // SAFETY: see above.
        unsafe { call(number::$name, arguments) }
    }};
}

/// A set of signals, as the kernel has it.
#[derive(Clone, Copy)]
pub(crate) struct Signals(u64);

/// How many bytes a set has.
const SET_BYTES: usize = 8;

impl Signals {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, signal: i32) -> Self {
        Self(self.0 | 1 << (signal - 1))
    }
}

/// What poll(2) looks at.
#[repr(C)]
pub(crate) struct Watched {
    fd: i32,
    events: i16,
    pub(crate) seen: i16,
}

impl Watched {
    /// Input, or the other side's end.
    pub(crate) fn input(fd: i32) -> Self {
        const POLLIN: i16 = 1;
        Self {
            fd,
            events: POLLIN,
            seen: 0,
        }
    }
}

#[repr(C)]
struct Time {
    seconds: i64,
    nanos: i64,
}

/// Milliseconds since some moment.
pub(crate) fn now_millis() -> i64 {
    const CLOCK_MONOTONIC: usize = 1;
    let mut time = Time {
        seconds: 0,
        nanos: 0,
    };
    ask!(CLOCK_GETTIME, CLOCK_MONOTONIC, &raw mut time);
    time.seconds * 1000 + time.nanos / 1_000_000
}

/// Waits for input, at most so many milliseconds, or for ever.
pub(crate) fn poll(watched: &mut [Watched; 2], patience_millis: Option<i64>) -> Answer {
    let time = patience_millis.map(|millis| Time {
        seconds: millis / 1000,
        nanos: millis % 1000 * 1_000_000,
    });
    let time = time.as_ref().map_or(core::ptr::null(), |time| time);
    ask!(PPOLL, watched.as_mut_ptr(), 2, time, 0, SET_BYTES)
}

/// Hides this process from others of its user.
pub(crate) fn hide() {
    const PR_SET_DUMPABLE: usize = 4;
    ask!(PRCTL, PR_SET_DUMPABLE, 0);
}

/// Sets what `ps` shows; at most 15 bytes before the NUL count.
pub(crate) fn set_name(name: &core::ffi::CStr) {
    const PR_SET_NAME: usize = 15;
    ask!(PRCTL, PR_SET_NAME, name.as_ptr());
}

/// Gives a signal its default action.
pub(crate) fn restore(signal: i32) {
    // The handler `SIG_DFL`, no flags, no restorer, an empty mask.
    let default = [0_usize; 4];
    ask!(RT_SIGACTION, signal, default.as_ptr(), 0, SET_BYTES);
}

/// Blocks these signals and no others.
pub(crate) fn block(signals: Signals) {
    const SIG_SETMASK: usize = 2;
    ask!(RT_SIGPROCMASK, SIG_SETMASK, &raw const signals.0, 0, SET_BYTES);
}

/// A descriptor that tells of blocked signals, and never waits.
pub(crate) fn signal_fd(signals: Signals) -> Answer {
    const SFD_NONBLOCK_CLOEXEC: usize = 0o2_004_000;
    ask!(SIGNALFD4, -1_isize, &raw const signals.0, SET_BYTES, SFD_NONBLOCK_CLOEXEC)
}

/// The next signal from such a descriptor. Source: signalfd(2).
pub(crate) fn next_signal(fd: i32) -> Option<i32> {
    let mut info = [0_u32; 32];
    let length = ask!(READ, fd, info.as_mut_ptr(), size_of_val(&info));
    (length > 0).then_some(info[0] as i32)
}

/// A pipe that closes on exec: its reading end, its writing end.
pub(crate) fn pipe() -> Result<[i32; 2], i32> {
    const O_CLOEXEC: usize = 0o2_000_000;
    let mut ends = [0; 2];
    match ask!(PIPE2, ends.as_mut_ptr(), O_CLOEXEC) {
        0 => Ok(ends),
        refused => Err(-refused as i32),
    }
}

pub(crate) fn close(fd: i32) {
    ask!(CLOSE, fd);
}

/// Sends a message; a closed other end raises no signal.
pub(crate) fn send(socket: i32, message: &[u8]) {
    const MSG_NOSIGNAL: usize = 0x4000;
    ask!(SENDTO, socket, message.as_ptr(), message.len(), MSG_NOSIGNAL, 0, 0);
}

/// Waits for a message; 0 or less when none will come.
pub(crate) fn receive(socket: i32, message: &mut [u8]) -> Answer {
    ask!(RECVFROM, socket, message.as_mut_ptr(), message.len(), 0, 0, 0)
}

pub(crate) fn read_number(fd: i32) -> Option<i32> {
    let mut bytes = [0; 4];
    let length = ask!(READ, fd, bytes.as_mut_ptr(), bytes.len());
    (length == 4).then(|| i32::from_ne_bytes(bytes))
}

pub(crate) fn write_number(fd: i32, number: i32) {
    let bytes = number.to_ne_bytes();
    ask!(WRITE, fd, bytes.as_ptr(), bytes.len());
}

/// Forks: 0 in the child.
pub(crate) fn fork() -> Answer {
    ask!(CLONE, SIGCHLD, 0, 0, 0, 0)
}

/// Makes the caller the leader of a process group.
pub(crate) fn lead_group() {
    ask!(SETPGID, 0, 0);
}

/// Runs a program; returns the error number when that cannot be.
///
/// # Safety
///
/// The path ends with a NUL; arguments and environment are lists of such texts that end with null.
pub(crate) unsafe fn execute(
    path: *const u8,
    arguments: *const *const u8,
    environment: *const *const u8,
) -> i32 {
    -ask!(EXECVE, path, arguments, environment) as i32
}

/// Sends a signal to a process, or to a group by its negative number; 0 asks whether there is one.
pub(crate) fn kill(whom: Pid, signal: i32) -> Answer {
    ask!(KILL, whom, signal)
}

/// Collects a child that has ended: its id and wait status.
pub(crate) fn collect_any() -> Option<(Pid, i32)> {
    const WNOHANG: usize = 1;
    let mut status = 0_i32;
    match ask!(WAIT4, -1_isize, &raw mut status, WNOHANG, 0) {
        pid @ 1.. => Some((pid as Pid, status)),
        _ => None,
    }
}

/// Waits for a child's end.
pub(crate) fn collect(child: Pid) {
    while ask!(WAIT4, child, 0, 0, 0) == -(EINTR as isize) {}
}

/// Ends the process.
pub(crate) fn exit(code: i32) -> ! {
    loop {
        ask!(EXIT_GROUP, code);
    }
}
