//! mayfly's registry alone, in a process of its own: what judges and benchmarks talk to.

use std::io::{BufRead, BufReader, Lines};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};

use anyhow::{Context, Result};

use crate::command::command;
use crate::interop::ours;
use crate::process::Running;

/// How the registry is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// In less time.
    Debug,
    /// As users run it.
    Release,
}

/// A registry that serves. Dropped, it ends.
pub struct Registry {
    /// Where.
    pub address: SocketAddr,
    /// A token that may push.
    pub writer: String,
    /// A token that may pull alone.
    pub reader: String,
    running: Running,
}

impl Registry {
    /// Builds the registry and starts it with its state in `folder`.
    pub fn start(folder: &Path, profile: Profile) -> Result<Self> {
        let mut registry = command(&build(profile)?.to_string_lossy(), [folder]);
        registry
            // As the daemon sets its allocator.
            .env("MIMALLOC_PURGE_DELAY", "10")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut running = Running::start(registry)?;
        let output = running.child().stdout.take();
        let mut lines = BufReader::new(output.context("the registry has no output")?).lines();
        let port = line(&mut lines)?.parse().context("no port")?;
        Ok(Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            writer: line(&mut lines)?,
            reader: line(&mut lines)?,
            running,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.running.pid()
    }
}

fn line(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<String> {
    let line = lines
        .next()
        .context("the registry ended before it served")?;
    Ok(line?)
}

/// With the other programs of `interop`: what they share is compiled once.
fn build(profile: Profile) -> Result<PathBuf> {
    ours::build("registry", profile)
}
