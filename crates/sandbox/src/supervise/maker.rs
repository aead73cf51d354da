//! A short-lived process that makes a sandbox: files, mounts, namespaces.
//!
//! What libcontainer and the mounts need of memory goes with it; the sandbox's first process becomes
//! the supervisor's child, not its own.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::init::Init;
use super::oci;
use super::rootfs::{Root, leave_mounts};
use super::trouble::Trouble;
use super::{app, groups, job};
use crate::folder::Folder;
use crate::plan::{Plan, Role};

/// Open files of each process: what may be used, and what it may be raised to.
const OPEN_FILES: (u64, u64) = (4096, 65536);

/// What the first process is given; all are closed in the maker's parent afterwards.
pub(super) struct Ends {
    pub(super) stdout: OwnedFd,
    pub(super) stderr: OwnedFd,
    pub(super) socket: OwnedFd,
}

/// Makes the sandbox and lets its first process begin. Returns that process's id.
///
/// The calling process gets a mount namespace of its own; it ought to end soon.
pub(super) fn make(
    plan: &Plan,
    folder: &Folder,
    program: BorrowedFd<'_>,
    ends: Ends,
) -> Result<i32, Trouble> {
    let init = Init::new(plan, program.as_raw_fd(), ends.socket.as_raw_fd())
        .map_err(|cause| Trouble::chain("the command or its environment is unusable", &cause))?;
    groups::shelter(&plan.supervisors, std::os::unix::process::parent_id())
        .and_then(|()| groups::prepare(plan))
        .map_err(Trouble::at("making control groups"))?;
    leave_mounts().map_err(Trouble::at("making a mount namespace"))?;
    let binds = match &plan.role {
        Role::App(role) => app::prepare(plan, role, folder),
        Role::Job(role) => job::prepare(plan, role),
    };
    let binds = binds.map_err(Trouble::at("preparing the sandbox's files"))?;
    let root = Root::stack(&plan.layers).map_err(Trouble::at("mounting the layers"))?;
    let scratch = root.scratch.clone();
    let path = binds
        .mount(root, plan)
        .map_err(Trouble::at("mounting the sandbox's files"))?;
    start(plan, &path, &scratch, init, ends)
}

fn start(plan: &Plan, root: &Path, scratch: &Path, init: Init, ends: Ends) -> Result<i32, Trouble> {
    let odd = |cause| Trouble::chain("describing the sandbox", &cause);
    let spec = oci::spec(plan, root).map_err(odd)?;
    let bundle = write_bundle(scratch, &spec).map_err(Trouble::at("describing the sandbox"))?;
    limit_processes().map_err(Trouble::at("limiting open files"))?;
    let stdin = File::open("/dev/null").map_err(Trouble::at("opening /dev/null"))?;
    let refused = |cause| Trouble::chain("starting the sandbox", &cause);
    let mut container = ContainerBuilder::new("sandbox".to_owned(), SyscallType::default())
        .with_root_path(scratch)
        .map_err(refused)?
        .with_executor(init)
        .with_stdin(stdin)
        .with_stdout(ends.stdout)
        .with_stderr(ends.stderr)
        .as_init(bundle)
        .with_systemd(false)
        .with_detach(true)
        .as_sibling(true)
        .build()
        .map_err(refused)?;
    let pid = container.pid().map(|pid| pid.as_raw());
    container.start().map_err(refused)?;
    pid.ok_or_else(|| Trouble::Failed("the sandbox has no first process".to_owned()))
}

/// Set here and inherited. A machine may grant less than is wanted.
fn limit_processes() -> io::Result<()> {
    for (resource, (soft, hard)) in [(Resource::Nofile, OPEN_FILES), (Resource::Core, (0, 0))] {
        let most = getrlimit(resource)
            .maximum
            .map_or(hard, |most| most.min(hard));
        let limit = Rlimit {
            current: Some(soft.min(most)),
            maximum: Some(most),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

fn write_bundle(
    scratch: &Path,
    spec: &libcontainer::oci_spec::runtime::Spec,
) -> io::Result<PathBuf> {
    let bundle = scratch.join("bundle");
    std::fs::create_dir(&bundle)?;
    let mut file = File::create(bundle.join("config.json"))?;
    file.write_all(&serde_json::to_vec(spec)?)?;
    Ok(bundle)
}
