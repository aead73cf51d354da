//! Reaching the daemon.

use std::path::Path;
use std::time::Duration;

use api::types::Health;
use api::{Client, ClientError, paths};
use model::failure::{Failure, FailureCode};
use tokio::runtime::Runtime;

use super::background::{ServeOptions, Started, start};
use crate::face::Face;

/// The runtime of a command that talks to the daemon: one thread is plenty.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.map_err(|cause| {
        Failure::new(FailureCode::Machine, "the system refuses an event queue")
            .because(cause.to_string())
            .hint("raise the limit of open files: `ulimit -n 1024`")
    })
}

/// How long a daemon that has just been started may find its apps before it answers.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);

/// A daemon that answers.
pub(crate) struct Reached {
    /// The connection to it.
    pub(crate) client: Client,
    /// What it says of itself.
    pub(crate) health: Health,
}

/// Connects to the daemon that runs.
pub(crate) async fn connect() -> Result<Client, Failure> {
    Ok(reach().await?.client)
}

/// The daemon that runs, when there is one.
pub(crate) async fn running() -> Result<Option<Reached>, Failure> {
    match reach().await {
        Err(ReachError::Client(ClientError::NotRunning { .. })) => Ok(None),
        reached => Ok(Some(reached?)),
    }
}

/// Starts a daemon where none runs, says so, and connects to it.
pub(crate) async fn start_and_connect(face: &mut Face) -> Result<Client, Failure> {
    let home = paths::home();
    let started = start(&home, &ServeOptions::default()).await?;
    face.remark(&said(started, &home));
    connect().await
}

/// Why no daemon answers.
#[derive(Debug, thiserror::Error)]
enum ReachError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the daemon did not answer within {} seconds", ANSWERS_WITHIN.as_secs())]
    Silent,
}

impl From<ReachError> for Failure {
    fn from(error: ReachError) -> Self {
        match error {
            ReachError::Client(cause) => cause.into(),
            ReachError::Silent => Self::new(FailureCode::Unavailable, error.to_string())
                .hint("it may have many apps to find: try again, or run `mayfly doctor`")
                .retryable(),
        }
    }
}

/// Connects, and waits for the first answer: a daemon listens before it has found its apps.
async fn reach() -> Result<Reached, ReachError> {
    let mut client = Client::connect(&paths::home()).await?;
    let health = tokio::time::timeout(ANSWERS_WITHIN, client.health());
    let health = health.await.map_err(|_| ReachError::Silent)??;
    Ok(Reached { client, health })
}

fn said(started: Started, home: &Path) -> String {
    match started {
        Started::Already => "a mayfly daemon has just been started".to_owned(),
        Started::Systemd => "systemd started the mayfly daemon".to_owned(),
        Started::Background => format!(
            "started the mayfly daemon in the background (log: {})",
            home.join("log/daemon.log").display()
        ),
    }
}
