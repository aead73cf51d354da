//! mayfly's edge, built as users run it.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};

use super::Proxy;
use crate::command::{self, command};
use crate::place;
use crate::process::Running;

/// Builds and starts the edge in front of `upstream`, with one worker.
pub fn start(upstream: SocketAddr, core: usize) -> Result<Proxy> {
    let (program, core) = (build()?, core.to_string());
    let mut edge = command("taskset", ["-c", &core]);
    edge.arg(program)
        .arg(upstream.port().to_string())
        // As the daemon sets its allocator.
        .env("MIMALLOC_PURGE_DELAY", "10")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut running = Running::start(edge)?;
    let output = running
        .child()
        .stdout
        .take()
        .context("the edge has no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let port: u16 = line
        .trim()
        .parse()
        .context("the edge did not say its port")?;
    Ok(Proxy {
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        worker: running.pid(),
        _running: running,
    })
}

fn build() -> Result<PathBuf> {
    let words = [
        "build",
        "--locked",
        "--release",
        "--package",
        "xtask",
        "--features",
        "edge",
        "--bin",
        "bench-edge",
    ];
    command::run(&mut command("cargo", words))?;
    Ok(place::target().join("release/bench-edge"))
}
