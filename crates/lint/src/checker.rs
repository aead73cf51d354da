//! The checker that the delivery of an app asks.

use std::sync::Arc;

use async_trait::async_trait;
use model::policy::Audience;
use model::snapshot::Entry;
use model::{Failure, FailureCode, Remedy};
use ports::builder::Source;
use ports::{CheckRequest, Checked, Checker};

use crate::cache::Cache;
use crate::check::{CheckError, check};
use crate::report::Report;
use crate::settings::{Access, Settings, WorkerCommand};
use crate::sources::{Folder, Listed};

/// Looks at the files of apps, in worker processes.
pub struct AppChecker {
    worker: WorkerCommand,
    cache: Arc<dyn Cache + Send + Sync>,
}

impl AppChecker {
    /// A checker that reads files with `worker`, and each content once while `cache` keeps it.
    pub fn new(worker: WorkerCommand, cache: Arc<dyn Cache + Send + Sync>) -> Self {
        Self { worker, cache }
    }

    fn settings(&self, request: &CheckRequest) -> Settings {
        Settings {
            access: match request.audience {
                Audience::Link | Audience::Public => Access::Public,
                Audience::Machine | Audience::Owner | Audience::Org => Access::Private,
            },
            start_command: request.start_command.clone(),
            ..Settings::new(self.worker.clone())
        }
    }
}

#[async_trait]
impl Checker for AppChecker {
    async fn check(&self, request: CheckRequest) -> Result<Checked, Failure> {
        let settings = self.settings(&request);
        let cache = Arc::clone(&self.cache);
        let work = move || check(&folder(request.source), &settings, cache.as_ref());
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|error| Failure::internal(error.to_string()))?;
        done.map(checked).map_err(|error| Failure::of(&error))
    }
}

impl Remedy for CheckError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Worker(_) | Self::Thread(_) => FailureCode::Machine,
            Self::Answer { .. } | Self::Analysis => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        Some("run `mayfly doctor` to see what this machine lacks".into())
    }
}

fn folder(source: Source) -> Folder {
    let listed = |entry: Entry| match entry {
        Entry::File {
            path,
            size_bytes,
            digest,
            ..
        } => Some(Listed {
            path,
            size_bytes,
            digest: Some(digest),
            is_tracked: None,
        }),
        Entry::Link { .. } => None,
    };
    Folder {
        root: source.root,
        files: source
            .snapshot
            .entries
            .into_iter()
            .filter_map(listed)
            .collect(),
    }
}

fn checked(report: Report) -> Checked {
    let mut unread: Vec<String> = report.unread.into_iter().map(|one| one.file).collect();
    unread.dedup();
    Checked {
        findings: report.findings,
        routes: report.routes,
        unread,
        files: report.files,
        known: report.known,
    }
}
