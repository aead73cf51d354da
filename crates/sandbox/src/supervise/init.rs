//! The first process of a sandbox: a program of its own, which is a part of this one (`init/`).
//!
//! It runs behind the sandbox's own filter, user and limits. Nothing in the sandbox can trace it or
//! read its memory.

use std::collections::HashMap;
use std::ffi::{CString, NulError};
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use libcontainer::oci_spec::runtime::Spec;
use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use rustix::fs::{MemfdFlags, Mode, fchmod, memfd_create};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use crate::plan::Plan;

/// The program.
const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/init"));
/// Its name, for `ps`.
const NAME: &str = "mayfly-init";
/// Nobody may read what runs it, so that the kernel keeps its memory closed too. Source: ptrace(2),
/// "Ptrace access mode checking".
const EXECUTE_ONLY: Mode = Mode::from_raw_mode(0o111);

/// A file in memory that holds the program: all sandboxes share its pages.
pub(super) fn program() -> io::Result<OwnedFd> {
    let create = |flags| memfd_create(NAME, MemfdFlags::CLOEXEC | flags);
    // Kernels before 6.3 do not know the flag, and execute any.
    let file = match create(MemfdFlags::EXEC) {
        Err(Errno::INVAL) => create(MemfdFlags::empty()),
        other => other,
    }?;
    let mut file = std::fs::File::from(file);
    file.write_all(PROGRAM)?;
    fchmod(&file, EXECUTE_ONLY)?;
    Ok(file.into())
}

/// What the first process is started with; made before the fork.
#[derive(Clone)]
pub(super) struct Init {
    program: RawFd,
    socket: RawFd,
    arguments: Vec<CString>,
    env: Vec<CString>,
}

impl Init {
    /// `program` and `socket` must stay open until the sandbox runs. Fails when a word of a command
    /// or the environment holds a NUL.
    pub(super) fn new(plan: &Plan, program: RawFd, socket: RawFd) -> Result<Self, NulError> {
        let mut arguments = vec![NAME.to_owned(), socket.to_string()];
        for command in plan.before.iter().chain([&plan.command]) {
            arguments.push(command.len().to_string());
            arguments.extend_from_slice(command);
        }
        let pair = |(name, value): (&String, &String)| CString::new(format!("{name}={value}"));
        Ok(Self {
            program,
            socket,
            arguments: arguments
                .into_iter()
                .map(CString::new)
                .collect::<Result<_, _>>()?,
            env: plan.env.iter().map(pair).collect::<Result<_, _>>()?,
        })
    }

    /// Becomes the program, with the standard streams and the socket alone.
    fn become_program(&self) -> nix::Result<std::convert::Infallible> {
        // SAFETY: takes numbers only.
        unsafe {
            let flags = libc::CLOSE_RANGE_CLOEXEC;
            libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flags);
        }
        // SAFETY: the descriptors were made for this process and are open.
        let (program, socket) = unsafe {
            (
                BorrowedFd::borrow_raw(self.program),
                BorrowedFd::borrow_raw(self.socket),
            )
        };
        fcntl_setfd(socket, FdFlags::empty())
            .map_err(|errno| nix::Error::from_raw(errno.raw_os_error()))?;
        let itself = nix::fcntl::AtFlags::AT_EMPTY_PATH;
        nix::unistd::execveat(program, c"", &self.arguments, &self.env, itself)
    }
}

impl Executor for Init {
    fn exec(&self, _: &Spec) -> Result<(), ExecutorError> {
        let Err(errno) = self.become_program();
        Err(ExecutorError::Other(format!(
            "the first process cannot be executed: {errno}"
        )))
    }

    fn validate(&self, _: &Spec) -> Result<(), ExecutorValidationError> {
        Ok(())
    }

    /// Commands get their environment when they are started; libcontainer's part needs none.
    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        Ok(())
    }
}
