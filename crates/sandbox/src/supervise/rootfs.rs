//! The root file system of a sandbox, put together by real root in a private mount namespace.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{Mode, OFlags, mkdirat};

use super::etc;
use crate::beneath::{make_inside, open_folder, open_inside, path_of, split};
use crate::plan::{HOME, Plan};

/// Where the private mount lies: a folder that every user may pass through, which exists on every
/// machine. What it hides is hidden from the sandbox's maker only.
const PLACES: [&str; 3] = ["/mnt", "/run", "/srv"];
/// What the mount points and files that are missing in the layers may take.
const SCRATCH: &str = "mode=0755,size=16m";

/// What is bound into the root file system.
pub(super) struct Bind {
    /// An open folder or file of the machine.
    pub(super) source: OwnedFd,
    /// In the sandbox.
    pub(super) target: PathBuf,
    pub(super) access: Access,
}

/// What the sandbox may do with a bind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A root file system under construction.
pub(super) struct Root {
    path: PathBuf,
    folder: OwnedFd,
    /// A folder for libcontainer's files, gone with the mount namespace.
    pub(super) scratch: PathBuf,
}

/// Gives the calling process a mount namespace of its own. The kernel mounts only what was opened
/// in the same one, so this comes before anything is opened.
pub(super) fn leave_mounts() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    Ok(mount(
        None::<&str>,
        "/",
        None::<&str>,
        private,
        None::<&str>,
    )?)
}

impl Root {
    /// Stacks the layers in the calling process's mount namespace, which [`leave_mounts`] made.
    pub(super) fn stack(layers: &[PathBuf]) -> io::Result<Self> {
        // Opened first: the private mount may hide their paths.
        let open = |layer: &PathBuf| open_folder(layer).map_err(|cause| naming(layer, &cause));
        let layers: Vec<OwnedFd> = layers.iter().map(open).collect::<io::Result<_>>()?;
        let place = place()?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("mayfly"), &place, Some("tmpfs"), flags, Some(SCRATCH))?;
        let scratch = open_folder(&place)?;
        for name in ["root", "upper", "work", "libcontainer"] {
            let mode = if name == "work" { 0o700 } else { 0o755 };
            mkdirat(&scratch, name, Mode::from_raw_mode(mode))?;
        }
        let path = place.join("root");
        overlay(&layers, &place, &path)?;
        Ok(Self {
            folder: open_folder(&path)?,
            scratch: place.join("libcontainer"),
            path,
        })
    }

    /// Makes what every sandbox has: mount points, and `/etc`'s files.
    pub(super) fn furnish(&self, plan: &Plan) -> io::Result<()> {
        for folder in ["/proc", "/dev", "/tmp", "/run", "/sys", "/var/tmp", HOME] {
            make_inside(self.folder.as_fd(), Path::new(folder))?;
        }
        make_inside(self.folder.as_fd(), &plan.workdir)?;
        etc::write(&self.folder, &plan.name)
    }

    /// What is at `path` in the layers and in what was bound so far; `None` when nothing is.
    pub(super) fn open(&self, path: &Path) -> io::Result<Option<OwnedFd>> {
        match open_inside(&self.folder, path, OFlags::PATH) {
            Ok(found) => Ok(Some(found)),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// Binds something into it, making the place where it is missing.
    pub(super) fn bind(&self, bind: &Bind) -> io::Result<()> {
        let target = self.mount_point(bind)?;
        let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
        let source = path_of(&bind.source);
        mount(
            Some(&source),
            &path_of(&target),
            None::<&str>,
            flags,
            None::<&str>,
        )?;
        // Opened again: the descriptor above names what the mount covers.
        let mounted = open_inside(&self.folder, &bind.target, OFlags::PATH)?;
        restrict(&path_of(&mounted), bind.access)
    }

    /// Closes it for writing; the binds keep their rights. Returns its path.
    pub(super) fn seal(self) -> io::Result<PathBuf> {
        restrict(&self.path, Access::Read)?;
        Ok(self.path)
    }

    fn mount_point(&self, bind: &Bind) -> io::Result<OwnedFd> {
        let stat = rustix::fs::fstat(&bind.source)?;
        if crate::copy::kind(&stat) == rustix::fs::FileType::Directory {
            return make_inside(self.folder.as_fd(), &bind.target);
        }
        if let Some(found) = self.open(&bind.target)? {
            return Ok(found);
        }
        let (above, name) = split(&bind.target)?;
        let above = make_inside(self.folder.as_fd(), above)?;
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(
            &above,
            name,
            flags,
            Mode::from_raw_mode(0o644),
        )?)
    }
}

fn restrict(path: &Path, access: Access) -> io::Result<()> {
    let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    if access == Access::Read {
        flags |= MsFlags::MS_RDONLY;
    }
    Ok(mount(
        None::<&str>,
        path,
        None::<&str>,
        flags,
        None::<&str>,
    )?)
}

/// A stack with the scratch as its top, for mount points; nothing is written to the layers.
fn overlay(layers: &[OwnedFd], place: &Path, target: &Path) -> io::Result<()> {
    let lower: Vec<String> = layers
        .iter()
        .rev()
        .map(|layer| format!("/proc/self/fd/{}", layer.as_raw_fd()))
        .collect();
    let options = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.join(":"),
        place.join("upper").display(),
        place.join("work").display()
    );
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(
        Some("mayfly"),
        target,
        Some("overlay"),
        flags,
        Some(&*options),
    )?)
}

fn place() -> io::Result<PathBuf> {
    let found = PLACES.iter().map(Path::new).find(|place| place.is_dir());
    found.map(Path::to_owned).ok_or_else(|| {
        let what = format!("none of the folders {} exists", PLACES.join(", "));
        io::Error::new(io::ErrorKind::NotFound, what)
    })
}

pub(super) fn naming(path: &Path, cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("`{}`: {cause}", path.display()))
}
