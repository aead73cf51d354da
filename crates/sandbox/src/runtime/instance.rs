//! One instance, as its folder and the kernel tell about it.

use std::io;
use std::time::Duration;

use model::Timestamp;
use model::instance::{Exit, InstanceId, InstanceState};
use ports::runtime::{RuntimeError, Termination};
use rustix::process::Signal;

use super::{Inner, KILL_PATIENCE};
use crate::cgroup::{Group, GroupPath};
use crate::folder::{Folder, read_json, write_json};
use crate::plan::{AppRole, Plan, Role};
use crate::process::Process;
use crate::pulse;
use crate::state::{Ended, Record};

/// How long a supervisor may take to write down an end that has come.
const END_PATIENCE: Duration = Duration::from_secs(5);

/// An instance that was handed over.
pub(super) struct Instance {
    pub(super) folder: Folder,
    group: GroupPath,
    supervisor: Process,
    init: Process,
    since: Timestamp,
}

impl Instance {
    /// Fails with [`RuntimeError::Missing`] when there is none, or none that ever ran.
    pub(super) fn find(inner: &Inner, id: &InstanceId) -> Result<Self, RuntimeError> {
        let name = id.to_string();
        let folder = Folder::at(inner.sandboxes().join(&name));
        let record: Option<Record> = read_json(&folder.state())?;
        let record = record.ok_or_else(|| RuntimeError::Missing(id.clone()))?;
        Ok(Self {
            folder,
            group: inner.apps().child(&name),
            supervisor: record.supervisor,
            init: record.init,
            since: record.since,
        })
    }

    pub(super) fn group(&self) -> io::Result<Group> {
        Group::at(&self.group)
    }

    /// Its first process, while it runs.
    pub(super) fn init(&self) -> Option<Process> {
        Some(self.init).filter(Process::runs)
    }

    pub(super) fn plan(&self) -> io::Result<Plan> {
        let plan: Option<Plan> = read_json(&self.folder.plan())?;
        plan.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn role(&self) -> io::Result<AppRole> {
        match self.plan()?.role {
            Role::App(role) => Ok(role),
            Role::Job(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(super) async fn state(&self) -> Result<InstanceState, RuntimeError> {
        if let Some(ended) = self.ended()? {
            return Ok(ended);
        }
        if self.supervisor.runs() && self.init().is_some() {
            return self.running();
        }
        // Its end has come, and is being written down, unless the supervisor was killed.
        let _ = tokio::time::timeout(END_PATIENCE, self.end()).await;
        match self.ended()? {
            Some(ended) => Ok(ended),
            None => self.bury().await,
        }
    }

    /// Waits until its end is written down, or its supervisor was killed.
    pub(super) async fn end(&self) -> io::Result<()> {
        pulse::stopped(&self.folder.pulse()).await?;
        if self.ended()?.is_none()
            && let Some(keeper) = self.supervisor.open()?
        {
            // Its descriptors close a moment before a killed process is gone.
            pulse::await_readable(keeper).await?;
        }
        Ok(())
    }

    pub(super) async fn stop(&self, how: Termination) -> Result<(), RuntimeError> {
        if self.ended()?.is_some() {
            return Ok(self.end().await?);
        }
        if let Termination::Graceful(patience) = how {
            self.thaw_and_ask().await?;
            if tokio::time::timeout(patience, self.end()).await.is_ok() {
                return Ok(());
            }
        }
        let group = self.group()?;
        blocking(move || group.kill()).await?;
        match tokio::time::timeout(KILL_PATIENCE, self.end()).await {
            Ok(ended) => Ok(ended?),
            Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    async fn thaw_and_ask(&self) -> Result<(), RuntimeError> {
        let group = self.group()?;
        blocking(move || group.thaw()).await?;
        Ok(self.init.signal(Signal::TERM)?)
    }

    fn ended(&self) -> io::Result<Option<InstanceState>> {
        let ended: Option<Ended> = read_json(&self.folder.exit())?;
        Ok(ended.map(|ended| InstanceState::Exited {
            exit: ended.exit,
            at: ended.at,
            uptime_millis: ended.uptime_millis,
        }))
    }

    fn running(&self) -> Result<InstanceState, RuntimeError> {
        let group = self.group()?;
        let since = self.since;
        Ok(match group.is_frozen()? {
            true => InstanceState::Frozen { since },
            false => InstanceState::Running {
                since,
                oom_kills: group.oom_kills(),
            },
        })
    }

    /// Writes down the end of an instance whose supervisor was killed: its processes died with it.
    async fn bury(&self) -> Result<InstanceState, RuntimeError> {
        let group = self.group()?;
        blocking(move || group.kill()).await?;
        let now = Timestamp::now();
        let uptime = now.duration_since(self.since).as_millis();
        let ended = Ended {
            exit: Exit::Signal {
                signal: Signal::KILL.as_raw(),
            },
            at: now,
            uptime_millis: u64::try_from(uptime).unwrap_or(0),
        };
        write_json(&self.folder.exit(), &ended)?;
        let group = self.group()?;
        blocking(move || group.remove()).await?;
        self.ended()?
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound).into())
    }
}

/// Runs what waits for the kernel or the disk beside the runtime's threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, RuntimeError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(io::Error::other)??)
}
