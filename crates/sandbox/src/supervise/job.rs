//! The folders of a build job, and who owns them while it runs.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, chmodat, fstat};

use super::binds::Binds;
use super::rootfs::{Access, Bind, naming};
use crate::copy::{give, kind, names, open_child, status};
use crate::measure::Measure;
use crate::plan::{BindPlan, JobRole, Plan};

/// How deep folders may lie in each other before walking them is refused.
const DEPTH: usize = 256;
/// Mode bits that lend the owner's rights to whoever runs the file.
const LENDING: u32 = 0o6000;

/// Opens what the job sees, and gives it what it may write.
pub(super) fn prepare(plan: &Plan, role: &JobRole) -> io::Result<Binds> {
    let mut others = Vec::new();
    for bind in &role.binds {
        let source = open(bind).map_err(|cause| naming(&bind.source, &cause))?;
        if bind.writable {
            hand_over(&source, plan.owner())?;
        }
        others.push(Bind {
            source,
            target: bind.target.clone(),
            access: if bind.writable {
                Access::Write
            } else {
                Access::Read
            },
        });
    }
    Ok(Binds { app: None, others })
}

/// Gives everything that the job could write back to root.
pub(crate) fn take_back(role: &JobRole) -> io::Result<()> {
    for bind in role.binds.iter().filter(|bind| bind.writable) {
        hand_over(&open(bind)?, 0)?;
    }
    Ok(())
}

/// What the folders that the job may write hold on disk, in bytes; a file with several names
/// counts once.
pub(super) fn written_bytes(role: &JobRole) -> u64 {
    let mut measure = Measure::default();
    let writable = role.binds.iter().filter(|bind| bind.writable);
    writable
        .filter_map(|bind| open(bind).ok())
        .for_each(|top| measure.add(&top));
    measure.bytes
}

fn open(bind: &BindPlan) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(&bind.source, flags, Mode::empty())?)
}

fn hand_over(top: &OwnedFd, owner: u32) -> io::Result<()> {
    if kind(&fstat(top)?) == FileType::Directory {
        hand_over_entries(top, owner, 0)?;
    }
    let (user, group) = (
        rustix::fs::Uid::from_raw(owner),
        rustix::fs::Gid::from_raw(owner),
    );
    Ok(rustix::fs::fchown(top, Some(user), Some(group))?)
}

fn hand_over_entries(folder: &OwnedFd, owner: u32, depth: usize) -> io::Result<()> {
    if depth > DEPTH {
        return Err(rustix::io::Errno::NAMETOOLONG.into());
    }
    for name in names(folder)? {
        let Some(stat) = status(folder, &name)? else {
            continue;
        };
        if kind(&stat) == FileType::Directory {
            hand_over_entries(&open_child(folder, &name)?, owner, depth + 1)?;
        }
        if stat.st_uid != owner || stat.st_gid != owner {
            give(folder, &*name, owner)?;
        }
        // Nothing that a job made may run with root's rights afterwards.
        if stat.st_mode & LENDING != 0 && kind(&stat) != FileType::Symlink {
            let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
            chmodat(folder, &*name, mode, AtFlags::empty())?;
        }
    }
    Ok(())
}
