//! Starting an instance.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use model::instance::InstanceId;
use ports::runtime::{Launch, RuntimeError, Seed};

use super::{Inner, environment};
use crate::events::Event;
use crate::folder::Folder;
use crate::plan::{APP_RANGES, AppRole, Plan, RANGE, Role};
use crate::supervisor::Line;

/// Starts a supervisor and waits until it says that the command runs. Dropping the future ends
/// what was started.
pub(super) async fn start(inner: &Arc<Inner>, launch: Launch) -> Result<InstanceId, RuntimeError> {
    let release = launch.release.clone();
    let begun = {
        let inner = Arc::clone(inner);
        super::instance::blocking(move || begin(&inner, &launch)).await?
    };
    let (id, socket) = begun;
    let mut line = Line::new(socket)?;
    let why = match line.next().await? {
        Some(Event::Started) => return Ok(id),
        Some(Event::Before {
            command,
            exit,
            lines,
        }) => {
            return Err(RuntimeError::Before {
                command,
                exit,
                lines,
            });
        }
        Some(Event::Refused { what, errno }) => {
            let cause = io::Error::from_raw_os_error(errno);
            return Err(match ports::blob_store::is_disk_full(&cause) {
                true => RuntimeError::Io(cause),
                false => RuntimeError::Machine { what, cause },
            });
        }
        Some(Event::Failed { why }) => why,
        Some(Event::Line { .. } | Event::Ended { .. }) | None => "its supervisor ended".to_owned(),
    };
    Err(RuntimeError::Start { release, why })
}

fn begin(inner: &Inner, launch: &Launch) -> io::Result<(InstanceId, UnixStream)> {
    let (id, folder) = claim(inner, launch)?;
    let plan = plan(inner, &id, launch);
    match plan.and_then(|plan| inner.nursery.start(&plan, &folder)) {
        Ok(socket) => Ok((id, socket)),
        Err(cause) => {
            let _ = folder.remove();
            Err(cause)
        }
    }
}

/// Takes the first free serial of the release.
fn claim(inner: &Inner, launch: &Launch) -> io::Result<(InstanceId, Folder)> {
    let mut serial = 1 + last_serial(inner, launch)?;
    loop {
        let id = InstanceId {
            release: launch.release.clone(),
            serial,
        };
        let folder = Folder::at(inner.sandboxes().join(id.to_string()));
        match folder.claim() {
            Ok(()) => return Ok((id, folder)),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => serial += 1,
            Err(cause) => return Err(cause),
        }
    }
}

fn last_serial(inner: &Inner, launch: &Launch) -> io::Result<u32> {
    let mut last = 0;
    for entry in std::fs::read_dir(inner.sandboxes())? {
        let name = entry?.file_name();
        let id: Option<InstanceId> = name.to_str().and_then(|name| name.parse().ok());
        if let Some(id) = id.filter(|id| id.release == launch.release) {
            last = last.max(id.serial);
        }
    }
    Ok(last)
}

fn plan(inner: &Inner, id: &InstanceId, launch: &Launch) -> io::Result<Plan> {
    let first_id = launch
        .uid_slot
        .checked_mul(RANGE)
        .and_then(|offset| APP_RANGES.checked_add(offset))
        .filter(|first| first.checked_add(RANGE).is_some())
        .ok_or_else(|| io::Error::other("there are no user ids for this many apps"))?;
    Ok(Plan {
        name: id.to_string(),
        group: inner.apps().child(&id.to_string()),
        supervisors: inner.supervisors(),
        layers: launch.layers.clone(),
        first_id,
        workdir: launch.process.workdir.clone().into(),
        before: launch.process.before.clone(),
        command: launch.process.command.clone(),
        env: environment::of_app(launch),
        egress: Some(launch.egress.clone()),
        memory_bytes: launch.limits.memory_bytes,
        pids: launch.limits.pids,
        tmp_bytes: launch.limits.tmp_bytes,
        role: Role::App(AppRole {
            keep: launch.keep.clone(),
            data: launch.data.clone(),
            seed: match &launch.seed {
                Seed::From(source) => Some(source.clone()),
                Seed::Never => None,
            },
            limits: launch.limits,
        }),
    })
}
