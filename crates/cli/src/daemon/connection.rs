//! Reaching the daemon.

use std::path::Path;

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

/// Connects to the daemon that runs.
pub(crate) async fn connect() -> Result<Client, Failure> {
    Ok(Client::connect(&paths::home()).await?)
}

/// Connects to the daemon; starts one, and says so, when none runs.
pub(crate) async fn connect_or_start(face: &mut Face) -> Result<Client, Failure> {
    let home = paths::home();
    match Client::connect(&home).await {
        Err(ClientError::NotRunning { .. }) => {
            let started = start(&home, &ServeOptions::default()).await?;
            face.remark(&said(started, &home));
            connect().await
        }
        answered => Ok(answered?),
    }
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
