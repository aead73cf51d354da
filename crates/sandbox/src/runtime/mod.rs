//! Instances of releases: starting, finding, watching, stopping and removing them.

mod environment;
mod instance;
mod start;
mod written;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::instance::{DeniedEgress, InstanceId, InstanceState};
use ports::runtime::{Launch, Runtime, RuntimeError, Termination, Upstream, Written};

use crate::beneath::open_folder;
use crate::cgroup::GroupPath;
use crate::folder::read_json;
use crate::listening;
use crate::measure::Measure;
use crate::supervisor::Nursery;
pub(crate) use environment::proxy as proxy_environment;
use instance::Instance;
use written::Folders;

/// How long a killed sandbox may take to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(20);

/// Where sandboxes are kept and how their supervisors are started.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder for state: `sandboxes/` and `jobs/` are made in it, closed to other users.
    pub home: PathBuf,
    /// The program that calls [`crate::supervise::main`]; the daemon's own, as a rule.
    pub supervisor: PathBuf,
    /// What comes before the home on its command line.
    pub supervisor_args: Vec<String>,
}

/// The sandboxes of one daemon: both the runtime of apps and the workshop of builds.
#[derive(Debug, Clone)]
pub struct Sandboxes(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) home: PathBuf,
    pub(crate) nursery: Nursery,
    pub(crate) group: GroupPath,
}

impl Sandboxes {
    /// Makes the folders under `config.home` where they are missing.
    pub fn new(config: Config) -> std::io::Result<Self> {
        std::fs::create_dir_all(&config.home)?;
        let home = config.home.canonicalize()?;
        for folder in ["sandboxes", "jobs"] {
            crate::folder::make_private(&home.join(folder))?;
        }
        Ok(Self(Arc::new(Inner {
            group: GroupPath::of_home(&home),
            nursery: Nursery::new(config.supervisor, config.supervisor_args, home.clone()),
            home,
        })))
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.0
    }

    fn instance(&self, id: &InstanceId) -> Result<Instance, RuntimeError> {
        Instance::find(&self.0, id)
    }
}

impl Inner {
    pub(crate) fn sandboxes(&self) -> PathBuf {
        self.home.join("sandboxes")
    }

    pub(crate) fn jobs_folder(&self) -> PathBuf {
        self.home.join("jobs")
    }

    pub(crate) fn jobs(&self) -> GroupPath {
        self.group.child("jobs")
    }

    pub(crate) fn supervisors(&self) -> GroupPath {
        self.group.child("supervisors")
    }

    pub(crate) fn apps(&self) -> GroupPath {
        self.group.child("apps")
    }
}

#[async_trait]
impl Runtime for Sandboxes {
    async fn start(&self, launch: Launch) -> Result<InstanceId, RuntimeError> {
        start::start(&self.0, launch).await
    }

    async fn settle(&self, id: &InstanceId) -> Result<(), RuntimeError> {
        let instance = self.instance(id)?;
        let millis = instance.role()?.limits.cpu_millis;
        Ok(instance.group()?.limit_cpu(millis)?)
    }

    async fn list(&self) -> Result<Vec<InstanceId>, RuntimeError> {
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(self.0.sandboxes())? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.parse().ok());
            if let Some(id) = id.filter(|id| self.instance(id).is_ok()) {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    async fn state(&self, id: &InstanceId) -> Result<InstanceState, RuntimeError> {
        self.instance(id)?.state().await
    }

    async fn ended(&self, id: &InstanceId) -> Result<InstanceState, RuntimeError> {
        let instance = self.instance(id)?;
        instance.end().await?;
        instance.state().await
    }

    async fn upstream(
        &self,
        id: &InstanceId,
        preferred: u16,
    ) -> Result<Option<Upstream>, RuntimeError> {
        let Some(init) = self.instance(id)?.init() else {
            return Ok(None);
        };
        let found = match listening::find(init.pid, preferred) {
            // It ended while its sockets were read.
            Err(_) if !init.runs() => None,
            other => other?,
        };
        Ok(found.map(|address| Upstream {
            instance: id.clone(),
            netns: PathBuf::from(format!("/proc/{}/ns/net", init.pid)),
            address,
        }))
    }

    async fn freeze(&self, id: &InstanceId) -> Result<(), RuntimeError> {
        let group = self.instance(id)?.group()?;
        instance::blocking(move || group.freeze()).await
    }

    async fn thaw(&self, id: &InstanceId) -> Result<(), RuntimeError> {
        let group = self.instance(id)?.group()?;
        instance::blocking(move || group.thaw()).await
    }

    async fn stop(&self, id: &InstanceId, how: Termination) -> Result<(), RuntimeError> {
        self.instance(id)?.stop(how).await
    }

    async fn remove(&self, id: &InstanceId) -> Result<(), RuntimeError> {
        let instance = self.instance(id)?;
        instance.stop(Termination::Now).await?;
        let group = instance.group()?;
        let folder = instance.folder.clone();
        instance::blocking(move || {
            group.remove()?;
            folder.remove()
        })
        .await
    }

    async fn logs(&self, id: &InstanceId) -> Result<Vec<PathBuf>, RuntimeError> {
        let instance = self.instance(id)?;
        let folder = instance.folder.logs();
        let files = instance.role()?.limits.log_files;
        let old = (1..files)
            .rev()
            .map(|number| folder.join(format!("app.log.{number}")));
        let all = old.chain([folder.join("app.log")]);
        Ok(all.filter(|path| path.exists()).collect())
    }

    async fn size_bytes(&self, id: &InstanceId) -> Result<u64, RuntimeError> {
        let folder = self.instance(id)?.folder;
        instance::blocking(move || {
            let mut measure = Measure::default();
            measure.add(&open_folder(folder.path())?);
            Ok(measure.bytes)
        })
        .await
    }

    async fn memory_bytes(&self, id: &InstanceId) -> Result<u64, RuntimeError> {
        let group = self.instance(id)?.group()?;
        match group.memory_bytes() {
            // It has ended.
            Err(cause) if crate::cgroup::is_gone(&cause) => Ok(0),
            other => Ok(other?),
        }
    }

    async fn written(&self, id: &InstanceId) -> Result<Vec<Written>, RuntimeError> {
        let instance = self.instance(id)?;
        instance::blocking(move || Folders::open(&instance)?.written()).await
    }

    async fn save_written(&self, id: &InstanceId) -> Result<Vec<PathBuf>, RuntimeError> {
        let instance = self.instance(id)?;
        instance::blocking(move || Folders::open(&instance)?.save()).await
    }

    async fn denied(&self, id: &InstanceId) -> Result<Vec<DeniedEgress>, RuntimeError> {
        let denied = read_json(&self.instance(id)?.folder.denied())?;
        Ok(denied.unwrap_or_default())
    }
}
