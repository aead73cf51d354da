//! Build jobs: sandboxes that die with who asked for them.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use ports::workshop::{Access, Job, JobEnd, JobReport, LineSink, Network, Workshop, WorkshopError};

use crate::Sandboxes;
use crate::events::{End, Event};
use crate::folder::Folder;
use crate::plan::{BindPlan, JOB_RANGES, JobRole, Plan, RANGE, Role};
use crate::runtime::{Inner, proxy_environment};
use crate::supervisor::Line;

/// How many ranges of user ids jobs take turns with: two jobs at a time never share one.
const SLOTS: u32 = 256;

/// Counts the jobs of this process.
static SERIAL: AtomicU32 = AtomicU32::new(0);

#[async_trait]
impl Workshop for Sandboxes {
    async fn run(&self, job: Job, lines: LineSink<'_>) -> Result<JobReport, WorkshopError> {
        let inner = Arc::clone(self.inner());
        let begun = tokio::task::spawn_blocking(move || begin(&inner, job)).await;
        let socket = begun.map_err(io::Error::other)??;
        // Dropped with the future: the supervisor then kills the job.
        let mut line = Line::new(socket)?;
        loop {
            match line.next().await? {
                Some(Event::Started) => {}
                Some(Event::Line { stream, text }) => lines(stream, &text),
                Some(Event::Ended { end, denied }) => {
                    let end = outcome(end);
                    return Ok(JobReport { end, denied });
                }
                Some(Event::Refused { what, errno }) => {
                    let cause = io::Error::from_raw_os_error(errno);
                    return Err(match ports::blob_store::is_disk_full(&cause) {
                        true => WorkshopError::Io(cause),
                        false => WorkshopError::Machine { what, cause },
                    });
                }
                Some(Event::Failed { why }) => return Err(WorkshopError::Start(why)),
                Some(Event::Before { command, .. }) => {
                    return Err(WorkshopError::Start(format!("`{command}` failed")));
                }
                None => return Err(WorkshopError::Start("its supervisor ended".to_owned())),
            }
        }
    }
}

fn outcome(end: End) -> JobEnd {
    match end {
        End::Exit(exit) => JobEnd::Exit(exit),
        End::TimedOut => JobEnd::TimedOut,
        End::DiskLimit => JobEnd::DiskLimit,
    }
}

fn begin(inner: &Inner, job: Job) -> io::Result<UnixStream> {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let name = format!("job-{}-{serial}", std::process::id());
    let folder = Folder::at(inner.jobs_folder().join(&name));
    folder.claim()?;
    let plan = plan(inner, name, serial, job);
    inner.nursery.start(&plan, &folder).inspect_err(|_| {
        let _ = folder.remove();
    })
}

fn plan(inner: &Inner, name: String, serial: u32, job: Job) -> Plan {
    let mut env = job.env;
    let egress = match job.network {
        Network::None => None,
        Network::Only(hosts) => {
            env.extend(proxy_environment());
            Some(hosts)
        }
    };
    let binds = job.binds.into_iter().map(|bind| BindPlan {
        source: bind.source,
        target: bind.target,
        writable: bind.access == Access::Write,
    });
    Plan {
        group: inner.jobs().child(&name),
        name,
        supervisors: inner.supervisors(),
        layers: job.layers,
        first_id: JOB_RANGES + serial % SLOTS * RANGE,
        workdir: job.workdir,
        before: Vec::new(),
        command: job.command,
        env,
        egress,
        memory_bytes: job.limits.memory_bytes,
        pids: job.limits.pids,
        // In memory: what goes beyond half of it belongs into a folder.
        tmp_bytes: (job.limits.memory_bytes / 2).min(job.limits.disk_bytes),
        role: Role::Job(JobRole {
            binds: binds.collect(),
            limits: job.limits,
        }),
    }
}
