//! Many apps at once: what they cost while they idle, how soon they are up and gone.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::app;
use super::memory::{self, Held};
use crate::http;
use crate::mayfly::Mayfly;

/// How long many apps took to start and to end.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Lives {
    /// How many.
    pub apps: usize,
    /// From `mayfly serve` until the last one answered, in seconds.
    pub start_seconds: f64,
    /// `mayfly stop`, from call to exit, in seconds.
    pub stop_seconds: f64,
}

/// Until what a start needed once has been given back.
const SETTLED: Duration = Duration::from_secs(3);

/// Memory with each number of idle apps on Python's http.server.
pub fn memory(program: &Path, scratch: &Path, numbers: &[usize]) -> Result<Vec<Held>> {
    let mayfly = Mayfly::new(program, &scratch.join("memory"))?;
    mayfly.serve()?;
    let mut addresses = Vec::new();
    let mut all = Vec::new();
    for &number in numbers {
        fill(&mayfly, scratch, &mut addresses, number)?;
        std::thread::sleep(SETTLED);
        all.push(memory::held(mayfly.program(), number)?);
    }
    Ok(all)
}

/// Starts apps that were built before, all at once, and ends them.
pub fn lives(program: &Path, scratch: &Path, number: usize) -> Result<Lives> {
    let mayfly = Mayfly::new(program, &scratch.join("lives"))?;
    mayfly.serve()?;
    let mut addresses = Vec::new();
    fill(&mayfly, scratch, &mut addresses, number)?;
    mayfly.stop()?;
    let began = Instant::now();
    mayfly.serve()?;
    let mut last = began;
    for &address in &addresses {
        last = last.max(http::await_text(address, "release 1")?);
    }
    let stopping = Instant::now();
    mayfly.stop()?;
    Ok(Lives {
        apps: number,
        start_seconds: last.duration_since(began).as_secs_f64(),
        stop_seconds: stopping.elapsed().as_secs_f64(),
    })
}

/// Brings apps up until there are `number`.
fn fill(
    mayfly: &Mayfly,
    scratch: &Path,
    addresses: &mut Vec<SocketAddr>,
    number: usize,
) -> Result<()> {
    while addresses.len() < number {
        let name = format!("crowd-{}", addresses.len() + 1);
        let folder = scratch.join("crowd").join(&name);
        if !folder.exists() {
            app::copy_http_server(&folder)?;
        }
        let address = mayfly.up(&folder, &name)?.promoted()?;
        http::await_text(address, "release 1")?;
        addresses.push(address);
    }
    Ok(())
}
