//! The first `up`: nothing is cached, everything comes over the network.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::app::{App, Kind};
use crate::http;
use crate::mayfly::Mayfly;

/// How long the first `up` of an app takes, the daemon's start included.
pub fn measure(program: &Path, scratch: &Path, kind: Kind, runs: usize) -> Result<Vec<Duration>> {
    (0..runs)
        .map(|run| {
            once(
                program,
                &scratch.join(format!("first-{run}-{}", kind as u8)),
                kind,
            )
        })
        .collect()
}

fn once(program: &Path, folder: &Path, kind: Kind) -> Result<Duration> {
    let mayfly = Mayfly::new(program, folder)?;
    let app = App::copy(kind, folder)?;
    let began = std::time::Instant::now();
    // `up` would start the daemon itself, but on the port that others may use.
    mayfly.serve()?;
    let up = mayfly.up(app.folder(), app.name())?;
    let took = began.elapsed();
    http::await_text(up.promoted()?, &app.says())?;
    drop(mayfly);
    std::fs::remove_dir_all(folder)?;
    Ok(took)
}
