//! Removing what a killed daemon or supervisor left behind.

use std::io;
use std::time::{Duration, Instant};

use crate::Sandboxes;
use crate::cgroup::{Group, GroupPath};
use crate::folder::{Folder, read_json};
use crate::plan::{Plan, Role};
use crate::process::Process;
use crate::pulse;
use crate::runtime::Inner;
use crate::state::Record;
use crate::supervise::take_back;

/// How long a supervisor whose starter is gone may take to give up by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a sweep takes for leftovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// What no `start` finished and no job waits for: half-made sandboxes, orphan groups. To be
    /// called before anything is started.
    Unfinished,
    /// Every sandbox: for `stop`, and for tests.
    Everything,
}

/// Removes leftovers; returns how many. Instances that run or wait to be removed stay, unless all
/// are to go.
///
/// Blocks for some milliseconds a leftover, and longer while a supervisor gives up by itself.
pub fn sweep_leftovers(sandboxes: &Sandboxes, what: Sweep) -> io::Result<usize> {
    let inner = sandboxes.inner();
    let mut swept = 0;
    let kinds = [
        (inner.sandboxes(), inner.apps()),
        (inner.jobs_folder(), inner.jobs()),
    ];
    for (folders, groups) in kinds {
        for entry in std::fs::read_dir(&folders)? {
            let entry = entry?;
            let folder = Folder::at(entry.path());
            if what == Sweep::Unfinished && is_handed_over(&folder)? {
                continue;
            }
            if let Some(name) = entry.file_name().to_str() {
                remove(&folder, &groups.child(name), what)?;
                swept += 1;
            }
        }
        swept += remove_orphans(&groups, &folders)?;
    }
    if what == Sweep::Everything {
        remove_shared(inner)?;
    }
    Ok(swept)
}

/// Ends what sandboxes share when none is left; else leaves everything as it is. To be called when
/// nothing is started any more.
pub fn close(sandboxes: &Sandboxes) -> io::Result<()> {
    let inner = sandboxes.inner();
    for folder in [inner.sandboxes(), inner.jobs_folder()] {
        if std::fs::read_dir(folder)?.next().is_some() {
            return Ok(());
        }
    }
    remove_shared(inner)
}

fn remove_shared(inner: &Inner) -> io::Result<()> {
    inner.nursery.close();
    for group in [
        inner.apps(),
        inner.jobs(),
        inner.supervisors(),
        inner.group.clone(),
    ] {
        Group::at(&group)?.remove()?;
    }
    Group::at(&GroupPath::of_all())?.remove_if_empty()
}

fn is_handed_over(folder: &Folder) -> io::Result<bool> {
    let record: Option<Record> = read_json(&folder.state())?;
    Ok(record.is_some() && is_app(folder))
}

/// Jobs are never handed over: nobody waits for one whose daemon is gone.
fn is_app(folder: &Folder) -> bool {
    let plan: Option<Plan> = read_json(&folder.plan()).unwrap_or_default();
    plan.is_some_and(|plan| matches!(plan.role, Role::App(_)))
}

fn remove(folder: &Folder, group: &GroupPath, what: Sweep) -> io::Result<()> {
    let group = Group::at(group)?;
    if what == Sweep::Everything {
        group.kill()?;
    }
    let supervisor: Option<Process> = read_json(&folder.supervisor())?;
    if let Some(supervisor) = supervisor {
        let deadline = Instant::now() + PATIENCE;
        while supervisor.runs() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        supervisor.signal(rustix::process::Signal::KILL)?;
    }
    group.kill()?;
    // What keeps an app writes its end down before the folder goes.
    pulse::await_stopped(&folder.pulse(), PATIENCE)?;
    let plan: Option<Plan> = read_json(&folder.plan())?;
    if let Some(Role::Job(role)) = plan.map(|plan| plan.role) {
        take_back(&role)?;
    }
    group.remove()?;
    folder.remove()
}

/// Groups whose folder is gone.
fn remove_orphans(groups: &GroupPath, folders: &std::path::Path) -> io::Result<usize> {
    let mut removed = 0;
    for name in Group::at(groups)?.children() {
        if !folders.join(&name).exists() {
            let group = Group::at(&groups.child(&name))?;
            group.kill()?;
            group.remove()?;
            removed += 1;
        }
    }
    Ok(removed)
}
