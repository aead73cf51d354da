//! What the first process was started with, where the kernel put it.

use core::cell::Cell;
use core::ffi::CStr;
use core::ptr;

use crate::kernel;

/// A text that ends with a NUL, on the process's first stack.
type Text = *const u8;

/// How long the path of a program may be. Source: limits.h, `PATH_MAX`.
const PATH_BYTES: usize = 4096;

/// The arguments and the environment.
pub(crate) struct Words {
    /// The socket to the supervisor.
    pub(crate) socket: i32,
    /// With the null behind the last.
    commands: &'static [Cell<Text>],
    environment: *const Text,
}

/// One command's words, and the place behind them.
pub(crate) struct Command(&'static [Cell<Text>]);

/// The commands that are left, and the null behind them.
pub(crate) struct Commands(&'static [Cell<Text>]);

impl Words {
    /// Reads them; `None` when they are not what the supervisor passes.
    ///
    /// # Safety
    ///
    /// `stack` is a process's first stack pointer.
    pub(crate) unsafe fn on_stack(stack: *const usize) -> Option<Self> {
        // SAFETY: the count, so many pointers, a null, the environment's pointers, a null; all of
        // them and their texts stay for the process's life.
        let (arguments, environment) = unsafe {
            let count = *stack;
            let first: *const Cell<Text> = stack.add(1).cast();
            let environment: *const Text = first.add(count + 1).cast();
            (core::slice::from_raw_parts(first, count + 1), environment)
        };
        if arguments.len() < 3 {
            return None;
        }
        let socket = number(arguments[1].get())?;
        Some(Self {
            socket: i32::try_from(socket).ok()?,
            commands: &arguments[2..],
            environment,
        })
    }

    pub(crate) fn commands(&self) -> Commands {
        Commands(self.commands)
    }

    /// Becomes the command; returns the error number when that cannot be.
    // Inlined, the path's buffer would be part of the frame that lives as long as the sandbox.
    #[inline(never)]
    pub(crate) fn execute(&self, command: &Command) -> i32 {
        let Some((behind, words @ [first, ..])) = command.0.split_last() else {
            return kernel::ENOENT;
        };
        // The list ends where the next command began; this process has no other.
        behind.set(ptr::null());
        let list: *const Text = words.as_ptr().cast();
        let program = text(first.get());
        let run = |path: Text| {
            // SAFETY: the kernel made these texts and lists; both lists end with a null.
            unsafe { kernel::execute(path, list, self.environment) }
        };
        if program.contains(&b'/') {
            return run(first.get());
        }
        self.search(program, run)
    }

    /// Looks for the program as a shell would. Source: execvp(3).
    fn search(&self, program: &[u8], run: impl Fn(Text) -> i32) -> i32 {
        let mut worst = kernel::ENOENT;
        let folders = self.variable(b"PATH=").unwrap_or_default();
        for folder in folders.split(|byte| *byte == b':') {
            let mut path = [0; PATH_BYTES];
            let length = folder.len() + 1 + program.len();
            if folder.is_empty() || length >= PATH_BYTES {
                continue;
            }
            path[..folder.len()].copy_from_slice(folder);
            path[folder.len()] = b'/';
            path[folder.len() + 1..length].copy_from_slice(program);
            let errno = run(path.as_ptr());
            if errno != kernel::ENOENT && errno != kernel::ENOTDIR {
                worst = errno;
            }
        }
        worst
    }

    fn variable(&self, name: &[u8]) -> Option<&'static [u8]> {
        let mut at = self.environment;
        loop {
            // SAFETY: the list ends with a null, where this loop ends.
            let pair = unsafe { *at };
            if pair.is_null() {
                return None;
            }
            if let Some(value) = text(pair).strip_prefix(name) {
                return Some(value);
            }
            // SAFETY: as above.
            at = unsafe { at.add(1) };
        }
    }
}

impl Commands {
    pub(crate) fn next(&mut self) -> Option<Command> {
        let (count, rest) = self.0.split_first()?;
        if count.get().is_null() {
            return None;
        }
        let count = number(count.get())?;
        let command = rest.get(..=count)?;
        self.0 = &rest[count..];
        Some(Command(command))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.first().is_none_or(|next| next.get().is_null())
    }
}

fn text(text: Text) -> &'static [u8] {
    // SAFETY: the kernel put a NUL behind each argument and each pair of the environment.
    unsafe { CStr::from_ptr(text.cast()) }.to_bytes()
}

fn number(digits: Text) -> Option<usize> {
    let mut number = 0_usize;
    for digit in text(digits) {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some(number)
}
